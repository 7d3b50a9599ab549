"""Semi-supervised learning of digits: batches of views, a method, a schedule and the trainer, put together.

FixMatch's protocol (Sohn et al. 2020, arXiv:2001.07685, sections 2.4 and 4.1), at a size for two cores: a few
labelled images per class, all images as unlabelled ones (the labelled among them), SGD with Nesterov
momentum, cos(7 pi k / 16 K), and the moving average of the weights evaluated.

>>> images, labels = torch.rand(20, 1, 28, 28), torch.arange(20) % 10
>>> batches = SemiBatches(images, labels, labelled=torch.arange(10), sizes=(10, 4), seed=0)
>>> {name: tuple(value.shape) for name, value in batches(3).items()}["strong"]
(4, 1, 28, 28)
>>> bool((batches(3)["weak"] == batches(3)["weak"]).all())                   # a pure function of its number
True
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor, nn

from dlbook.augment import digits as augment
from dlbook.optim.schedules import cosine_fraction
from dlbook.train.method import Method
from dlbook.train.trainer import Trainer

__all__ = ["Recipe", "SemiBatches", "Watch", "accuracy", "make_trainer", "train"]

View = Callable[[Tensor, Generator], Tensor]


class SemiBatches:
    """Labelled and unlabelled views; batch i is a pure function of (seed, i), so nothing is lost when a run
    is resumed.

    Both pools are walked in random order, a new order each time round. Every view has its own random numbers.

    Args:
        images: `[N, C, H, W]`, all of them, on the device where training happens.
        labels: `[N]`; only those at `labelled` are ever given out.
        labelled: indices of the labelled images; they are unlabelled images as well.
        sizes: (B, mu B).
        seed: of order and views.
        views: name of a view of the unlabelled images -> how it is made; () gives no unlabelled images.
        labelled_view: how the labelled images' view is made.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        labelled: Tensor,
        sizes: tuple[int, int],
        seed: int,
        views: dict[str, View] | None = None,
        labelled_view: View = augment.weak,
    ) -> None:
        if min(sizes) < 1:
            raise ValueError(
                f"expected a positive number of labelled and of unlabelled images a batch, got {sizes}"
            )
        self.images, self.labels, self.labelled = images, labels[labelled], labelled
        self.sizes, self.seed, self.labelled_view = sizes, seed, labelled_view
        self.views = {"weak": augment.weak, "strong": augment.strong} if views is None else views
        self._orders: dict[tuple[str, int], Tensor] = {}

    def __call__(self, number: int) -> dict[str, Tensor]:
        """Batch `number`: labelled, labels, indices of the unlabelled images, and each view of them by its
        name.
        """
        chosen = self._walk("labelled", len(self.labelled), self.sizes[0], number)
        indices = self._walk("unlabelled", len(self.images), self.sizes[1], number)
        picture = self.images[self.labelled[chosen]]
        batch = {
            "labelled": self.labelled_view(picture, self._generator("labelled view", number)),
            "labels": self.labels[chosen],
            "indices": indices.to(self.images.device),
        }
        for name, view in self.views.items():
            batch[name] = view(self.images[indices], self._generator(name, number))
        return batch

    def _generator(self, purpose: str, number: int, device: torch.device | None = None) -> Generator:
        key = hashlib.sha256(f"{self.seed} {purpose} {number}".encode()).digest()
        return Generator(device or self.images.device).manual_seed(int.from_bytes(key[:4], "little"))

    def _walk(self, pool: str, length: int, count: int, number: int) -> Tensor:
        """The places `number * count` to `(number + 1) * count - 1` of an endless walk through shuffled
        orders of the pool.
        """
        places = torch.arange(number * count, (number + 1) * count)
        rounds = places // length
        orders = torch.stack(
            [self._order(pool, length, turn) for turn in range(int(rounds[0]), int(rounds[-1]) + 1)]
        )
        return orders[rounds - rounds[0], places % length]

    def _order(self, pool: str, length: int, turn: int) -> Tensor:
        if (pool, turn) not in self._orders:
            self._orders = {
                key: order for key, order in self._orders.items() if key[0] != pool or key[1] == turn - 1
            }
            self._orders[pool, turn] = torch.randperm(
                length, generator=self._generator(pool, turn, torch.device("cpu"))
            )
        return self._orders[pool, turn]


