"""What `dlbook train` refuses, and the key that each sentence has in front: "data.limit: expected ..."."""

import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.cli.settings import TINY

DIGITS = ("digits", *TINY)
SEMI = ("fixmatch_digits", "trainer.epochs=1")
FOLDER = ("image_folder", "data.root=pets", "data.workers=0", "data.image_size=32", "data.batch_size=4")
PETS = (*FOLDER, "model.name=resnet20_cifar", "trainer.epochs=1", "schedule.warmup_epochs=0")
LABELS = (*DIGITS, "data.labels_per_class=4", "augment.policy=shift")
REFUSED = {  # words of the command -> the keys in front of its sentences
    (*DIGITS, "model.name=resnet20_cifa"): "model.name",
    (*DIGITS, "model.name=3"): "model.name",
    (*DIGITS, "model.name=googlenet"): "model.name",
    (*DIGITS, "model.name=vit_b_16"): "model.name",  # 28 is no multiple of 16
    (*DIGITS, "model.name=lenet5"): "model.name",  # takes 32 x 32 only
    (*PETS, "model.name=lenet5"): "model.name",  # has ten classes
    (*PETS, "model.name=deit_ti_distilled"): "model.name",  # two heads in training
    (*PETS, "model.name=alexnet"): "data.image_size",
    (*DIGITS, "model=resnet18"): "model",
    (*DIGITS, "model.weights=nowhere"): "model.weights",
    (*DIGITS, "model.weights=text.pth"): "model.weights",
    (*DIGITS, "model.weights=list.pth"): "model.weights",
    (*DIGITS, "model.weights=imagenet"): "model.weights",
    (*DIGITS, "model.normalise=imagenet"): "model.normalise",
    (*DIGITS, "model.normalise=mean"): "model.normalise",
    (*DIGITS, "model.freeze=true"): "model.freeze",
    (*DIGITS, "data.name=imagenet"): "data.name",
    (*DIGITS, "data.name=cifar10"): "data.root",
    (*DIGITS, "data.name=cifar10", "data.root=nowhere"): "data.root",
    (*DIGITS, "data.root=pets"): "data.root",
    (*PETS, "data.root=nowhere"): "data.root",
    (*PETS, "data.root=text.pth"): "data.root",
    (*PETS, "data.root=pets/train"): "data.root",
    (*PETS, "data.root=one"): "data.root",
    (*PETS, "data.root=single"): "data.validation",
    (*PETS, "data.validation=0.5"): "data.validation",
    (*DIGITS, "data.validation=1"): "data.validation",
    (*DIGITS, "data.limit=0"): "data.limit",
    (*DIGITS, "data.limit=None"): "data.limit",
    (*DIGITS, "data.batch_size=81"): "data.batch_size",
    (*DIGITS, "data.batch_size=1"): "data.batch_size",
    (*SEMI, "data.unlabelled_batch_size=1"): "data.unlabelled_batch_size",
    (*SEMI, "data.labels_per_class=null"): "data.labels_per_class",
    (*SEMI, "data.labels_per_class=1000"): "data.labels_per_class",
    (*DIGITS, "method.name=fixmatch"): "data.labels_per_class",
    (*DIGITS, "data.image_size=64"): "data.image_size",
    (*PETS, "data.image_size=4"): "data.image_size",
    (*DIGITS, "data.workers=-1"): "data.workers",
    (*DIGITS, "method=fixmatch"): "method",
    (*DIGITS, "method.name=fixmtch"): "method.name",
    (*DIGITS, "method.threshold=0.9"): "method.threshold",
    (*DIGITS, "method.label_smoothing=1"): "method.label_smoothing",
    (*DIGITS, "method.ema_decay=2"): "method.ema_decay",
    (*DIGITS, "method.ema_decay=None"): "method.ema_decay",
    (*DIGITS, "method.ema_decay=2", "method.label_smoothing=1"): "method.label_smoothing method.ema_decay",
    (*SEMI, "method.threshold=2"): "method.threshold",
    (*SEMI, "method.unlabelled_weight=-1"): "method.unlabelled_weight",
    (*SEMI, "method.ema_decay=1"): "method.ema_decay",
    (*SEMI, "method.name=flexmatch", "method.ema_decay=-1"): "method.ema_decay",
    (*SEMI, "method.name=flexmatch", "method.threshold=-1"): "method.threshold",
    (*LABELS, "method.name=pi_model", "method.length=0"): "method.length",
    (*LABELS, "method.name=pi_model", "method.weight=-1"): "method.weight",
    (*LABELS, "method.name=pi_model", "method.ema_decay=2"): "method.ema_decay",
    (*LABELS, "method.name=pseudo_label", "method.end=2"): "method.end",
    (*LABELS, "method.name=pseudo_label", "method.start=300", "method.end=200"): "method.start",
    (*LABELS, "method.name=pseudo_label", "method.final=-1"): "method.final",
    (*LABELS, "method.name=pseudo_label", "method.ema_decay=2"): "method.ema_decay",
    (*SEMI, "augment.policy=none"): "augment.policy",
    (*SEMI, "augment.mixup=0.3"): "augment.mixup",
    (*DIGITS, "augment.magnitude=5"): "augment.magnitude",
    (*DIGITS, "augment.mixup=.nan"): "augment.mixup",
    (*DIGITS, "optimizer.lr=0"): "optimizer.lr",
    (*DIGITS, "optimizer.lr="): "optimizer.lr",
    (*DIGITS, "optimizer.lr=[1"): "optimizer.lr",
    (*DIGITS, "optimizer=[1]"): "optimizer",
    (*DIGITS, "optimizer.betas=[0.9]"): "optimizer.betas",
    (*DIGITS, "optimizer.betas=[0.9,2]"): "optimizer.betas",
    (*DIGITS, "optimizer.momentum=0.5"): "optimizer.momentum",
    (*DIGITS, "lr=1e-3"): "lr",
    (*DIGITS, "schedule.warmup_epochs=5"): "schedule.warmup_epochs",
    (*DIGITS, "schedule.name=step", "schedule.milestones=[2,-1]"): "schedule.milestones",
    (*DIGITS, "schedule.name=step", "schedule.milestones=[0.5,0.51]"): "schedule.milestones",
    (*DIGITS, "schedule.final=0.5"): "schedule.final",
    (*DIGITS, "data.batch_size=80"): "schedule.name",  # one cycle of one step
    (*DIGITS, "trainer.accumulate=100"): "trainer.accumulate",
    (*DIGITS, "trainer.activation_checkpointing=true"): "trainer.activation_checkpointing",
    (*DIGITS, "trainer.device=tpu"): "trainer.device",
    (*DIGITS, "trainer=null"): "trainer",
    (*DIGITS, "output.wandb=true"): "output.wandb",
    (*DIGITS, "output.folder=null"): "output.folder",
    (*DIGITS, "seed=-1"): "seed",
    ("unknown.yaml",): "unknown.yaml: model.name",
    ("empty.yaml",): "empty.yaml: model empty.yaml: data",
    ("schedule.yaml",): "schedule.yaml: schedule.warmup_epochs",
    ("smooth.yaml", "trainer.epochs=2"): "smooth.yaml: method.label_smoothing",
}
CONFIG = "model: {name: convnet_digits}\ndata: {name: mnist5k}\n"
FILES = {
    "unknown.yaml": CONFIG.replace("convnet_digits", "'${x.y}'"),
    "empty.yaml": "",
    "schedule.yaml": CONFIG + "schedule: {warmup_epochs: 10}\n",
    "smooth.yaml": CONFIG + "method: {label_smoothing: 1}\n",
    "text.pth": "text",
}


