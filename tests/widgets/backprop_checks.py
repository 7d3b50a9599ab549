"""A net of five numbers, which several modules of tests draw."""

import torch
from torch.nn import functional as F

from dlbook.widgets import Backprop
from dlbook.widgets import backprop_net as net_of

STARTS = {
    "a": [1.2, -0.7, 0.1, -0.4, 1.5, -0.3, 2.0, -1.1, 0.2],
    "b": [0.5, 0.4, -0.2, 3.0, -2.0, 1.0, -1.5, 0.8, 0.3],
}


def net(**changes):
    """Two starts, both losses, forty steps."""
    texts = {"title": "A title", "description": "What it shows."}
    return Backprop(**{**texts, "starts": STARTS, "steps": 40, **changes})


def by_autograd(weights, x, target, loss):
    """Loss, gradients by the eleven numbers, and by the three sums, from torch."""
    theta = torch.tensor([*weights, *x], dtype=torch.float64, requires_grad=True)
    rows, inputs = theta[:6].view(2, 3), theta[9:]
    sums = rows[:, :2] @ inputs + rows[:, 2]
    last = theta[6:8] @ torch.sigmoid(sums) + theta[8]
    goal = torch.tensor(float(target), dtype=torch.float64)
    value = F.binary_cross_entropy_with_logits(last, goal)
    if loss == net_of.SQUARED:
        value = (torch.sigmoid(last) - goal) ** 2 / 2
    gradient, hidden, top = torch.autograd.grad(value, (theta, sums, last))
    return value.item(), gradient.numpy(), [*hidden.tolist(), top.item()]
