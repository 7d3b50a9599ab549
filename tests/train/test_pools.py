"""Pools: the crops of a file depend on seed, view, round and index only; seeded faults."""

import pytest
import torch

from dlbook.train import pools as module
from dlbook.train.pools import generator_of
from tests.seeded import edited
from tests.train.test_batches import Files, Numbers


def check_crops(scope):
    """A crop is drawn with its own key, in whatever company it is fetched."""
    pool = scope["Pool"](Files(9), 3, {"one": scope["View"](2), "two": scope["View"](3)})
    places = [(0, 4), (0, 7), (1, 4)]
    together = pool.fetch(places, seed=5)
    for row, (turn, index) in enumerate(places):
        alone = pool.fetch([(turn, index)], seed=5)
        for name, crop in (("one", 2), ("two", 3)):
            noise = torch.rand(1, 2, crop, generator=generator_of(5, name, turn, index))
            assert torch.equal(together[name][row], index + noise)
            assert torch.equal(alone[name][0], together[name][row])


def test_crops():
    check_crops(vars(module))


def test_a_file_is_read_once_for_all_views():
    class Counted(Files):
        reads = 0

        def read(self, index):
            Counted.reads += 1
            return super().read(index)

    views = {f"view {number}": module.View(2) for number in range(8)}
    module.Pool(Counted(9), 3, views).fetch([(0, 1), (0, 2)], seed=0)
    assert Counted.reads == 2


@pytest.mark.parametrize("kind", [torch.int32, torch.uint8, torch.bool, torch.float32])
def test_labels_are_int64(kind):
    numbers = Numbers(6)
    numbers.labels = numbers.labels.to(kind)
    with pytest.raises(ValueError, match=f"expected labels of type int64, got a data set of {kind}; convert"):
        module.Pool(numbers, 2)
    module.Pool(numbers, 2, labels=None)  # hidden labels are looked at by nobody


def test_workers_get_no_steps():
    pool = module.Pool(Files(9), 3, {"one": module.View(2, step=lambda images, generator: images)})
    assert pool.without_steps().views == {"one": module.View(2)}


FAULTS = {
    "the same crop in every round": (
        "generator_of(seed, name, turn, index)",
        "generator_of(seed, name, index)",
    ),
    "the same crop in every view": (
        "generator_of(seed, name, turn, index)",
        "generator_of(seed, turn, index)",
    ),
    "the same crop of every file": (
        "generator_of(seed, name, turn, index)",
        "generator_of(seed, name, turn)",
    ),
    "the set's crop for every view": (", turn, index), view.crop)", ", turn, index), 2)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    with pytest.raises((AssertionError, RuntimeError)):
        check_crops(edited(module, *FAULTS[fault]))