@dataclass(frozen=True)
class Recipe:
    """One run's budget and its optimizer; the defaults are for 40 labels of MNIST-5k on two cores."""

    steps: int = 600
    labelled_batch: int = 40  # B: all of them
    unlabelled_batch: int = 80  # mu B; the paper has 448
    rate: float = 0.01  # eta; the paper has 0.03
    momentum: float = 0.9
    weight_decay: float = 5e-4
    ema_decay: float = 0.98  # the paper has 0.999 for 2^20 steps


@dataclass
class Watch:
    """What a run shows on images whose labels the method never sees, every few steps.

    `confidence`, `predicted` `[T, M]`: the average network on the watched unlabelled images, at each of the T
    looks. `accuracy` `[T]`: on the test images, per cent. `steps` `[T]`.
    """

    steps: list[int] = field(default_factory=list)
    confidence: list[Tensor] = field(default_factory=list)
    predicted: list[Tensor] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)

    def mask_rate(self, threshold: float) -> list[float]:
        """Share of the watched images at or above the threshold, at each look."""
        return [(confidence >= threshold).float().mean().item() for confidence in self.confidence]

    def precision(self, labels: Tensor, threshold: float) -> list[float]:
        """Share of right pseudo-labels among those at or above the threshold; NaN where there are none."""
        kept = [confidence >= threshold for confidence in self.confidence]
        return [(p[k] == labels[k]).float().mean().item() for p, k in zip(self.predicted, kept, strict=True)]


def make_trainer(method: Method, batches: Callable[[int], dict[str, Tensor]], recipe: Recipe) -> Trainer:
    """SGD with Nesterov momentum under FixMatch's schedule."""
    optimizer = torch.optim.SGD(
        method.param_groups(),
        lr=recipe.rate,
        momentum=recipe.momentum,
        nesterov=True,
        weight_decay=recipe.weight_decay,
    )
    return Trainer(method, optimizer, cosine_fraction(recipe.steps), batches)


@torch.no_grad()
def probabilities(model: nn.Module, images: Tensor, batch: int = 500) -> Tensor:
    """`[N, K]`, in evaluation mode; the model's mode is put back."""
    training = model.training
    model.eval()
    probs = torch.cat([model(part).softmax(dim=1) for part in images.split(batch)])
    model.train(training)
    return probs


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Per cent of the images whose most probable class is right."""
    return 100 * (probabilities(model, images).argmax(dim=1) == labels).double().mean().item()


def train(
    trainer: Trainer,
    recipe: Recipe,
    test: tuple[Tensor, Tensor],
    watched: Tensor | None = None,
    every: int | None = None,
) -> Watch:
    """Train to the end and look at the average network on the way.

    Args:
        trainer: of a method with an `ema`.
        recipe: gives the number of steps.
        test: images and labels.
        watched: unlabelled images to look at, `[M, C, H, W]`; None looks at none.
        every: steps between two looks, a divisor of the recipe's steps; None looks at the end only.

    Raises:
        ValueError: `every` does not divide the number of steps, so that the end would not be looked at.
    """
    every = every or recipe.steps
    if every < 1 or recipe.steps % every:
        raise ValueError(
            f"expected a divisor of {recipe.steps} steps, got every={every}; the last look has to "
            "be at the end"
        )
    watch = Watch()
    for step in range(every, recipe.steps + 1, every):
        trainer.fit(step)
        watch.steps.append(step)
        watch.accuracy.append(accuracy(trainer.method.ema, *test))
        if watched is not None:
            confidence, predicted = probabilities(trainer.method.ema, watched).max(dim=1)
            watch.confidence.append(confidence)
            watch.predicted.append(predicted)
    return watch
