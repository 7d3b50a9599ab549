"""Batches as a pure function of their number, fetched ahead by worker processes where that helps.

The trainer asks for batch 0, 1, 2, ...; a resumed run asks from where it stopped. Since batch i depends on
nothing but (seed, i), the order of the data is no state, and a resumed run sees what the uninterrupted one
would have seen. Each pool is walked without end: a shuffled round through all of its examples, then another
round in a new order. Batch i takes the next examples of each walk. So a pool may be smaller than a batch, and
no example is left out. With several processes each takes every world_size-th example of the same walk, so
that their batches together are one batch of world_size times the size.

>>> from dlbook.data import color_shapes
>>> batches = Batches(Pool(color_shapes(20), size=8), seed=0)
>>> batches.per_epoch, tuple(batches(3)["images"].shape)
(2, (8, 3, 32, 32))
>>> bool((batches(3)["images"] == batches(3)["images"]).all())
True

A labelled pool beside an unlabelled one, with two views:

>>> from dlbook.augment import digits
>>> views = {"weak": View(step=digits.weak), "strong": View(step=digits.strong)}
>>> labelled = Pool(color_shapes(4), size=8, views={"labelled": View(step=digits.weak)}, indices=None)
>>> unlabelled = Pool(color_shapes(20), size=16, views=views, labels=None)
>>> {name: len(value) for name, value in Batches(labelled, unlabelled, seed=0)(5).items()}
{'labelled': 8, 'labels': 8, 'weak': 16, 'strong': 16, 'indices': 16}
"""

import functools
import itertools
import pickle
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from dlbook.train.pools import Batch, Place, Pool, View, examples, generator_of

__all__ = ["Batch", "Batches", "Pool", "Transform", "View", "evaluation_batches", "generator_of"]

Transform = Callable[[Batch, Generator], Batch]


