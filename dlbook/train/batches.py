"""Batches as a pure function of their number, fetched ahead by worker processes where that helps.

The trainer asks for batch 0, 1, 2, ...; a resumed run asks from where it stopped. Since batch i depends on
nothing but (seed, i), the order of the data is no state, and a resumed run sees what the uninterrupted one
would have seen. Each epoch is one shuffle of the whole set; the short batch at its end is left out. With
several processes each takes every world_size-th example of the same shuffle, so that their batches together
are one batch of world_size times the size.

>>> from dlbook.data import color_shapes
>>> batches = Batches(color_shapes(20), batch_size=8, seed=0)
>>> batches.per_epoch, tuple(batches(3)["images"].shape)
(2, (8, 3, 32, 32))
>>> bool((batches(3)["images"] == batches(3)["images"]).all())
True
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

__all__ = ["Batch", "Batches", "Transform", "evaluation_batches"]

Batch = dict[str, Tensor]
Transform = Callable[[Batch, Generator], Batch]


class Batches:
    """Training batches {"images": [B, C, H, W], "labels": [B], "indices": [B]} on `device`.

    Args:
        dataset: examples (image, label) by index; the images of a batch must have one shape. A data set that
            draws something for each example (a random crop of a file) has a method `draw(index, generator)`
            instead, and is given a generator that depends on (seed, epoch, index) only.
        batch_size: B, of this process.
        seed: of the order and of the transform's random numbers.
        transform: (batch, generator) -> batch, after the transfer to the device; the generator lives on the
            device and depends on (seed, number, rank) only.
        workers: processes that fetch ahead; 0 fetches when asked. The batches are the same.
        rank, world_size: which share of each batch is this process's.

    Raises:
        ValueError: numbers out of range, or fewer examples than one batch of all processes.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        seed: int = 0,
        transform: Transform | None = None,
        *,
        workers: int = 0,
        rank: int = 0,
        world_size: int = 1,
        device: str | torch.device = "cpu",
    ) -> None:
        if batch_size < 1 or workers < 0 or not 0 <= rank < world_size:
            raise ValueError(
                f"expected batch_size >= 1, workers >= 0 and 0 <= rank < world_size, "
                f"got {batch_size}, {workers}, rank {rank} of {world_size}"
            )
        self.per_epoch = len(dataset) // (batch_size * world_size)
        if self.per_epoch == 0:
            raise ValueError(
                f"expected at least {batch_size * world_size} examples for one batch, got "
                f"{len(dataset)}; make batch_size smaller"
            )
        self.dataset, self.batch_size, self.seed, self.transform = dataset, batch_size, seed, transform
        self.workers, self.rank, self.world_size, self.device = (
            workers,
            rank,
            world_size,
            torch.device(device),
        )
        self._next, self._fetched = -1, iter(())
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))

    def __call__(self, number: int) -> Batch:
        """Batch `number`, counted from 0 over all epochs."""
        if number != self._next:
            self._fetched = self._fetch_from(number)
        self._next = number + 1
        batch = next(self._fetched)
        batch = {name: value.to(self.device, non_blocking=True) for name, value in batch.items()}
        return (
            self.transform(batch, self._generator("transform", number, self.rank))
            if self.transform
            else batch
        )

    def indices(self, number: int) -> list[int]:
        """Which examples batch `number` holds, `[B]`."""
        epoch, place = divmod(number, self.per_epoch)
        if self._order[0] != epoch:
            self._order = (
                epoch,
                torch.randperm(len(self.dataset), generator=self._generator("order", epoch, device="cpu")),
            )
        start = place * self.batch_size * self.world_size
        return self._order[1][
            start + self.rank : start + self.batch_size * self.world_size : self.world_size
        ].tolist()

    def untransformed(self, number: int) -> Batch:
        """Batch `number` as the data set gives it, on the CPU; fetching in order is not disturbed."""
        epoch = number // self.per_epoch
        return collate(
            _Examples(self.dataset, self.seed).__getitems__(
                [(index, epoch) for index in self.indices(number)]
            )
        )

    def _fetch_from(self, number: int) -> Iterator[Batch]:
        if self.workers == 0 and self.device.type == "cpu":
            return map(self.untransformed, itertools.count(number))  # a loader would cost more than the batch
        loader = DataLoader(
            _Examples(self.dataset, self.seed),
            batch_sampler=_From(self, number),
            num_workers=self.workers,
            collate_fn=collate,
            pin_memory=self.device.type == "cuda",
            generator=Generator(),
        )
        return iter(loader)

    def _generator(self, *key: Any, device: str | torch.device | None = None) -> Generator:
        return generator_of(self.seed, *key, device=device or self.device)


