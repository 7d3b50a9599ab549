"""Programs that run on nodes of the tape and on tensors alike: random graphs, and a small network."""

import random

import torch
from torch import Tensor

SHAPES = ((3, 4), (1, 4), (3, 1), (4,), (), (2, 3, 4))  # any two broadcast
UNARY = {
    "exp": lambda v: (0.3 * v).exp(),
    "ln": lambda v: (v * v + 1).log(),
    "tanh": lambda v: v.tanh(),
    "ReLU": lambda v: v.relu(),
    "power": lambda v: (v * v + 1) ** 1.5,
    "root": lambda v: (v * v + 2) ** 0.5,
    "from a number": lambda v: 2.5 - v,
    "over a number": lambda v: v / 1.7,
    "a number over it": lambda v: 2 / (v * v + 1),
    "minus": lambda v: -v,
    "constant": lambda v: torch.tensor([[0.5], [-1.0], [2.0]], dtype=torch.float64) * v,
}
BINARY = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / (b * b + 1),
    "a + a b": lambda a, b: a + a * b,
}


def leaves(seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


def random_graph(values, seed, steps=25):
    """Run a program of random operations on nodes, or on tensors that require a gradient."""
    chance, pool = random.Random(seed), list(values)
    for _ in range(steps):
        if chance.random() < 0.4:
            new = UNARY[chance.choice(sorted(UNARY))](chance.choice(pool))
        else:
            new = BINARY[chance.choice(sorted(BINARY))](chance.choice(pool), chance.choice(pool))
        pool.append(new.tanh() * 2)  # kept small
    total = pool[-1].sum()
    for value in pool[:-1]:
        total = total + value.sum()
    return total


def network(inputs):
    """A small network with a softmax written out: matrix products, sums over an axis, a node used twice."""
    x, w, b, v = inputs
    hidden = (x @ w + b).tanh()
    logits = hidden @ v + hidden @ v * row_sums(hidden)
    weights = logits.exp()
    return ((weights / row_sums(weights)).log() * logits).sum()


def row_sums(value):
    return value.sum(1, keepdim=True) if isinstance(value, Tensor) else value.sum(1)


def network_inputs():
    generator = torch.Generator().manual_seed(3)
    shapes = ((5, 3), (3, 4), (4,), (4, 6))
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


PROGRAMS = {
    f"graph {seed}": (lambda v, s=seed: random_graph(v, s), lambda s=seed: leaves(s)) for seed in range(12)
}
PROGRAMS["network"] = (network, network_inputs)