class Batches:
    """Training batches on `device`: the views, labels and indices of all pools, in one mapping.

    Args:
        pools: what a batch is made of; their names in the batch differ.
        seed: of the orders, crops, steps and of the transform's random numbers.
        transform: (batch, generator) -> batch, after the steps of the views; for what mixes examples. Its
            generator, and that of each step, lives on the device and depends on (seed, number, rank) and the
            view's name only.
        workers: processes that fetch ahead; 0 fetches when asked. The batches are the same.
        rank, world_size: which share of each batch is this process's.

    Attributes:
        per_epoch: batches in a round of the pool whose round is longest; 0 if every pool is smaller than a
            batch of all processes.

    Raises:
        ValueError: no pool, two of one name, or numbers out of range.
    """

    def __init__(
        self,
        *pools: Pool,
        seed: int = 0,
        transform: Transform | None = None,
        workers: int = 0,
        rank: int = 0,
        world_size: int = 1,
        device: str | torch.device = "cpu",
    ) -> None:
        _require_ranks(workers, rank, world_size)
        names = [name for pool in pools for name in pool.names()]
        if not pools or len(set(names)) < len(names):
            raise ValueError(
                f"expected one pool or more, and each name once in a batch, got {names or 'no pool'}; "
                "give views, labels and indices names of their own"
            )
        self.pools, self.seed, self.transform = pools, seed, transform
        self.workers, self.rank, self.world_size = workers, rank, world_size
        self.device = torch.device(device)
        self.per_epoch = max(len(pool.dataset) // (pool.size * world_size) for pool in pools)
        self._order = functools.lru_cache(maxsize=2 * len(pools))(self._shuffled)
        self._next, self._fetched = -1, iter(())

    def __call__(self, number: int) -> Batch:
        """Batch `number`, counted from 0 over all epochs."""
        if number != self._next:
            self._fetched = self._fetch_from(number)
        self._next = number + 1
        fetched = next(self._fetched)
        batch = {name: value.to(self.device, non_blocking=True) for name, value in fetched.items()}
        for pool in self.pools:
            for name, view in pool.views.items():
                batch[name] = self._viewed(batch[name], pool, name, view, number)
        if self.transform is None:
            return batch
        return self.transform(batch, self._generator("transform", number, self.rank))

    def places(self, number: int, pool: Pool) -> list[Place]:
        """Say which examples of a pool batch `number` holds: (round, index) of each."""
        count = pool.size * self.world_size
        mine = range(number * count + self.rank, (number + 1) * count, self.world_size)  # steps of the walk
        walk = (divmod(step, len(pool.dataset)) for step in mine)  # round, and place in that round
        return [(turn, self._order(pool.name, len(pool.dataset), turn)[place]) for turn, place in walk]

    def indices(self, number: int) -> list[int]:
        """Say which examples of the first pool batch `number` holds, `[B]`."""
        return [index for _, index in self.places(number, self.pools[0])]

    def untransformed(self, number: int) -> Batch:
        """Batch `number` as the data sets give it; fetching in order is not disturbed."""
        return _Fetch(self.pools, self.seed).__getitems__(self._all_places(number))

    def _all_places(self, number: int) -> list[list[Place]]:
        return [self.places(number, pool) for pool in self.pools]

    def _shuffled(self, name: str, length: int, turn: int) -> list[int]:
        """The order of one round through a pool."""
        return torch.randperm(length, generator=generator_of(self.seed, "order", name, turn)).tolist()

    def _viewed(self, images: Tensor, pool: Pool, name: str, view: View, number: int) -> Tensor:
        """Crop the images in memory, and take the view's step."""
        steps = [view.step] if pool.cuts_files else [view.crop, view.step]
        generator = None
        for step in filter(None, steps):
            generator = generator or self._generator("view", name, number, self.rank)
            images = step(images, generator)
        return images

    def _fetch_from(self, number: int) -> Iterator[Batch]:
        if self.workers == 0 and (self.device.type == "cpu" or self._on_device()):
            return map(self.untransformed, itertools.count(number))  # a loader would cost more than the batch
        loader = DataLoader(
            _Caught(_Fetch([pool.without_steps() for pool in self.pools], self.seed)),
            batch_sampler=_From(self, number),
            num_workers=self.workers,
            collate_fn=_as_fetched,
            worker_init_fn=_leave_ctrl_c,
            pin_memory=self.device.type == "cuda" and not self._on_device(),
            generator=Generator(),
        )
        return _raised(loader)

    def _on_device(self) -> bool:
        """Whether the images lie on the device already."""
        images = [getattr(pool.dataset, "images", None) for pool in self.pools]
        return any(isinstance(held, Tensor) and held.device.type == self.device.type for held in images)

    def _generator(self, *key: object) -> Generator:
        return generator_of(self.seed, *key, device=self.device)


class _From(Sampler):
    """The places of batch `number`, `number` + 1, ... without end."""

    def __init__(self, batches: Batches, number: int) -> None:
        self.batches, self.number = batches, number

    def __iter__(self) -> Iterator[list[list[Place]]]:
        return map(self.batches._all_places, itertools.count(self.number))


class _Fetch(Dataset):
    """Whole batches by their places, which is what a DataLoader asks for by `__getitems__`."""

    def __init__(self, pools: list[Pool] | tuple[Pool, ...], seed: int) -> None:
        self.pools, self.seed = pools, seed

    def __getitems__(self, places: list[list[Place]]) -> Batch:
        batch: Batch = {}
        for pool, chosen in zip(self.pools, places, strict=True):
            batch |= pool.fetch(chosen, self.seed)
        return batch

    def __len__(self) -> int:
        return sum(len(pool.dataset) for pool in self.pools)


class _InOrder(Dataset):
    """The examples of one set as they are, many at once."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __getitems__(self, indices: list[int]) -> Batch:
        return examples(self.dataset, indices)

    def __len__(self) -> int:
        return len(self.dataset)


class _Caught(Dataset):
    """Answers with the error where a set refuses an example: a DataLoader that sees a worker raise makes the
    worker's traceback the message, and the sentence is its last line.
    """

    def __init__(self, dataset: _Fetch | _InOrder) -> None:
        self.dataset = dataset

    def __getitems__(self, asked: list) -> Batch | Exception:
        try:
            return self.dataset.__getitems__(asked)
        except (ValueError, OSError) as error:
            error.add_note(traceback.format_exc())  # an uncaught error still shows the line of the set
            return pickle.loads(pickle.dumps(error))  # raises here what could not be sent

    def __len__(self) -> int:
        return len(self.dataset)


def _raised(answers: Iterable[Batch | Exception]) -> Iterator[Batch]:
    """The batches of a loader; what its workers answered instead is raised here."""
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
        yield answer


def _as_fetched(batch: Batch) -> Batch:
    """What was fetched is a batch already. A lambda could not be sent to a worker that is not forked."""
    return batch


def _leave_ctrl_c(worker: int) -> None:
    """Ctrl-C reaches every process of a terminal; the one that trains ends its workers itself. SIGTERM has to
    stay as it is: by it a DataLoader ends those that hang.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _require_ranks(workers: int, rank: int, world_size: int) -> None:
    if workers < 0 or not 0 <= rank < world_size:
        raise ValueError(
            f"expected workers >= 0 and 0 <= rank < world_size, got {workers} and rank {rank} of "
            f"{world_size}; "
            "0 workers fetch in this process, rank 0 of 1 takes whole batches"
        )


def evaluation_batches(
    dataset: Dataset,
    batch_size: int,
    *,
    workers: int = 0,
    rank: int = 0,
    world_size: int = 1,
    device: str | torch.device = "cpu",
) -> Iterator[Batch]:
    """All examples once, in order; with several processes each example goes to exactly one, so that none
    counts twice.

    `torch.utils.data.DistributedSampler` pads to equal shares and so evaluates some examples twice; shares
    here differ by one. All processes get equally many batches, since a sharded network answers only when all
    of them ask: one that has no more examples gets the first of the set, with "counted": False. Raises
    ValueError for numbers out of range.
    """
    _require_ranks(workers, rank, world_size)
    if batch_size < 1:
        raise ValueError(f"expected batch_size >= 1, got {batch_size}; 500 is common for evaluation")
    mine = range(rank, len(dataset), world_size)
    chunks = [list(mine[start : start + batch_size]) for start in range(0, len(mine), batch_size)]
    largest = len(range(0, len(dataset), world_size))  # the share of rank 0
    rounds = -(-largest // batch_size)
    loader = DataLoader(
        _Caught(_InOrder(dataset)),
        batch_sampler=chunks + [[0]] * (rounds - len(chunks)),
        num_workers=workers,
        collate_fn=_as_fetched,
        worker_init_fn=_leave_ctrl_c,
        generator=Generator(),
    )
    for number, batch in enumerate(_raised(loader)):
        batch = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
        yield batch if number < len(chunks) else batch | {"counted": False}
