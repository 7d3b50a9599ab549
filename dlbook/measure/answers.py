"""What a network answered to many images, and what can be read from it: the confusion matrix, each class by
itself, how sure it was and how often right, and its worst mistakes.

::

    recall of class k     = right guesses of k / images of k
    precision of class k  = right guesses of k / guesses of k
    F1                    = their harmonic mean

>>> logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [5.0, 0.0]])
>>> answers = Answers.of(logits, torch.tensor([0, 1, 1]))
>>> answers.confusion().tolist(), answers.mistakes().tolist()
([[1, 0], [1, 1]], [2])
>>> answers.by_class().recall.tolist()
[100.0, 50.0]
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dlbook.measure.calibration import Reliability, reliability_of

__all__ = ["Answers", "ByClass"]


@dataclass(frozen=True)
class ByClass:
    """Figures of each class, [K]; those in per cent are NaN where there is nothing to divide by.

    Attributes:
        images: how many have this label.
        recall, precision, f1: in per cent.
    """

    images: Tensor
    recall: Tensor
    precision: Tensor
    f1: Tensor


@dataclass(frozen=True)
class Answers:
    """The answers to N images.

    Attributes:
        labels: what is right, int64 [N].
        guesses: the most probable class, int64 [N].
        confidence: its probability, [N].
        nats: cross-entropy of each image, -log of the probability of the label, [N].
        num_classes: K.
    """

    labels: Tensor
    guesses: Tensor
    confidence: Tensor
    nats: Tensor
    num_classes: int

    @classmethod
    def of(cls, logits: Tensor, labels: Tensor) -> "Answers":
        """Read logits [N, K] and labels [N]; the result is on the CPU.

        Raises:
            ValueError: the shapes do not fit.
        """
        if logits.ndim != 2 or labels.shape != logits.shape[:1]:
            raise ValueError(
                f"expected logits [N, K] and labels [N], got {list(logits.shape)} and {list(labels.shape)}; "
                "give one label for each row"
            )
        confidence, guesses = logits.softmax(dim=1).max(dim=1)
        nats = F.cross_entropy(logits, labels, reduction="none")
        return cls(*(each.cpu() for each in (labels, guesses, confidence, nats)), logits.shape[1])

    @classmethod
    def joined(cls, parts: list["Answers"]) -> "Answers":
        """Put the answers to several batches behind one another."""
        names = ("labels", "guesses", "confidence", "nats")
        return cls(
            *(torch.cat([getattr(part, name) for part in parts]) for name in names), parts[0].num_classes
        )

    def at(self, places: Tensor) -> "Answers":
        """The answers to some images, in the order of `places`, [M]."""
        return Answers(
            self.labels[places],
            self.guesses[places],
            self.confidence[places],
            self.nats[places],
            self.num_classes,
        )

    @property
    def right(self) -> Tensor:
        """Whether each guess is the label, [N]."""
        return self.labels == self.guesses

    def confusion(self) -> Tensor:
        """Counts [K, K]: the row is the label, the column the guess."""
        pairs = self.labels * self.num_classes + self.guesses
        return torch.bincount(pairs, minlength=self.num_classes**2).view(self.num_classes, self.num_classes)

    def by_class(self) -> ByClass:
        """Recall, precision and F1 of each class."""
        matrix = self.confusion().double()
        right, images, guessed = matrix.diag(), matrix.sum(1), matrix.sum(0)
        return ByClass(
            images.long(),
            100 * right / images,
            100 * right / guessed,
            100 * 2 * right / (images + guessed),
        )

    def confused(self, count: int) -> list[tuple[int, int, int]]:
        """The commonest mistakes: (label, guess, how many), at most `count`, the most frequent first."""
        matrix = self.confusion().fill_diagonal_(0)
        times, places = matrix.flatten().sort(descending=True, stable=True)
        found = zip(places[:count].tolist(), times[:count].tolist(), strict=True)
        return [(*divmod(place, self.num_classes), number) for place, number in found if number]

    def reliability(self, bins: int = 15) -> Reliability:
        """Confidence beside accuracy, bin by bin."""
        return reliability_of(self.confidence, self.right, bins)

    def mistakes(self) -> Tensor:
        """Numbers of the wrong answers, the worst first: those that give the label the least probability."""
        order = self.nats.argsort(descending=True, stable=True)
        return order[~self.right[order]]
