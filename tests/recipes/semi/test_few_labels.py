"""Runs with few labels: what the seed chooses, what the method sees, and the recipe."""

import math

import pytest
import torch

from dlbook.augment import digits
from dlbook.data import mnist5k
from dlbook.models.convnet import convnet
from dlbook.recipes.semi.few_labels import FewLabels
from dlbook.semi.fixmatch import FixMatch
from dlbook.supervised.cross_entropy import CrossEntropy

VIEWS = {"weak": digits.weak, "strong": digits.strong}


@pytest.fixture(scope="module")
def protocol():
    return FewLabels(mnist5k("test"), per_class=4, sizes=(40, 16), steps=20)


def semi(protocol, seed):
    return protocol.start(lambda: FixMatch(convnet()), seed, labelled=digits.weak, unlabelled=VIEWS)


def test_each_class_has_its_few_labels_and_the_seed_chooses_them(protocol):
    few = protocol.labelled(3)
    assert few.labels.bincount().tolist() == [4] * 10
    assert torch.equal(few.images, protocol.labelled(3).images)
    assert not torch.equal(few.images, protocol.labelled(4).images)


def test_one_seed_gives_one_run_and_another_seed_another(protocol):
    same, again, other = semi(protocol, 0), semi(protocol, 0), semi(protocol, 1)
    first, second, third = (run.method.model.head.weight for run in (same, again, other))
    assert torch.equal(first, second) and not torch.equal(first, third)
    assert torch.equal(same.batches(2)["strong"], again.batches(2)["strong"])
    assert not torch.equal(same.batches(2)["indices"], other.batches(2)["indices"])


def test_methods_of_one_seed_begin_with_the_same_weights_and_labels(protocol):
    """Fault tried: the method built before the seed is set."""
    torch.rand(7)
    plain = protocol.start(lambda: CrossEntropy(convnet()), 0, labelled=None)
    few = protocol.labelled(0)
    assert torch.equal(plain.method.model.head.weight, semi(protocol, 0).method.model.head.weight)
    assert any(torch.equal(plain.batches(0)["images"][0], image) for image in few.images)


def test_no_label_of_an_unlabelled_image_reaches_the_method(protocol):
    """Fault tried: labels of the unlabelled pool under the name of the labelled ones."""
    batch = semi(protocol, 0).batches(0)
    assert {name: len(value) for name, value in batch.items()} == {
        "labelled": 40,
        "labels": 40,
        "weak": 16,
        "strong": 16,
        "indices": 16,
    }
    assert batch["labels"].bincount().tolist() == [4] * 10  # the batch holds each labelled image once


def test_the_labelled_images_can_be_given(protocol):
    few = protocol.labelled(0)
    few = few.subset(few.labels != 9)
    run = protocol.start(lambda: CrossEntropy(convnet()), 0, labelled=None, few=few)
    assert 9 not in run.batches(0)["labels"]


def test_the_rate_ends_at_a_fifth(protocol):
    """Faults tried: a cosine that ends at zero, and the default number of steps."""
    run = semi(protocol, 0)
    run.fit(20)
    last = 0.01 * math.cos(7 * math.pi * 19 / (16 * 20))
    assert math.isclose(run.optimizer.param_groups[0]["lr"], last)
