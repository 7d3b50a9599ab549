"""What a network believes of images whose labels it never saw, and what of it is true: mask rate, precision,
confident mistakes.

The health of a semi-supervised run is read from these. All shares are in per cent; each is computed for every
look at the run and every seed, whatever axes come before the images.

>>> import torch
>>> found = Beliefs(torch.tensor([0.99, 0.97, 0.60]), torch.tensor([1, 2, 0]), torch.tensor([1, 0, 0]))
>>> [round(value.item(), 1) for value in (found.mask_rate(0.95), found.precision(0.95), found.right())]
[66.7, 50.0, 66.7]
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Beliefs", "class_ring", "places_on_ring"]


@dataclass(frozen=True)
class Beliefs:
    """Confidence and guess for each image.

    Attributes:
        confidence: [..., N], probability of the guess, from 0 to 1.
        guesses: [..., N], classes.
        truth: [N], the labels.
    """

    confidence: Tensor
    guesses: Tensor
    truth: Tensor

    def __post_init__(self) -> None:
        shapes = [tuple(value.shape) for value in (self.confidence, self.guesses, self.truth)]
        if shapes[0] != shapes[1] or len(shapes[2]) != 1 or shapes[0][-1:] != shapes[2]:
            raise ValueError(
                f"expected confidence and guesses [..., N] and truth [N], got {shapes}; "
                "probs.max(-1) gives the first two"
            )

    @classmethod
    def of(cls, probs: Tensor, truth: Tensor) -> "Beliefs":
        """What probabilities [..., N, K] say: the most probable class, and its probability."""
        return cls(*probs.max(-1), truth)

    @property
    def wrong(self) -> Tensor:
        """Whether each guess is wrong, [..., N]."""
        return self.guesses != self.truth

    def at(self, look: int) -> "Beliefs":
        """The same at one look, [..., N] from [..., looks, N]; -1 is the last."""
        return Beliefs(self.confidence[..., look, :], self.guesses[..., look, :], self.truth)

    def right(self) -> Tensor:
        """Share of right guesses, [...]."""
        return _share(~self.wrong)

    def sure(self) -> Tensor:
        """Mean confidence, [...]."""
        return 100 * self.confidence.double().mean(-1)

    def sure_of_wrong(self) -> Tensor:
        """Mean confidence of the wrong guesses, [...]; NaN where there are none."""
        return self._mean_confidence(self.wrong)

    def mask_rate(self, threshold: float) -> Tensor:
        """Share of the images whose confidence is the threshold or more, [...]."""
        return _share(self.confidence >= threshold)

    def precision(self, threshold: float) -> Tensor:
        """Share of right guesses among those at or above the threshold, [...]; NaN where there are none."""
        return 100 - 100 * self.confident_mistakes(threshold) / self.mask_rate(threshold)

    def promised(self, threshold: float) -> Tensor:
        """The precision if the network were calibrated: mean confidence at or above the threshold, [...]."""
        return self._mean_confidence(self.confidence >= threshold)

    def confident_mistakes(self, threshold: float) -> Tensor:
        """Share of all images whose guess is wrong and at or above the threshold, [...]."""
        return _share(self.wrong & (self.confidence >= threshold))

    def sure_share_of_mistakes(self, threshold: float) -> Tensor:
        """Share of the wrong guesses that are at or above the threshold, [...]; NaN where none is wrong."""
        return 100 * self.confident_mistakes(threshold) / _share(self.wrong)

    def corrected_mistakes(self, early: int, late: int) -> Tensor:
        """Of the guesses wrong at the look `early`, the share that is right at `late`, [...].

        The looks are the axis before the images. NaN where none was wrong.
        """
        before, after = self.at(early), self.at(late)
        return 100 * (before.wrong & ~after.wrong).sum(-1) / before.wrong.sum(-1)

    def kept_mistakes(self, early: int, late: int) -> Tensor:
        """Of the guesses wrong at the look `early`, the share that is the same wrong class at `late`, [...].

        The looks are the axis before the images. NaN where none was wrong.
        """
        before, after = self.at(early), self.at(late)
        return 100 * (before.wrong & (before.guesses == after.guesses)).sum(-1) / before.wrong.sum(-1)

    def _mean_confidence(self, of: Tensor) -> Tensor:
        return 100 * (self.confidence.double() * of).sum(-1) / of.sum(-1)


def class_ring(num_classes: int) -> Tensor:
    """Places of the classes on a circle of radius one, clockwise from the top, [K, 2]."""
    angles = torch.arange(num_classes, dtype=torch.float64) * (2 * math.pi / num_classes)
    return torch.stack([angles.sin(), angles.cos()], dim=1)


def places_on_ring(probs: Tensor) -> Tensor:
    """Place each image between the classes of `class_ring`: every class pulls by the root of its probability.

    Args:
        probs: [..., K], from 0 to 1.

    Returns:
        [..., 2], in float64: at a class if that is certain, in the middle if all are equal.
    """
    pull = probs.double().sqrt()
    return pull / pull.sum(-1, keepdim=True) @ class_ring(probs.shape[-1])


def _share(holds: Tensor) -> Tensor:
    return 100 * holds.double().mean(-1)