def make_files():
    """Pictures and files that are wrong, in the working directory."""
    for folder in ("pets/train/cat", "pets/train/dog", "pets/val/cat", "pets/val/dog", "one/train/cat"):
        Path(folder).mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (40, 40), (60 * number, 0, 0)).save(f"{folder}/{number}.png")
    for name in ("cat/0", "cat/1", "dog/0"):
        Path("single/train", name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40)).save(f"single/train/{name}.png")
    for name, text in FILES.items():
        Path(name).write_text(text)
    torch.save([1], "list.pth")


def keys_in_front(err: str) -> str:
    """The keys, with their file where one is named, of all sentences; "?" for what has another form."""
    found = [
        re.fullmatch(r"((?:[\w.]+\.yaml: )?[a-z_.]+): .*expected .*, got .*; .+", line)
        for line in err.removeprefix("dlbook: ").splitlines()
    ]
    return " ".join(match[1] if match else "?" for match in found)


def test_each_sentence_has_its_key_in_front(run):
    make_files()
    wrong = {}
    for words, keys in REFUSED.items():
        code, _, err = run("train", *words)
        if (code, keys_in_front(err)) != (2, keys):
            wrong[words] = code, err
    assert wrong == {}
    assert not Path("runs").exists()  # each is told before anything is begun


def test_another_form_is_seen():
    assert keys_in_front("dlbook: data.limit: expected 1, got 2; fix it\n") == "data.limit"
    assert (
        keys_in_front("dlbook: expected 1, got 2; fix it\na.yaml: data: expected 1, got 2; fix")
        == "? a.yaml: data"
    )


@pytest.mark.parametrize("key", ["model.name=lenet5", "model.name=vit_b_16"])
def test_a_network_for_other_images_leaves_no_folder(run, key):
    assert run("train", *DIGITS, key)[0] == 2 and not list(Path().iterdir())
