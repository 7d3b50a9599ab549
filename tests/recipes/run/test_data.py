"""Which images are trained on, held out and reported."""

import pytest
import torch
from PIL import Image

from dlbook.data import color_shapes, mnist5k
from dlbook.recipes.run import data as module
from dlbook.recipes.run.config import Data, RunConfig, resolve
from dlbook.recipes.run.data import load, split
from tests.oracles.seeded import edited
from tests.recipes.run.small_run import config


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
        ValueError, match="class 1: expected two examples or more to hold one out, got 1; add images"
    ):
        split(torch.tensor([0, 0, 1]), 0.5, seed=0)


def test_test_images_are_never_trained_on(tmp_path):
    splits = load(config(tmp_path, "data.limit=null").data, seed=0)
    seen = {image.numpy().tobytes() for part in (splits.train, splits.validation) for image in part.images}
    assert len(seen) >= 3990 and not any(image.numpy().tobytes() in seen for image in splits.test.images)


def test_shapes_have_three_channels():
    splits = load(resolve(RunConfig, {"model": {"name": "x"}, "data": {"name": "color_shapes"}}).data, 0)
    assert splits.in_channels == 3 and splits.classes == color_shapes(1).classes


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
    "held out and trained on": ("else chosen[: data.limit]\n", "else train.labels.argsort()[: data.limit]\n"),
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
