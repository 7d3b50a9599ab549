"""Which images are trained on, held out and reported."""

import pytest
import torch

from dlbook.data import color_shapes, mnist5k
from dlbook.recipes.run.config import RunConfig, resolve
from dlbook.recipes.run.data import load, split
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
