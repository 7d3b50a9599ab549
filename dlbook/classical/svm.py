"""A linear support vector machine, solved in its dual, one coordinate at a time.

Hsieh, Chang, Lin, Keerthi, Sundararajan, "A Dual Coordinate Descent Method for Large-scale Linear SVM" (ICML
2008), Algorithm 1 with the hinge loss. The machine: Cortes, Vapnik, "Support-vector networks" (Machine
Learning 20, 1995).

For each class, with y = 1 for its examples and y = -1 for all others::

    primal: smallest |w|^2 / 2 + cost * sum_i max(0, 1 - y_i w . x_i)
    dual:   largest sum_i a_i - |w|^2 / 2 with w = sum_i a_i y_i x_i and every a_i between 0 and cost

    for each example i, in random order:
        slope = y_i w . x_i - 1                           # how the dual falls with a_i
        new   = a_i - slope / x_i . x_i, cut to [0, cost] # the best a_i while all others stay
        w     = w + (new - a_i) y_i x_i;  a_i = new

Both problems have the same optimum, so the gap, primal minus dual, bounds how far a solution is from it.
The examples with a_i > 0 are the support vectors: w consists of them alone.

Departures from the paper

1. Every class walks through the examples in an order of its own, all classes side by side.
2. Instead of the paper's shrinking: between two looks at all examples, a walk visits only those whose share
   can move. A share of 0 that the slope pushes below 0 stays where it is, and so does one at the cost.
3. It ends when the gap is small against the primal, so that the result is known to be near the optimum; the
   paper watches the slopes.

The bias is the weight of one more input that is always 1, and is penalised like the rest, as in the paper
(equation 2) and in scikit-learn's LinearSVC.

>>> points = torch.tensor([[1.0, 0.0], [3.0, 0.0], [-1.0, 0.0], [-4.0, 0.0]])
>>> machine = fit(points, torch.tensor([1, 1, 0, 0]))
>>> [round(weight, 3) for weight in machine.weights[1].tolist()], machine.shares[:, 1].tolist()
([1.0, 0.0], [0.5, 0.0, 0.5, 0.0])
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dlbook.checks import require_above, require_positive

SWEEPS = 3  # over the examples whose share can move, between two looks at all


@dataclass(frozen=True)
class LinearSVM:
    """Hold K linear machines, one for each class against the rest.

    Args:
        weights: [K, D], float64.
        biases: [K], float64.
        shares: [N, K], from 0 to the cost: the dual's numbers a, by which each example is in each class's
            weights. 0: not a support vector.
    """

    weights: Tensor
    biases: Tensor
    shares: Tensor

    def scores(self, features: Tensor) -> Tensor:
        """Return each machine's score [B, K] of features [B, D], above 0 for its own class."""
        return features.to(self.weights) @ self.weights.T + self.biases

    def predict(self, features: Tensor) -> Tensor:
        """Return the class [B] with the highest score for features [B, D]."""
        return self.scores(features).argmax(1)


def fit(
    features: Tensor,
    labels: Tensor,
    cost: float = 1.0,
    tolerance: float = 1e-2,
    looks: int = 1000,
    seed: int = 0,
) -> LinearSVM:
    """Train a linear machine for each class.

    Args:
        features: [N, D]; computed with in float64 on the CPU.
        labels: int64 [N], from 0 to K - 1, where K is the largest label plus 1 and at least 2.
        cost: of an example that lies short of its margin by 1, above 0 (C in the paper).
        tolerance: largest gap between primal and dual, as a part of the primal, above 0.
        looks: how often all examples are looked at, at most.
        seed: of the order in which examples are visited.

    Raises:
        ValueError: another shape, a number out of range, or too large a gap after all `looks`.
    """
    require_above("cost", cost)
    require_above("tolerance", tolerance)
    require_positive("looks", looks)
    inputs, signs = _with_bias(features), _signs(features, labels)
    shares, weights = torch.zeros_like(signs), inputs.new_zeros(signs.shape[1], inputs.shape[1])
    generator = torch.Generator().manual_seed(seed)
    for _ in range(looks):
        slopes = signs * (inputs @ weights.T) - 1
        if (_gap(slopes, shares, weights, cost) <= tolerance).all():
            return LinearSVM(weights[:, :-1].clone(), weights[:, -1].clone(), shares)
        # A class with fewer movable shares than another also visits some that stay where they are.
        movable = slope_in_the_box(slopes, shares, cost) != 0
        for _ in range(SWEEPS):
            order = torch.rand(signs.shape, generator=generator).masked_fill(~movable, 2).argsort(0)
            _sweep(order[: movable.sum(0).max()], inputs, signs, cost, shares, weights)
    raise ValueError(
        f"expected a gap of at most {tolerance} of the primal after {looks} looks, got a larger one; "
        "take more looks, a lower cost or a higher tolerance"
    )


