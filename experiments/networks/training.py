"""How a small row is trained, asked and timed: one recipe for all, of which only the rate differs.

>>> Recipe().wider((3e-4, 1e-3, 3e-3, 1e-2), below=False, above=True)
(0.0003, 0.001, 0.003, 0.01, 0.0316)
"""

import hashlib
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from dlbook.augment.geometric import random_flip
from dlbook.book.budget import device
from dlbook.data import LabelledImages, cluttered_shapes
from dlbook.optim import AdamW, decay_groups
from dlbook.optim.cycles import one_cycle
from dlbook.supervised.cross_entropy import CrossEntropy
from dlbook.train.batches import Batches, Pool, View
from dlbook.train.evaluate import evaluate
from dlbook.train.trainer import NonFiniteLoss, Trainer
from experiments.networks.small_rows import ROWS, SIDE
from experiments.networks.start import begin

__all__ = ["Data", "Recipe", "pictures_hash", "speed_of", "structure", "train"]


@dataclass(frozen=True)
class Data:
    """How many pictures there are to train, to choose the rate and to test; each set has its own seed."""

    train: int = 4000
    validation: int = 1000
    test: int = 2000
    label: str = "both"

    @cached_property
    def sets(self) -> dict[str, LabelledImages]:
        """{part: its pictures}, drawn when first asked for."""
        sizes = (("train", self.train), ("validation", self.validation), ("test", self.test))
        return {part: cluttered_shapes(n, seed, self.label) for seed, (part, n) in enumerate(sizes)}

    @cached_property
    def pictures_hash(self) -> str:
        """The hash of all sets; every run's definition has it, and it reads every pixel."""
        return pictures_hash(self.sets)

    @property
    def num_classes(self) -> int:
        """K."""
        return len(self.sets["train"].classes)


@dataclass(frozen=True)
class Recipe:
    """How every network is trained; only the rate differs."""

    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)  # the largest rate of the cycle, ascending
    widenings: int = 2  # of a network's grid, on each side
    epochs: int = 12
    batch_size: int = 32
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    start: str = "He's rule"  # what `experiments.networks.start` does; its name, for the record
    layer_scale: float = 1.0
    # Of the pixels, roughly. Taken off: with pixels from 0 to 1 the MLP's units died, at every rate.
    mean: float = 0.5
    spread: float = 0.25

    def standard(self, images: Tensor) -> Tensor:
        """Return the images with pixels of about mean 0 and spread 1."""
        return (images - self.mean) / self.spread

    def augmented(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the images of a training batch, some of them mirrored, some upside down, some both."""
        return self.standard(random_flip(random_flip(images, generator), generator, vertical=True))

    def wider(self, rates: Sequence[float], below: bool, above: bool) -> tuple[float, ...]:
        """Add a rate below the grid, above it, or both, as far as the widenings go."""
        step = 10**0.5
        lower, upper = [rates[0] / step] * below, [rates[-1] * step] * above
        low_end, high_end = self.rates[0] / step**self.widenings, self.rates[-1] * step**self.widenings
        new = (*lower, *rates, *upper)
        return tuple(float(f"{r:.3g}") for r in new if low_end * 0.9 < r < high_end * 1.1)


def structure(name: str, num_classes: int) -> str:
    """A hash of the modules of a network with their settings, and of the shapes of its parameters."""
    with torch.device("meta"):
        model = ROWS[name].fresh(num_classes)
    shapes = [(name, tuple(p.shape)) for name, p in model.named_parameters()]
    return hashlib.sha256(f"{model}{shapes}".encode()).hexdigest()[:16]


def pictures_hash(sets: Mapping[str, LabelledImages]) -> str:
    """A hash of all labels, and of mean and spread of the pixels, which are the same on every machine when
    they are rounded.
    """
    told = {
        part: (each.labels.tolist(), f"{each.images.mean():.3f}", f"{each.images.std():.3f}")
        for part, each in sets.items()
    }
    return hashlib.sha256(str(told).encode()).hexdigest()[:16]


def train(name: str, rate: float, seed: int, data: Data, recipe: Recipe, part: str) -> dict[str, Any]:
    """Train a network and ask it about one part of the data; a loss that is not finite scores as guessing."""
    torch.manual_seed(seed)
    # Channels last: depthwise convolutions, forward and backward, take half the processor time so.
    model = begin(ROWS[name].fresh(data.num_classes), recipe.layer_scale)
    model = model.to(device(), memory_format=torch.channels_last)
    method = CrossEntropy(model)
    pool = Pool(data.sets["train"], recipe.batch_size, {"images": View(step=recipe.augmented)})
    batches = Batches(pool, seed=seed, device=device())
    steps = recipe.epochs * (data.train // recipe.batch_size)
    optimizer = AdamW(decay_groups(method, recipe.weight_decay), lr=rate)
    trainer = Trainer(method, optimizer, one_cycle(steps), batches, clip_norm=recipe.clip_norm)
    start = time.process_time()
    try:
        trainer.fit(steps)
        seconds = time.process_time() - start
        answers = evaluate(model, parts_of(data.sets[part], recipe), data.num_classes)
    except NonFiniteLoss:
        seconds = time.process_time() - start
        answers = {"accuracy": 100 / data.num_classes, "loss": math.inf}
    last_epoch = (
        trainer.log["loss"][-(steps // recipe.epochs) :] if trainer.step else torch.tensor([math.inf])
    )
    return {
        "accuracy": round(answers["accuracy"], 3),
        "loss": _finite(answers["loss"]),
        "training_loss": _finite(last_epoch.mean().item()),
        "steps": trainer.step,
        "processor_seconds": round(seconds, 2),  # of the training alone
    }


def _finite(loss: float) -> float | None:
    """A loss as JSON can say it; None for what is not finite."""
    return round(loss, 5) if math.isfinite(loss) else None


def parts_of(images: LabelledImages, recipe: Recipe, size: int = 250) -> list[dict[str, Tensor]]:
    """Cut a set into batches as the networks read them, on the device that trains."""
    return [
        {"images": recipe.standard(x).to(device()), "labels": y.to(device())}
        for x, y in zip(images.images.split(size), images.labels.split(size), strict=True)
    ]


@torch.no_grad()
def speed_of(model: nn.Module, pictures: int = 100, rounds: int = 9) -> dict[str, float]:
    """Processor seconds for one forward pass of 100 pictures: the median of nine, after one to warm up."""
    model.eval().to(memory_format=torch.channels_last)
    images = torch.rand(pictures, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    images = images.to(memory_format=torch.channels_last)
    found = []
    for _ in range(rounds + 1):
        start = time.process_time()
        model(images)
        found.append(time.process_time() - start)
    return {"forward_seconds": round(statistics.median(found[1:]), 5)}
