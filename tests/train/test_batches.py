"""Batches: a pure function of the number, every example once an epoch, equal with workers and over processes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import Dataset

from dlbook.data import color_shapes
from dlbook.train import batches as module
from dlbook.train.batches import Batches, evaluation_batches
from tests.oracles.seeded import edited


class Numbers(Dataset):
    """Example i is an image full of i, with noise where it is drawn."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return torch.full((1, 2, 2), float(index)), index % 3

    def draw(self, index, generator):
        return self[index][0] + torch.rand(1, generator=generator), index % 3


def jitter(batch, generator):
    return batch | {"images": batch["images"] + torch.rand(batch["images"].shape, generator=generator)}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(8, 60), size=st.integers(1, 4), world=st.integers(1, 2), seed=st.integers(0, 3))
def test_an_epoch_holds_each_example_at_most_once(count, size, world, seed):
    ranks = [Batches(Numbers(count), size, seed, rank=rank, world_size=world) for rank in range(world)]
    per_epoch = ranks[0].per_epoch
    assert per_epoch == count // (size * world)
    for epoch in range(2):
        seen = [
            index
            for source in ranks
            for number in range(per_epoch)
            for index in source.indices(epoch * per_epoch + number)
        ]
        assert len(set(seen)) == len(seen) == per_epoch * size * world and set(seen) <= set(range(count))


def check_pure(batches_class):
    """Batch n is the same whenever, in whatever order, and by however many workers it is fetched."""
    in_order = batches_class(Numbers(20), 4, seed=3, transform=jitter)
    expected = [in_order(number) for number in range(12)]
    jumping = batches_class(Numbers(20), 4, seed=3, transform=jitter)
    assert all(same(jumping(number), expected[number]) for number in (7, 8, 2, 2, 11, 0))


def check_differs(batches_class):
    """Epochs, seeds, examples and processes have random numbers and orders of their own."""
    source = batches_class(Numbers(20), 20, seed=3)
    assert source.indices(0) != source.indices(1) != batches_class(Numbers(20), 20, seed=4).indices(1)
    noise = torch.stack([source(n)["images"][:, 0, 0, 0] - source(n)["indices"] for n in range(3)])
    assert len(noise.unique()) == 60
    ranks = [
        batches_class(Numbers(20), 5, seed=0, transform=jitter, rank=rank, world_size=2) for rank in range(2)
    ]
    jitters = [rank(0)["images"][0, 0, 0, 1] - rank(0)["images"][0, 0, 0, 0] for rank in ranks]
    assert (jitters[0] - jitters[1]).abs() > 1e-3


def test_pure_and_different():
    check_pure(Batches)
    check_differs(Batches)


def test_workers_change_nothing():
    alone, helped = Batches(Numbers(20), 4, seed=3), Batches(Numbers(20), 4, seed=3, workers=2)
    assert all(same(alone(number), helped(number)) for number in (3, 4, 5, 0))


def test_two_processes_make_one_batch():
    whole = Batches(color_shapes(40), 8, seed=1)
    parts = [Batches(color_shapes(40), 4, seed=1, rank=rank, world_size=2) for rank in range(2)]
    for number in (0, 1, 6):
        joined = torch.cat([part(number)["indices"] for part in parts])
        assert sorted(joined.tolist()) == sorted(whole(number)["indices"].tolist())


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 30), size=st.integers(1, 7), world=st.integers(1, 4))
def test_evaluation_sees_each_example_once(count, size, world):
    shares = [
        list(evaluation_batches(Numbers(count), size, rank=rank, world_size=world)) for rank in range(world)
    ]
    seen = [
        i
        for share in shares
        for batch in share
        if batch.get("counted", True)
        for i in batch["indices"].tolist()
    ]
    assert sorted(seen) == list(range(count))
    assert len({len(share) for share in shares}) == 1


def test_images_and_labels_stay_together():
    shapes = color_shapes(30)
    batch = Batches(shapes, 10, seed=2)(4)
    assert torch.equal(batch["images"], shapes.images[batch["indices"]]) and torch.equal(
        batch["labels"], shapes.labels[batch["indices"]]
    )


@pytest.mark.parametrize(
    "bad",
    [{"batch_size": 0}, {"batch_size": 21}, {"batch_size": 2, "rank": 1}, {"batch_size": 2, "workers": -1}],
)
def test_bad_arguments(bad):
    with pytest.raises(ValueError, match="expected"):
        Batches(Numbers(20), **bad)


def test_images_of_two_shapes_are_named():
    class Mixed(Numbers):
        def draw(self, index, generator):
            return torch.zeros(1, 2, 3 if index == 5 else 2), 0

    with pytest.raises(ValueError, match="example 5"):
        source = Batches(Mixed(6), 6)
        source(0)


FAULTS = {
    "one order for all epochs": ('"order", epoch,', '"order", 0,'),
    "seed forgotten": ("(self.seed, *key,", "(0, *key,"),
    "transform's random numbers go on": (
        '"transform", number, self.rank',
        '"transform", torch.rand(()).item()',
    ),
    "the same random numbers in every process": ('"transform", number, self.rank', '"transform", number'),
    "stale batches after a jump": ("if number != self._next:", "if self._next < 0:"),
    "random numbers of an example the same in each epoch": ('"example", epoch, index', '"example", index'),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    scope = edited(module, *FAULTS[fault])
    with pytest.raises(AssertionError):
        check_pure(scope["Batches"])
        check_differs(scope["Batches"])


def test_what_the_data_set_gave_can_be_seen_without_disturbing_the_order():
    plain, jittered = Batches(Numbers(30), 4, seed=1), Batches(Numbers(30), 4, seed=1, transform=jitter)
    first = jittered(0)
    assert (
        same(jittered.untransformed(9), plain(9))
        and same(jittered.untransformed(0), plain(0))
        and not same(first, plain(0))
    )
    assert jittered._next == 1 and same(jittered(1), Batches(Numbers(30), 4, seed=1, transform=jitter)(1))