def generator_of(*key: Any, device: str | torch.device = "cpu") -> Generator:
    """Random numbers that depend on the key alone, and are unrelated for different keys."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return Generator(device).manual_seed(int.from_bytes(digest[:4], "little"))


class _From(Sampler):
    """(index, epoch) of the examples of batch `number`, `number` + 1, ... without end."""

    def __init__(self, batches: Batches, number: int) -> None:
        self.batches, self.number = batches, number

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for number in itertools.count(self.number):
            epoch = number // self.batches.per_epoch
            yield [(index, epoch) for index in self.batches.indices(number)]


class _Examples(Dataset):
    """What a batch needs of the data set: at once where the set holds tensors, else example by example."""

    def __init__(self, dataset: Dataset, seed: int = 0) -> None:
        self.dataset, self.seed = dataset, seed

    def __getitems__(self, places: list[tuple[int, int]]) -> Any:
        if isinstance(getattr(self.dataset, "images", None), Tensor):
            indices = torch.tensor([index for index, _ in places])
            images, labels = self.dataset[indices]
            return {"images": images, "labels": labels, "indices": indices}
        return [(*self._example(index, epoch), index) for index, epoch in places]

    def _example(self, index: int, epoch: int) -> tuple[Tensor, Any]:
        if hasattr(self.dataset, "draw") and epoch >= 0:
            return self.dataset.draw(index, generator_of(self.seed, "example", epoch, index))
        return self.dataset[index]

    def __len__(self) -> int:
        return len(self.dataset)


def collate(examples: Any) -> Batch:
    """Stack examples to a batch. Raises ValueError naming the first image whose shape is not that of the
    others.
    """
    if isinstance(examples, dict):
        return examples
    images, labels, indices = zip(*examples, strict=True)
    for image, index in zip(images, indices, strict=True):
        if image.shape != images[0].shape:
            raise ValueError(
                f"expected images of one shape in a batch, got {list(images[0].shape)} (example "
                f"{indices[0]}) and {list(image.shape)} "
                f"(example {index}); crop or resize them in the data set"
            )
    return {
        "images": torch.stack(images),
        "labels": torch.tensor([int(label) for label in labels]),
        "indices": torch.tensor(indices),
    }


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
    if batch_size < 1 or workers < 0 or not 0 <= rank < world_size:
        raise ValueError(
            f"expected batch_size >= 1, workers >= 0, 0 <= rank < world_size, got {batch_size}, "
            f"{workers}, {rank}, {world_size}"
        )
    places = range(rank, len(dataset), world_size)
    chunks = [
        [(i, -1) for i in places[start : start + batch_size]] for start in range(0, len(places), batch_size)
    ]
    rounds = -(
        -len(range(0, len(dataset), world_size)) // batch_size
    )  # of rank 0, whose share is the largest
    every = chunks + [[(0, -1)]] * (rounds - len(chunks))
    loader = DataLoader(
        _Examples(dataset),
        batch_sampler=every,
        num_workers=workers,
        collate_fn=collate,
        generator=Generator(),
    )
    for number, batch in enumerate(loader):
        batch = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
        yield batch if number < len(chunks) else batch | {"counted": False}
