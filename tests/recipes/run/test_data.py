"""Which images are trained on, held out and reported."""

import json
import logging
from dataclasses import asdict

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as F

from dlbook.data import color_shapes, mnist5k
from dlbook.data.picture_file import Preparation
from dlbook.recipes.run import data as module
from dlbook.recipes.run.config import Data, RunConfig, resolve
from dlbook.recipes.run.data import labelled, limited, load, split
from tests.recipes.run.small_run import config
from tests.seeded import edited


def test_split_holds_out_the_same_share_of_each_class():
    labels = mnist5k("train").labels
    train, held_out = split(labels, 0.1, seed=3)
    assert sorted([*train.tolist(), *held_out.tolist()]) == list(range(4000))
    assert torch.bincount(labels[held_out]).tolist() == [40] * 10
    assert torch.equal(split(labels, 0.1, seed=3)[0], train) and not torch.equal(
        split(labels, 0.1, seed=4)[0], train
    )
    assert len(split(labels, 0.0, seed=0)[1]) == 0
    with pytest.raises(
        ValueError,
        match="^data.validation: expected two examples or more of class 1 to hold one out, got 1; add",
    ):
        split(torch.tensor([0, 0, 1]), 0.5, seed=0)


def test_test_images_are_never_trained_on(tmp_path):
    splits = load(config(tmp_path, "data.limit=null").data, seed=0)
    seen = {image.numpy().tobytes() for part in (splits.train, splits.validation) for image in part.images}
    assert len(seen) >= 3990 and not any(image.numpy().tobytes() in seen for image in splits.test.images)


def test_shapes_have_three_channels():
    splits = load(resolve(RunConfig, {"model": {"name": "x"}, "data": {"name": "color_shapes"}}).data, 0)
    assert splits.in_channels == 3 and splits.classes == color_shapes(1).classes


def check_limited(limited) -> None:
    """As many of each class as can be, the first of each, in the order that there was."""
    order = torch.tensor([6, 0, 3, 5, 1, 4, 7])  # example 2 is held out
    labels = torch.tensor([0, 0, 0, 1, 1, 0, 2, 0])  # of `order`: 2 0 1 0 0 1 0
    expected = {1: [6], 2: [6, 0], 3: [6, 0, 3], 4: [6, 0, 3, 5], 5: [6, 0, 3, 5, 4], 6: [6, 0, 3, 5, 1, 4]}
    for limit in (*range(1, 9), None):
        assert limited(order, labels, limit).tolist() == expected.get(limit, order.tolist())
    many = torch.randperm(600, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(600) % 12
    for limit in (7, 12, 100, 599):
        counts = torch.bincount(labels[limited(many, labels, limit)], minlength=12)
        assert counts.sum() == limit and counts.max() - counts.min() <= 1


LIMIT_FAULTS = {
    "the first ones": ("place.argsort(stable=True)[:limit]", "torch.arange(limit)"),
    "class after class": (".sort().values]", "]"),
    "by the labels of all": ("own, place = labels[order]", "own, place = labels[: len(order)]"),
    "one too many": ("[:limit]", "[: limit + 1]"),
    "the last of each class": ("arange(int(members.sum()))", "arange(int(members.sum())).flip(0)"),
}


def test_a_limit_takes_as_many_of_each_class():
    check_limited(limited)


@pytest.mark.parametrize("fault", LIMIT_FAULTS)
def test_the_check_sees_another_limit(fault):
    with pytest.raises((AssertionError, IndexError)):
        check_limited(edited(module, *LIMIT_FAULTS[fault])["limited"])


def test_a_small_digits_run_has_all_classes_and_what_it_had_before_without_limit(tmp_path):
    few = load(config(tmp_path, "data.limit=80").data, seed=0).train
    assert set(few.counts().values()) == {8}
    whole = load(config(tmp_path, "data.limit=null").data, seed=0).train
    assert torch.equal(whole.labels, mnist5k("train").labels[split(mnist5k("train").labels, 0.1, 0)[0]])
    more = load(config(tmp_path, "data.limit=200").data, seed=0).train
    seen = {image.numpy().tobytes() for image in more.images}
    assert all(image.numpy().tobytes() in seen for image in few.images)


def folders(root, parts):
    """root/PART/{cat,dog}, as many pictures a class as `parts` says of each part."""
    for part, count in parts.items():
        for name in ("cat", "dog"):
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (40, 40)).save(root / part / name / f"{part}{number}.png")
    return Data(name="image_folder", root=str(root), image_size=32, validation=0.25, limit=7)


def names(pictures):
    """The files of a part, by their names, which tell the folder that they came from."""
    if hasattr(pictures, "files"):
        return {f"{file.parent.name}/{file.name}" for file in pictures.files}
    return {f"{f.parent.name}/{f.name}" for f in (pictures.dataset.files[i] for i in pictures.indices)}


def check_folders(module, tmp_path) -> None:
    """train is trained on; val is chosen by, else a share of train; test is reported, else val, else nothing.
    A limit is of the training images alone.
    """
    every = lambda part, count: {f"{name}/{part}{i}.png" for name in ("cat", "dog") for i in range(count)}
    whole = module["load"](folders(tmp_path / "a", {"train": 4, "val": 3, "test": 2}), seed=0)
    assert names(whole.train) < every("train", 4) and len(whole.train) == 7
    assert names(whole.validation) == every("val", 3) and names(whole.test) == every("test", 2)
    without_test = module["load"](folders(tmp_path / "b", {"train": 4, "val": 3}), seed=0)
    assert names(without_test.validation) == every("val", 3)
    assert without_test.test is without_test.validation
    without_val = module["load"](folders(tmp_path / "c", {"train": 4, "test": 2}), seed=0)
    assert names(without_val.validation) | names(without_val.train) == every("train", 4)
    assert len(without_val.validation) == 2 and not names(without_val.validation) & names(without_val.train)
    assert names(without_val.test) == every("test", 2)
    assert module["load"](folders(tmp_path / "d", {"train": 4}), seed=0).test is None


