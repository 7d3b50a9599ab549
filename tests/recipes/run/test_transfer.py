"""Transfer: the trained features are taken along exactly, the head is new, and what is frozen stays."""

import copy
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from dlbook.data import photograph
from dlbook.models import efficientnet_weights
from dlbook.recipes.run import transfer
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig, resolve
from dlbook.recipes.run.network import open_network
from dlbook.recipes.run.predict import from_run
from dlbook.recipes.run.train import train
from dlbook.recipes.run.transfer import start
from tests.seeded import edited


def digits(folder, *overrides):
    base = {"model": {"name": "convnet_digits"}, "data": {"name": "mnist5k", "limit": 200, "batch_size": 50}}
    return resolve(
        RunConfig,
        base,
        [f"output.folder={folder}", "output.tensorboard=false", "trainer.epochs=1", *overrides],
    )


@pytest.mark.parametrize("averaged", [False, True])
def test_weights_of_a_run_are_taken_along(tmp_path, averaged):
    first = build(digits(tmp_path / "first", *(["method.ema_decay=0.5"] if averaged else [])))
    train(first)
    second = build(digits(tmp_path / "second", f"model.weights={tmp_path / 'first'}"))
    expected, got = first.method.evaluated.state_dict(), second.method.model.state_dict()
    assert all(torch.equal(expected[name], got[name]) for name in expected)
    shapes = start("convnet_digits", 3, 1, str(tmp_path / "first/checkpoints/best.ckpt"), frozen=False)
    assert [
        n
        for n, v in shapes.state_dict().items()
        if v.shape != expected[n].shape or not torch.equal(v, expected[n])
    ] == [n for n in expected if n.startswith(list(expected)[-1].rpartition(".")[0])]


def test_weights_of_any_checkpoint_of_a_run_are_taken_along(tmp_path, monkeypatch):
    first = build(digits(tmp_path / "first", "trainer.epochs=2"))
    train(first)
    expected = first.method.evaluated.state_dict()
    before, last = sorted(tmp_path.glob("first/checkpoints/step-*.ckpt"))
    monkeypatch.chdir(last.parent)
    for path, same in ((last, True), (last.name, True), (before, False)):
        got = start("convnet_digits", 10, 1, str(path), frozen=False).state_dict()
        assert all(torch.equal(expected[name], got[name]) for name in expected) is same
    (tmp_path / "first/checkpoints/best.ckpt").write_bytes(b"x")
    with pytest.raises(ValueError, match=f"or in a new run by model.weights={last}$"):
        start("convnet_digits", 10, 1, str(tmp_path / "first"), frozen=False)


def test_frozen_features_stay(tmp_path):
    train(build(digits(tmp_path / "first")))
    second = build(digits(tmp_path / "second", f"model.weights={tmp_path / 'first'}", "model.freeze=true"))
    before = copy.deepcopy(second.method.model.state_dict())
    second.trainer.fit(3)
    after = second.method.model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert len(changed) == 2 and {name.rpartition(".")[2] for name in changed} == {"weight", "bias"}
    assert sum(len(group["params"]) for group in second.trainer.optimizer.param_groups) == 2


def test_another_network_is_refused_by_the_first_tensor(tmp_path):
    train(build(digits(tmp_path / "first")))
    with pytest.raises(
        ValueError,
        match="expected tensor '.*' of shape .* in .*, got .*; set model.name to the run's network",
    ):
        start("lenet5_modern", 10, 1, str(tmp_path / "first"), frozen=False)
    with pytest.raises(ValueError, match="which is missing; train a run there, or fix the path"):
        start("lenet5_modern", 10, 1, str(tmp_path / "nothing"), frozen=False)
    with pytest.raises(ValueError, match="expected efficientnet_lite0 and three channels for 'imagenet'"):
        start("resnet18", 10, 3, "imagenet", frozen=False)


