"""Batches: a pure function of the number, an endless walk through every pool, views with random numbers of
their own, equal with workers and over processes.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import Dataset

from dlbook.data import color_shapes
from dlbook.train import batches as module
from dlbook.train.batches import Batches, Pool, View, evaluation_batches, generator_of
from tests.seeded import edited


class Numbers(Dataset):
    """Example i is an image full of i."""

    def __init__(self, count):
        self.count = count
        self.labels = torch.arange(count) % 3

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return torch.full((1, 2, 2), float(index)), index % 3


class Files(Numbers):
    """The same as files, from which crops are cut with noise."""

    def read(self, index):
        return float(index), index % 3

    def cut(self, picture, generator, crop):
        return picture + torch.rand(1, 2, crop or 2, generator=generator)


def jitter(batch, generator):
    return batch | {"images": batch["images"] + torch.rand(batch["images"].shape, generator=generator)}


def noise(images, generator):
    return images + 0.5 * torch.rand(images.shape, generator=generator)


def two_pools(labelled=10, unlabelled=30, sizes=(4, 7), images=None):
    """A small labelled pool and an unlabelled one in two views."""
    views = {"weak": View(step=noise), "strong": View(step=noise)}
    return (
        Pool(images or Numbers(labelled), sizes[0], {"labelled": View(step=noise)}, indices=None),
        Pool(Numbers(unlabelled), sizes[1], views, labels=None),
    )


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def naive_walk(length, name, seed, count):
    """The first `count` steps of the walk through a pool: shuffled rounds, one after the other."""
    walk, turn = [], 0
    while len(walk) < count:
        walk += torch.randperm(length, generator=generator_of(seed, "order", name, turn)).tolist()
        turn += 1
    return walk[:count]


@settings(max_examples=40)
@given(
    length=st.integers(1, 40),
    size=st.integers(1, 9),
    world=st.integers(1, 3),
    seed=st.integers(0, 3),
    number=st.integers(0, 30),
)
def test_the_walk_is_the_naive_one(length, size, world, seed, number):
    """Also where a pool is smaller than a batch, and whichever batch is asked for first."""
    count = size * world
    expected = naive_walk(length, "images", seed, (number + 1) * count)[number * count :]
    for rank in range(world):
        source = Batches(Pool(Numbers(length), size), seed=seed, rank=rank, world_size=world)
        assert source.indices(number) == expected[rank::world]
        assert source.per_epoch == length // count


def check_rounds(batches_class):
    """Every round meets each example once, in an order of its own; each pool has its own walk."""
    source = batches_class(*two_pools(), seed=0)
    walk = [index for number in range(60) for index in source(number)["indices"].tolist()][: 30 * 14]
    rounds = [walk[start : start + 30] for start in range(0, len(walk), 30)]
    assert all(sorted(turn) == list(range(30)) for turn in rounds)
    assert len({tuple(turn) for turn in rounds}) == 14
    equal = batches_class(*two_pools(30, 30, (5, 5)), seed=0)
    orders = [[index for _, index in equal.places(0, pool)] for pool in equal.pools]
    assert orders[0] != orders[1]


def sources(batches_class, **more):
    """Sources with everything that is random."""
    return [
        batches_class(Pool(Files(20), 4), seed=3, transform=jitter, **more),
        batches_class(*two_pools(), seed=3, **more),
        batches_class(Pool(Files(6), 8, {"large": View(4), "small": View(2, noise)}), seed=3, **more),
    ]


def check_pure(batches_class):
    """Batch n is the same whenever and in whatever order it is asked for."""
    for in_order, jumping in zip(sources(batches_class), sources(batches_class), strict=True):
        expected = [in_order(number) for number in range(12)]
        assert all(same(jumping(number), expected[number]) for number in (7, 8, 2, 2, 11, 0))


def check_differs(batches_class):
    """Rounds, seeds, examples, views and processes have random numbers and orders of their own."""
    source = batches_class(Pool(Files(20), 20), seed=3)
    other = batches_class(Pool(Files(20), 20), seed=4)
    assert source.indices(0) != source.indices(1) != other.indices(1)
    drawn = torch.stack([source(n)["images"][:, 0, 0, 0] - source(n)["indices"] for n in range(3)])
    assert len(drawn.unique()) == 60
    ranks = [
        batches_class(Pool(Numbers(20), 5), seed=0, transform=jitter, rank=rank, world_size=2)
        for rank in range(2)
    ]
    jitters = [rank(0)["images"][0, 0, 0, 1] - rank(0)["images"][0, 0, 0, 0] for rank in ranks]
    assert (jitters[0] - jitters[1]).abs() > 1e-3
    views = batches_class(*two_pools(), seed=3)
    for number in range(3):
        batch = views(number)
        noises = [batch[name] - batch["indices"][:, None, None, None] for name in ("weak", "strong")]
        assert not torch.equal(*noises) and len(torch.cat(noises).unique()) > 50
    crops = batches_class(Pool(Files(6), 6, {"one": View(2), "two": View(2)}), seed=3)(0)
    assert not torch.equal(crops["one"], crops["two"])


def test_pure_and_different():
    check_pure(Batches)
    check_differs(Batches)
    check_rounds(Batches)


def test_workers_change_nothing():
    for alone, helped in zip(sources(Batches), sources(Batches, workers=2), strict=True):
        assert all(same(alone(number), helped(number)) for number in (3, 4, 5, 0))


@pytest.mark.parametrize("world", [2, 3])
def test_several_processes_make_one_batch(world):
    """The examples, and the crops of files: both depend on the place in the walk, not on the process."""
    views = {"large": View(4), "small": View(2)}
    whole = Batches(Pool(Files(20), 6, views), Pool(Numbers(9), 12, {"x": View()}, None, "at"), seed=1)
    parts = [
        Batches(
            Pool(Files(20), 6 // world, views),
            Pool(Numbers(9), 12 // world, {"x": View()}, None, "at"),
            seed=1,
            rank=rank,
            world_size=world,
        )
        for rank in range(world)
    ]
    for number in (0, 1, 6):
        for name, expected in whole(number).items():
            shares = [part(number)[name] for part in parts]
            joined = torch.stack(shares, dim=1).flatten(0, 1)  # rank r has the places r, r + world, ...
            assert torch.equal(joined, expected), name


def test_labels_and_views_belong_to_their_examples():
    batch = Batches(Pool(color_shapes(30), 10, {"one": View(), "two": View()}), seed=2)(4)
    shapes = color_shapes(30)
    assert torch.equal(batch["one"], shapes.images[batch["indices"]]) and torch.equal(
        batch["one"], batch["two"]
    )
    assert torch.equal(batch["labels"], shapes.labels[batch["indices"]])
    pools = (
        Pool(Numbers(10), 4, {"labelled": View()}, indices=None),
        Pool(Numbers(30), 7, {"same": View()}, labels=None),
    )
    for number in range(20):
        batch = Batches(*pools, seed=0)(number)
        assert torch.equal(batch["labelled"][:, 0, 0, 0].long() % 3, batch["labels"])
        assert torch.equal(batch["same"][:, 0, 0, 0].long(), batch["indices"])


def test_hidden_labels_cannot_be_seen():
    """Changing every label of a pool that gives none changes no batch."""
    spoiled = Numbers(30)
    spoiled.__class__ = type("Spoiled", (Numbers,), {"__getitem__": lambda self, i: (Numbers(30)[i][0], 99)})
    labelled = two_pools()[0]
    pools = [Pool(data, 7, {"weak": View(step=noise)}, labels=None) for data in (Numbers(30), spoiled)]
    one, other = (Batches(labelled, pool, seed=0) for pool in pools)
    assert all(same(one(number), other(number)) for number in range(10))


def test_crops_of_images_in_memory_are_cut_before_the_step():
    crop = lambda images, generator: images[..., :1]
    step = lambda images, generator: images + images.shape[3]
    batch = Batches(Pool(Numbers(8), 4, {"small": View(crop, step)}), seed=0)(0)
    assert batch["small"].shape == (4, 1, 2, 1)
    assert torch.equal(batch["small"][:, 0, 0, 0], batch["indices"] + 1.0)


@settings(max_examples=40)
@given(count=st.integers(1, 30), size=st.integers(1, 7), world=st.integers(1, 4))
def test_evaluation_sees_each_example_once(count, size, world):
    shares = [
        list(evaluation_batches(Numbers(count), size, rank=rank, world_size=world)) for rank in range(world)
    ]
    counted = [batch for share in shares for batch in share if batch.get("counted", True)]
    assert sorted(i for batch in counted for i in batch["indices"].tolist()) == list(range(count))
    assert len({len(share) for share in shares}) == 1


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Pool(Numbers(20), 0), "size >= 1"),
        (lambda: Pool(Numbers(0), 3), "0 examples"),
        (lambda: Pool(Numbers(3), 3, {}), "one view"),
        (lambda: Batches(Pool(Numbers(20), 2), rank=1), "rank 1 of 1"),
        (lambda: Batches(Pool(Numbers(20), 2), workers=-1), "workers >= 0"),
        (lambda: Batches(), "no pool"),
        (lambda: Batches(Pool(Numbers(3), 1), Pool(Numbers(3), 1)), "names of their own"),
        (lambda: list(evaluation_batches(Numbers(3), 0)), "batch_size >= 1"),
    ],
)
def test_bad_arguments(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def test_images_of_two_shapes_are_named():
    class Mixed(Files):
        def cut(self, picture, generator, crop):
            return torch.zeros(1, 2, 3 if picture == 5 else 2)

    with pytest.raises(ValueError, match="example 5"):
        Batches(Pool(Mixed(6), 6))(0)


def test_what_the_data_set_gave_can_be_seen_without_disturbing_the_order():
    make = lambda **more: Batches(Pool(Files(30), 4), seed=1, **more)
    plain, jittered = make(), make(transform=jitter)
    first = jittered(0)
    assert same(jittered.untransformed(9), plain(9)) and same(jittered.untransformed(0), plain(0))
    assert not same(first, plain(0))
    assert jittered._next == 1 and same(jittered(1), make(transform=jitter)(1))


FAULTS = {
    "one order for all rounds": ('"order", name, turn', '"order", name, 0'),
    "one order for all pools": ('"order", name, turn', '"order", turn'),
    "seed forgotten": ('generator_of(self.seed, "order"', 'generator_of(0, "order"'),
    "transform's random numbers go on": (
        '"transform", number, self.rank',
        '"transform", torch.rand(()).item()',
    ),
    "the same random numbers in every process": ('"transform", number, self.rank', '"transform", number'),
    "the same random numbers in every view": ('"view", name, number', '"view", number'),
    "stale batches after a jump": ("if number != self._next:", "if self._next < 0:"),
    "a round is left early": (
        "divmod(step, len(pool.dataset))",
        "divmod(step, max(1, len(pool.dataset) - 1))",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    scope = edited(module, *FAULTS[fault])
    with pytest.raises(AssertionError):
        check_pure(scope["Batches"])
        check_differs(scope["Batches"])
        check_rounds(scope["Batches"])
