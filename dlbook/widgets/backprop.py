"""A net of five numbers whose every value, delta and gradient is seen, and changed by hand.

Two inputs, two hidden units, one output; all units are logistic. The reader drags a weight or an input, and
sees the values go forward and the deltas come back. Beside the net lies the square of all inputs, in the
colours of its answers. "Learn" goes down the gradient of all cases, in the page; dashes are the losses that
torch's autograd had from the same start.

>>> figure = Backprop(title="Net", description="Five numbers.", starts={"a": [1, 1, 0, 1, 1, 0, 1, -1, 0]})
>>> round(figure.numbers()["loss"].item(), 3), figure.together()[1]
(0.125, 2)
"""

import numpy as np
import torch
import traitlets
from torch.nn import functional as F

from dlbook.widgets import backprop_net as net
from dlbook.widgets import backprop_still, encode, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

XOR = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))
LOOKS = 100  # recorded losses of a training


class Backprop(Figure):
    """A 2-2-1 net with logistic units: values forward, deltas back, its map of answers, and its training.

    Args:
        title, description: texts; both are needed.
        starts: {name: nine numbers}, the weights and biases in the order of `backprop_net.NUMBERS`.
        cases: four (x1, x2, target), inputs in [-0.25, 1.25], targets 0 or 1.
        losses: some of `backprop_net.LOSSES`.
        rate, steps: of the gradient descent on all cases.
        case: number of the case that is shown first.
        number: the number that can be changed at first, one of `backprop_net.NUMBERS`.
        start, loss: which of `starts` and `losses` comes first; None: the first one.

    Attributes:
        values: what the reader chose: start, case, loss, number; can be set from Python too.
        weights: the nine numbers now.
        inputs: the two inputs now.

    Raises:
        ValueError: a start of other than nine numbers, a case outside the square, an unknown loss or number.
    """

    _esm = module_text("controls.js", "stage.js", "backprop_net.js", "backprop_draw.js", "backprop.js")
    _css = style_text("figure.css", "stage.css", "backprop.css")

    weights = traitlets.List().tag(sync=True)
    inputs = traitlets.List().tag(sync=True)

    def __init__(
        self,
        *,
        starts,
        title="",
        description="",
        cases=XOR,
        losses=net.LOSSES,
        rate=1.0,
        steps=3000,
        case=2,
        number="v₁",
        start=None,
        loss=None,
    ):
        starts, cases, losses = _starts(starts), _cases(cases), _losses(losses)
        names = [f"{a:g}, {b:g} → {target:g}" for a, b, target in cases]
        parameters = grid.checked(
            {"number": list(net.NUMBERS), "case": names, "start": list(starts), "loss": list(losses)}
        )
        every = max(1, int(steps) // LOOKS)
        self.curves = _recorded(starts, cases, losses, rate, steps, every)
        packed = encode.deflated_json([list(kinds.values()) for kinds in self.curves.values()])
        spec = {
            "parameters": parameters,
            "starts": [list(map(float, numbers)) for numbers in starts.values()],
            "cases": [list(map(float, each)) for each in cases],
            "rate": float(rate),
            "steps": int(steps),
            "every": every,
            "curves": packed,
        }
        first = {"start": start or next(iter(starts)), "case": names[case], "loss": loss or losses[0]}
        values = grid.settings(parameters, {**first, "number": number})
        weights = spec["starts"][list(starts).index(values["start"])]
        traits = {"values": values, "weights": weights, "inputs": spec["cases"][case][:2]}
        super().__init__(title, description, spec, {"curves": len(packed)}, **traits)

    def how_to_shrink(self, spec):
        return f"give fewer starts ({len(spec['starts'])})"

    def target(self):
        """Return the target of the case that lies nearest to the inputs."""
        nearest = min(
            self.spec["cases"], key=lambda c: np.hypot(c[0] - self.inputs[0], c[1] - self.inputs[1])
        )
        return nearest[2]

    def numbers(self):
        """Return what the page shows: values, loss, deltas and gradients of the inputs now."""
        return net.forward_and_back(self.weights, self.inputs, self.target(), self.values["loss"])

    def together(self):
        """Return the mean loss of all cases, and how many are right."""
        return net.together(self.weights, self.spec["cases"], self.values["loss"])

    def height(self, inside):
        parameters = {n: v for n, v in self.spec["parameters"].items() if len(v) > 1}
        below = reserve.controls(parameters, inside, cursor=1) + reserve.LINE + reserve.GAP
        return reserve.staged(self, inside, backprop_still.sheet(inside)["height"], 150, 48, below)

    def still(self):
        return backprop_still.draw_net(self)


def torch_losses(weights, cases, loss, rate, steps):
    """Train by torch's autograd on all cases; return the loss before each step and after the last.

    Args:
        weights: nine numbers in the order of `backprop_net.NUMBERS`.
        cases: (x1, x2, target) each.
        loss: one of `backprop_net.LOSSES`.
        rate, steps: of plain gradient descent.
    """
    theta = torch.tensor(weights, dtype=torch.float64, requires_grad=True)
    table = torch.tensor(cases, dtype=torch.float64)
    x, target, found = table[:, :2], table[:, 2], []
    for step in range(steps + 1):
        rows = theta[:6].view(2, 3)
        z = torch.sigmoid(x @ rows[:, :2].T + rows[:, 2]) @ theta[6:8] + theta[8]
        each = (torch.sigmoid(z) - target) ** 2 / 2 if loss == net.SQUARED else None
        value = F.binary_cross_entropy_with_logits(z, target) if each is None else each.mean()
        found.append(value.item())
        if step < steps:
            (gradient,) = torch.autograd.grad(value, theta)
            theta = (theta - rate * gradient).detach().requires_grad_()
    return found


def _recorded(starts, cases, losses, rate, steps, every):
    """Return {start: {loss: the recorded losses, each `every` steps, with five digits}}."""
    return {
        name: {
            kind: [float(f"{v:.5g}") for v in torch_losses(w, cases, kind, rate, steps)[::every]]
            for kind in losses
        }
        for name, w in starts.items()
    }


def _losses(losses):
    unknown = [name for name in losses if name not in net.LOSSES]
    if unknown or not losses:
        raise ValueError(f"losses: expected some of {net.LOSSES}, got {list(losses)}; choose among these")
    return list(losses)


def _starts(starts):
    clean = {str(name): [float(v) for v in numbers] for name, numbers in starts.items()}
    for name, numbers in clean.items():
        if len(numbers) != 9 or not np.isfinite(numbers).all():
            raise ValueError(
                f"starts: expected nine finite numbers for {name!r}, got {numbers}; "
                f"in the order {', '.join(net.NUMBERS[:9])}"
            )
    return clean


def _cases(cases):
    table = encode.to_array(cases, "cases").astype(np.float64)
    fits = table.ndim == 2 and table.shape[1] == 3 and np.isin(table[:, 2], (0, 1)).all()
    if not fits or table[:, :2].min() < -0.25 or table[:, :2].max() > 1.25:
        raise ValueError(
            f"cases: expected (x1, x2, target) with inputs in [-0.25, 1.25] and targets 0 or 1, got "
            f"{table.tolist()}; scale the inputs"
        )
    return table.tolist()