def slope_in_the_box(slopes: Tensor, shares: Tensor, cost: float) -> Tensor:
    """Return the slopes along which shares can move: 0 everywhere is the optimum (the KKT conditions).

    Args:
        slopes: [N, K], y w . x - 1: the minimised dual's derivative by each share.
        shares: [N, K], from 0 to `cost`.
        cost: the upper end.

    Returns:
        [N, K]: the slopes, but 0 where the way down leads out of [0, cost].
    """
    inner = torch.where(shares <= 0, slopes.clamp(max=0), slopes)
    return torch.where(shares >= cost, inner.clamp(min=0), inner)


def primal(machine: LinearSVM, features: Tensor, labels: Tensor, cost: float = 1.0) -> Tensor:
    """Return what each machine minimises, [K]: half its squared weights plus the cost of its errors.

    Args:
        machine: of K classes.
        features: [N, D], the ones it was trained on.
        labels: int64 [N].
        cost: as in training.
    """
    short = (1 - _signs(features, labels) * machine.scores(features)).clamp(min=0)
    return _energy(machine) + cost * short.sum(0)


def dual(machine: LinearSVM) -> Tensor:
    """Return what each machine's shares maximise, [K]; at most the primal, and equal at the optimum."""
    return machine.shares.sum(0) - _energy(machine)


def _gap(slopes: Tensor, shares: Tensor, weights: Tensor, cost: float) -> Tensor:
    """Return the primal minus the dual of each machine, as a part of the primal, [K]."""
    energy = weights.square().sum(1) / 2
    upper, lower = energy + cost * (-slopes).clamp(min=0).sum(0), shares.sum(0) - energy
    return (upper - lower) / upper


def _sweep(
    order: Tensor, inputs: Tensor, signs: Tensor, cost: float, shares: Tensor, weights: Tensor
) -> None:
    """Give examples, one by one, their best shares while all others stay; changes shares and weights.

    Args:
        order: int64 [M, K], for each class the examples that it visits, none twice.
        inputs: [N, D].
        signs: [N, K], 1 or -1.
        cost: the largest share.
        shares: [N, K].
        weights: [K, D].
    """
    old, y, lengths = shares.gather(0, order), signs.gather(0, order), inputs.square().sum(1)[order]
    new = torch.empty_like(old)
    for step, examples in enumerate(order):
        x = inputs[examples]  # [K, D]
        slope = y[step] * (weights * x).sum(1) - 1
        new[step] = (old[step] - slope / lengths[step]).clamp(0, cost)
        weights.addcmul_(x, ((new[step] - old[step]) * y[step])[:, None])
    shares.scatter_(0, order, new)


def _energy(machine: LinearSVM) -> Tensor:
    """Return half the squared length of each machine's weights and bias, [K]."""
    return (machine.weights.square().sum(1) + machine.biases.square()) / 2


def _with_bias(features: Tensor) -> Tensor:
    """Append an input of 1: [N, D] becomes float64 [N, D + 1]."""
    if features.ndim != 2 or len(features) == 0:
        raise ValueError(f"expected features [N, D], got {list(features.shape)}; flatten(1) gives rows")
    return torch.nn.functional.pad(features.detach().double().cpu(), (0, 1), value=1)


def _signs(features: Tensor, labels: Tensor) -> Tensor:
    """Return 1 for an example's own class, -1 for the others: float64 [N, K]."""
    if labels.shape != features.shape[:1] or labels.dtype != torch.int64 or labels.min() < 0:
        raise ValueError(
            f"expected labels as int64 [{len(features)}] from 0 on, got {labels.dtype} {list(labels.shape)}; "
            "give one for each row of the features"
        )
    classes = max(2, int(labels.max()) + 1)
    return torch.nn.functional.one_hot(labels.cpu(), classes).double() * 2 - 1
