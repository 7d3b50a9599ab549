"""The perceptron: Rosenblatt, "The Perceptron: A Probabilistic Model for Information Storage and Organization
in the Brain" (Psychological Review 65(6), 1958), as one layer of linear threshold units, and the softmax
layer that took its place.

The unit and its learning rule::

    answer = 1 if w . x + b >= 0 else 0     # x: all pixels; the weight b belongs to an input that is always 1
    until every answer is right (or patience ends):
        for each image x with target t in {0, 1}:
            w = w + rate (t - answer) x     # only an error changes anything
            b = b + rate (t - answer)

If a hyperplane separates the two classes, the rule stops after finitely many errors: at most (R / margin)^2
of them, for inputs [x, 1] no longer than R and weights that start at 0 (Novikoff 1962). If none does, as for
XOR, it never stops.

Departures from the paper

1. Rosenblatt's units look at a layer of "association units" with fixed random wiring to the retina; here they
   see the pixels.
2. His 1958 paper weighs several rules; the one above is the error correction of his later ones, which
   textbooks mean.
3. ``softmax_digits`` is the same layer with one unit a class, whose scores are the logits of a softmax
   (logistic regression, Cox 1958). It learns by gradients; its loss is convex, so it can start at 0, like the
   perceptron.

Parameters with 1 channel of 28 x 28: perceptron 785; softmax_digits 7,850.

>>> images = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).view(4, 1, 1, 2)
>>> unit = perceptron("perceptron", resolution=(1, 2))
>>> fit(unit, images, torch.tensor([0, 0, 0, 1]))[-1], unit.decide(images).flatten().tolist()  # AND
(0, [0, 0, 0, 1])
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlbook.checks import find_row, require_images, require_positive, require_resolution, require_size


@dataclass(frozen=True)
class Config:
    """Describe one row.

    Args:
        num_classes: units, where nothing else is asked for.
    """

    num_classes: int


VARIANTS = {
    "perceptron": Config(1),
    "softmax_digits": Config(10),
}


class Perceptron(nn.Module):
    """A layer of linear units: images [B, C, H, W] -> scores [B, K]; `decide` says on which side of 0 they
    lie.

    Weights start at 0.

    Args:
        num_classes: K, at least 1; with 1 the perceptron answers one yes-or-no question.
        in_channels: C of the images, at least 1.
        resolution: H and W of the images in pixels, one number or a pair.

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    last_layer = "linear"
    stages = ()

    def __init__(
        self, num_classes: int = 1, in_channels: int = 1, resolution: int | tuple[int, int] = 28
    ) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.in_channels, self.resolution = in_channels, require_resolution(resolution)
        self.num_features = in_channels * math.prod(self.resolution)
        self.linear = nn.Linear(self.num_features, num_classes)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def represent(self, images: Tensor) -> Tensor:
        """Return the pixels as they are, images [B, C, H, W] -> [B, C H W]: there is no hidden layer."""
        require_images(images, self.in_channels)
        require_size(images, self.resolution, "resize them, or build the model with another resolution")
        return images.flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        return self.linear(self.represent(images))

    def decide(self, images: Tensor) -> Tensor:
        """Return the threshold units' answers, [B, K] of 0 and 1: 1 where the score is at least 0."""
        return (self(images) >= 0).long()


def update(
    weights: Tensor, bias: Tensor, inputs: Tensor, target: int, learning_rate: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Apply the learning rule for one example and one unit; the old weights stay as they are.

    Args:
        weights: [D], floating-point.
        bias: [].
        inputs: [D].
        target: 0 or 1.
        learning_rate: positive; where the weights began at 0 it scales them and, but for rounding, changes no
            answer.

    Returns:
        The new weights [D] and the new bias [].

    Raises:
        ValueError: weights that are not floating-point, or another target.
    """
    if target not in (0, 1):
        raise ValueError(f"expected a target of 0 or 1, got {target!r}; write yes as 1 and no as 0")
    if not weights.is_floating_point():
        raise ValueError(
            f"expected floating-point weights, got {weights.dtype}; call .float(), as whole numbers would "
            "cut off the updates"
        )
    answer = int(weights @ inputs + bias >= 0)
    error = target - answer  # -1, 0 or 1
    return weights + learning_rate * error * inputs, bias + learning_rate * error


@torch.no_grad()
def fit(
    model: Perceptron, images: Tensor, targets: Tensor, learning_rate: float = 1.0, max_epochs: int = 100
) -> list[int]:
    """Show the images [B, C, H, W] in order, again and again, until a whole epoch passes without an error.

    Args:
        model: a perceptron of one unit; it learns in place.
        images: [B, C, H, W].
        targets: [B] of 0 and 1.
        learning_rate: positive.
        max_epochs: epochs at most.

    Returns:
        The number of errors in each epoch; the last is 0 if the rule has converged.

    Raises:
        ValueError: a model of several units, targets of another length, or a rate that is not positive.
    """
    _check_lesson(model, images, targets, learning_rate)
    weights, bias = model.linear.weight[0].clone(), model.linear.bias[0].clone()
    errors = []
    for _ in range(max_epochs):
        errors.append(0)
        for inputs, target in zip(images.flatten(1), targets.tolist(), strict=True):
            # counted by the answer: a step of the bias may round to nothing
            errors[-1] += int(weights @ inputs + bias >= 0) != target
            weights, bias = update(weights, bias, inputs, target, learning_rate)
        if errors[-1] == 0:
            break
    model.linear.weight[0], model.linear.bias[0] = weights, bias
    return errors


def _check_lesson(model: Perceptron, images: Tensor, targets: Tensor, learning_rate: float) -> None:
    require_images(images, model.in_channels)
    if model.linear.out_features != 1:
        raise ValueError(
            f"expected a perceptron of one unit, got {model.linear.out_features}; fit one a class"
        )
    if targets.shape != (len(images),):
        raise ValueError(
            f"expected targets [{len(images)}], got {list(targets.shape)}; give one for each image"
        )
    if not learning_rate > 0:
        raise ValueError(f"expected a positive learning rate, got {learning_rate}; 1.0 is the usual one")


def perceptron(
    name: str = "perceptron",
    num_classes: int | None = None,
    in_channels: int = 1,
    resolution: int | tuple[int, int] = 28,
) -> Perceptron:
    """Build a row of `VARIANTS`; num_classes None is the row's own, the other arguments are those of
    `Perceptron`.
    """
    config = find_row(name, VARIANTS)
    return Perceptron(config.num_classes if num_classes is None else num_classes, in_channels, resolution)
