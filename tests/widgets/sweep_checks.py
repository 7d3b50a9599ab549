"""Two graphs, recorded by the tape, which several modules of tests draw."""

import torch

from dlbook.nn.autodiff import Variable, tape
from dlbook.widgets import Sweep, cells_of

TEXTS = {"title": "A title", "description": "What it shows."}


def number(value):
    return Variable(torch.tensor(value, dtype=torch.float64))


def lens(turns=3, **changes):
    """x (4 - x), again and again: the paths double with each turn."""
    x = value = number(0.7)
    names, rows = {x: "x"}, {}
    for turn in range(1, turns + 1):
        rest = 4 - value
        names[rest], rows[f"u{turn}"] = f"u{turn}", 1.0
        value = value * rest
        names[value] = f"x{turn}"
    cells = cells_of(tape(value), names, rows, {"x": [0.5, 0.7, 1.0]})
    return Sweep(**{**TEXTS, "cells": cells, "ways": ("paths", "reverse", "forward"), **changes})


def cross_entropy(**changes):
    """ln(e^z1 + e^z2 + e^z3) - z1, and the tape's own output."""
    z = [number(v) for v in (2.0, 1.0, 0.0)]
    exps = [v.exp() for v in z]
    output = (exps[0] + exps[1] + exps[2]).log() - z[0]
    names = dict(zip(z, ("z1", "z2", "z3"), strict=True))
    rows = {"z1": -2.0, "v1": -1.0, "z3": 1.0, "v3": 1.0, "v7": -1.0}
    cells = cells_of(tape(output), names, rows, {name: [-1.0, 0.0, 1.0, 2.0] for name in names.values()})
    figure = Sweep(**{**TEXTS, "cells": cells, "ways": ("reverse", "forward", "paths"), **changes})
    return figure, z, output


def every_rule():
    """A graph that uses every operation of the figure once or more."""
    x, y = number(0.8), number(1.5)
    a = (x * y + 0.5).tanh() - (y - 0.25).log()
    output = (2 * a).exp() + (3 - x) * a
    return Sweep(**TEXTS, cells=cells_of(tape(output), {x: "x", y: "y"}), ways=("reverse",)), (x, y), output