FOLDER_FAULTS = {
    "chosen by the test images": ('validation = others.get("val")', 'validation = others.get("test")'),
    "validation reported": ('test = others.get("test") or', 'test = others.get("val") or'),
    "val for nothing without test": (' or others.get("val")\n', "\n"),
    "held out although there is a val": ('0 if "val" in others else data.validation', "data.validation"),
    "held out and trained on": ("limited(chosen, train.l", "limited(train.labels.argsort(), train.l"),
    "held out of what is trained on": ("Subset(train, held_out.tolist())", "Subset(train, chosen.tolist())"),
    "the limit on validation": ("Subset(train, held_out.tolist())", "Subset(train, held_out[:1].tolist())"),
}


def test_the_parts_of_a_folder(tmp_path):
    check_folders(vars(module), tmp_path)


@pytest.mark.parametrize("fault", FOLDER_FAULTS)
def test_the_check_sees_a_wrong_part(fault, tmp_path):
    broken = edited(module, *FOLDER_FAULTS[fault])
    with pytest.raises(AssertionError):
        check_folders(broken, tmp_path)


def test_a_class_of_two_examples_gives_one():
    train, held_out = split(torch.tensor([0, 0, 1, 1, 1]), 0.01, seed=0)
    assert sorted(torch.tensor([0, 0, 1, 1, 1])[held_out].tolist()) == [0, 1] and len(train) == 3


def test_a_class_of_one_picture_is_named(tmp_path):
    data = folders(tmp_path, {"train": 1})
    with pytest.raises(ValueError, match="expected two examples or more of class cat to hold one out, got 1"):
        load(data, seed=0)
    pictures = load(folders(tmp_path / "more", {"train": 3, "val": 1}), seed=0).train
    with pytest.raises(ValueError, match="at most 3, the examples of class cat, got 4"):
        labelled(pictures, 4, seed=0)


def test_classes_beside_the_parts_are_told(tmp_path):
    folders(tmp_path / "pets", {"train": 2, "val": 1})
    told = {  # moved: what stands in the message
        "flat": (tmp_path / "pets/train", "flat has the folders cat, dog: move them into .*flat/train"),
        "test": (
            tmp_path / "pets/val",
            "the folders cat, dog: set data.root={0}, or move them into {0}/test/tr",
        ),
    }
    for name, (source, message) in told.items():
        source.rename(tmp_path / name)
        with pytest.raises(FileNotFoundError, match=message.format(tmp_path)):
            load(Data(name="image_folder", root=str(tmp_path / name), image_size=32), seed=0)
    folders(tmp_path / "other", {"Train": 2})
    with pytest.raises(FileNotFoundError, match="the folders Train: rename Train to train"):
        load(Data(name="image_folder", root=str(tmp_path / "other"), image_size=32), seed=0)


def test_a_folder_that_is_no_part_is_named_and_a_part_that_leads_nowhere_is_refused(tmp_path, caplog):
    data = folders(tmp_path, {"train": 4, "valid": 1, ".cache": 1})
    assert len(load(data, seed=0).validation) == 2
    (record,) = caplog.records
    assert record.getMessage() == f"{tmp_path}: ignored valid; expected train, val, test"
    assert record.levelno == logging.WARNING
    (tmp_path / "val").symlink_to("/nowhere/val")
    with pytest.raises(FileNotFoundError, match="val: expected .*, got a link to /nowhere/val, which is not"):
        load(data, seed=0)


def downloaded(name, root, part):
    """As torchvision's set, with three pictures of noise: grey of 28 x 28, or RGB of 32 x 32."""
    shape = (28, 28) if name == "fashion_mnist" else (32, 32, 3)
    noise = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
    rows = [(Image.fromarray(picture), label) for picture, label in zip(noise, (0, 0, 1))]
    return type("Rows", (list,), {"classes": ["one", "two"]})(rows)


SETS = {"mnist5k": {}, "color_shapes": {}, "cifar10": {"root": "."}, "cifar100": {"root": "."}}
SETS |= {"fashion_mnist": {"root": "."}, "image_folder": {"root": ".", "image_size": 32}}


@pytest.mark.parametrize("name", SETS)
def test_a_picture_is_prepared_as_evaluation_sees_it(tmp_path, monkeypatch, name):
    """Bit for bit, for every kind of set, by what network.json keeps of the preparation."""
    monkeypatch.setattr(module, "torchvision_dataset", downloaded)
    monkeypatch.chdir(tmp_path)
    folders(tmp_path, {"train": 2, "test": 1})
    file = tmp_path / "test/cat/test0.png"
    noise = np.random.default_rng(0).integers(0, 256, (45, 61, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file)
    splits = load(Data(name=name, validation=0, **SETS[name]), seed=0)
    image = splits.test[0][0]
    if name != "image_folder":
        pixels = (255 * image).round()
        image = pixels / 255  # drawn shapes have values between bytes
        F.to_pil_image(pixels.byte()).save(file)
    kept = json.loads(json.dumps(asdict(splits.preparation)))
    assert torch.equal(Preparation(**kept | {"size": tuple(kept["size"])}).read(file), image)
