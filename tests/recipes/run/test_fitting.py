"""What does not fit the data or the network is refused before the run, with its key."""

import pytest
from PIL import Image

from dlbook.recipes.run.build import build
from tests.recipes.run.small_run import config

SEMI = ("method.name=pseudo_label", "data.labels_per_class=1", "augment.policy=shift", "data.batch_size=2")


def pictures(folder, *parts):
    """Three pictures of each class in each part."""
    for part in parts:
        (folder / part).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (16, 16), (80 * number, 0, 0)).save(folder / part / f"{number}.png")
    return "data.name=image_folder", f"data.root={folder}", "data.image_size=16", "model.name=resnet20_cifar"


def test_one_class_is_refused(tmp_path):
    asked = pictures(tmp_path / "pets", "train/cat", "val/cat")
    with pytest.raises(
        ValueError, match=r"data\.root: expected two classes or more, got 1 in .*pets \(cat\);"
    ):
        build(config(tmp_path, *asked, "data.batch_size=2", "data.limit=null"))


def test_a_share_to_hold_out_is_refused_where_there_are_validation_images(tmp_path):
    asked = pictures(tmp_path / "pets", "train/cat", "train/dog", "val/cat", "val/dog")
    for share in ("0.1", "0"):  # what it is anyway, and what is done
        build(config(tmp_path, *asked, "data.batch_size=2", f"data.validation={share}"))
    with pytest.raises(
        ValueError, match=r"data\.validation: expected to be left out, got 0\.2; .* of .*pets/val"
    ):
        build(config(tmp_path, *asked, "data.batch_size=2", "data.validation=0.2"))


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (
            ("model.name=googlenet",),
            "model.name: expected a network with one head, .* set model.name=googlenet_no_heads",
        ),
        (("data.batch_size=1",), r"data\.batch_size: expected 2 images or more .* got 1 for 1; raise it"),
        ((*SEMI, "data.unlabelled_batch_size=1"), r"data\.unlabelled_batch_size: expected 2 images or more"),
        (
            (*SEMI, "data.labels_per_class=30"),
            r"data\.labels_per_class: expected at most 12, the training .* got 30",
        ),
        (
            ("schedule.name=step", "data.batch_size=100", "trainer.epochs=1"),
            r"schedule\.milestones: expected shares that fall on different steps of this run of 1, got",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_key(tmp_path, overrides, told):
    with pytest.raises(ValueError, match=told):
        build(config(tmp_path, *overrides))


@pytest.mark.parametrize(
    "overrides",
    [
        ("data.batch_size=1", "model.name=lenet5_modern"),  # nothing in it looks at a batch
        (*SEMI, "data.batch_size=1", "data.unlabelled_batch_size=2"),
        ("data.batch_size=2", "schedule.name=step", "trainer.epochs=1"),
    ],
)
def test_what_fits_is_taken(tmp_path, overrides):
    build(config(tmp_path, *overrides))