@pytest.fixture
def pictures(tmp_path):
    """Crops of two photographs: cats and cups."""
    generator = torch.Generator().manual_seed(0)
    for part, count in (("train", 12), ("val", 6)):
        for name, source in (("cat", "cat"), ("cup", "espresso")):
            folder = tmp_path / "pictures" / part / name
            folder.mkdir(parents=True)
            whole = photograph(source)
            for number in range(count):
                top, left = (
                    int(torch.randint(0, side - 160, (), generator=generator)) for side in whole.shape[1:]
                )
                Image.fromarray(whole[:, top : top + 160, left : left + 160].permute(1, 2, 0).numpy()).save(
                    folder / f"{number}.png"
                )
    return tmp_path / "pictures"


def test_imagenet_weights_see_what_they_saw_and_a_new_head_learns_in_one_epoch(pictures, tmp_path):
    content = {
        "model": {"name": "efficientnet_lite0", "weights": "imagenet", "freeze": True},
        "data": {"name": "image_folder", "root": str(pictures), "batch_size": 8, "image_size": 96},
        "optimizer": {"name": "adamw", "lr": 0.01},
        "trainer": {"epochs": 2},
        "output": {"folder": str(tmp_path / "run"), "tensorboard": False},
    }
    setup = build(resolve(RunConfig, content))
    reference = efficientnet_weights.load_lite0_imagenet()
    images = torch.rand(2, 3, 96, 96)
    kept = {
        n: v.clone()
        for n, v in setup.method.model.model.state_dict().items()
        if not n.startswith("classifier")
    }
    reference.classifier = setup.method.model.model.classifier
    with torch.no_grad():
        assert torch.allclose(
            setup.method.model.eval()(images), reference((images * 255 - 127) / 128), atol=1e-5
        )
    best = train(setup)
    assert best["accuracy"] >= 90  # of 12 pictures, where guessing gives 50
    assert all(
        torch.equal(value, setup.method.model.model.state_dict()[name]) for name, value in kept.items()
    )
    found = from_run(tmp_path / "run")(pictures / "val" / "cup" / "0.png", 1)
    assert list(found) == ["cup"]


def check_whole_parts(copy_weights) -> None:
    """Only the last layer may be a new one: "head" is not the beginning of "head_norm"."""
    make = lambda: nn.ModuleDict(
        {"head": nn.Linear(2, 2), "head_norm": nn.LayerNorm(2), "stem": nn.Linear(2, 2)}
    )
    trained, model = make(), make()
    model.last_layer = "head"
    given = {name: value + 1 for name, value in trained.state_dict().items() if not name.startswith("head.")}
    fresh = copy.deepcopy(model["head"].state_dict())
    copy_weights(model, given, Path("run"))
    expected = given | {f"head.{name}": value for name, value in fresh.items()}
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())
    for lacking in ("head_norm.bias", "stem.weight"):
        less = {name: value for name, value in given.items() if name != lacking}
        with pytest.raises(ValueError, match=f"expected tensor '{lacking}' of shape .* got nothing"):
            copy_weights(model, less, Path("run"))


def test_only_the_last_layer_may_be_new():
    check_whole_parts(transfer._copy)


@pytest.mark.parametrize("begins", ["last", 'last.rpartition(".")[0]'])
def test_the_check_sees_a_prefix_without_its_dot(begins):
    broken = edited(transfer, 'key.startswith(f"{last}.")', f"key.startswith({begins})")
    with pytest.raises(pytest.fail.Exception):
        check_whole_parts(broken["_copy"])


def test_a_run_from_a_normalised_run_sees_its_images_as_that_did(tmp_path):
    first = digits(tmp_path / "first", "model.normalise=half")
    train(build(first))
    expected = open_network(tmp_path / "first").model
    model = start("convnet_digits", 10, 1, str(tmp_path / "first"), frozen=False).eval()
    images = torch.rand(4, 1, 28, 28)
    with torch.no_grad():
        assert model.mean == 0.5 and torch.equal(model(images), expected(images))


def test_normalise_is_told_where_it_cannot_be():
    with pytest.raises(ValueError, match="model.normalise: expected three channels for 'imagenet', got 1"):
        start("convnet_digits", 10, 1, None, frozen=False, normalise="imagenet")
    with pytest.raises(ValueError, match="model.normalise: expected auto with model.weights=imagenet"):
        start("efficientnet_lite0", 10, 3, "imagenet", frozen=False, normalise="half")
