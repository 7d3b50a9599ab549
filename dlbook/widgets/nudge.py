"""A picture that is dragged pixel by pixel, and what several networks make of it at every place.

>>> import numpy as np
>>> row = Row("max", [Tiles("a map", np.zeros((1, 3, 2, 2)))], [[[0.9, 0.1], [0.2, 0.8], [0.9, 0.1]]])
>>> figure = Nudge(title="Nudge", description="It flips.", names=["a one"], pictures=np.zeros((1, 4, 4)),
...                classes=["0", "1"], truths=[0], shifts=[-1, 0, 1], rows=[row], start={"shift": -1})
>>> figure.answers()
{'max': ('0', 0.9)}
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from dlbook.widgets import encode, nudge_still, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

PICTURE, SHIFT = "picture", "shift"


@dataclass(frozen=True)
class Tiles:
    """Numbers that a network computes from each picture at each shift, drawn as grey cells.

    Attributes:
        label: what they are, such as "one map, 8 × 8".
        values: [pictures, shifts, h, w]; the smallest is drawn black, the largest white.
    """

    label: str
    values: Any


@dataclass(frozen=True)
class Row:
    """One network: what it computes on its way, and its probabilities.

    Attributes:
        name: of the network.
        tiles: one or two :class:`Tiles`.
        probabilities: [pictures, shifts, classes].
    """

    name: str
    tiles: list[Tiles]
    probabilities: Any


class Nudge(Figure):
    """A picture to drag to the side, and what each network makes of it, here and at every place.

    What leaves the picture on one side comes in on the other.

    Args:
        title, description: texts; both are needed.
        names: of the pictures; pictures: values in [0, 1], [pictures, side, side], not shifted.
        classes: name of each class; truths: number of the true class of each picture.
        shifts: ascending whole numbers, pixels to the right.
        rows: two :class:`Row`, or one.
        start: starting value of the parameters picture and shift.

    Attributes:
        values: what the reader chose; can be set from Python too.

    Raises:
        ValueError: shapes that do not fit, or probabilities that do not sum to one.
    """

    _esm = module_text("controls.js", "stage.js", "nudge.js")
    _css = style_text("figure.css", "stage.css", "nudge.css")

    def __init__(
        self, *, names, pictures, classes, truths, shifts, rows, title="", description="", start=None
    ):
        parameters = grid.checked({PICTURE: list(names), SHIFT: shifts})
        if len(parameters[PICTURE]) != len(truths) or not all(0 <= t < len(classes) for t in truths):
            raise ValueError(
                f"truths: expected {len(parameters[PICTURE])} classes from 0 to {len(classes) - 1}, "
                f"got {list(truths)}; one a picture"
            )
        lead = (len(parameters[PICTURE]), len(parameters[SHIFT]))
        self._pictures = _pictures(pictures, lead[0])
        self._cells = [[_cells(tiles, lead) for tiles in row.tiles] for row in rows]
        spec = {
            "parameters": parameters,
            "classes": [str(name) for name in classes],
            "truths": [int(truth) for truth in truths],
            "side": int(self._pictures.shape[-1]),
            "pixels": encode.deflated(self._pictures.tobytes()),
            "rows": [_entry(*pair, (*lead, len(classes))) for pair in zip(rows, self._cells, strict=True)],
        }
        super().__init__(title, description, spec, _sizes(spec), values=grid.settings(parameters, start))

    def how_to_shrink(self, spec):
        return f"give fewer pictures, shifts or cells ({spec['parameters']})"

    def at(self):
        """Return the numbers of the current picture and shift."""
        return grid.index(self.spec["parameters"], (PICTURE, SHIFT), self.values)

    def answers(self):
        """Return {network: (its class, the probability of that class)} at the current picture and shift."""
        picture, shift = self.at()
        found = {}
        for row in self.spec["rows"]:
            p = row["probabilities"][picture][shift]
            best = int(np.argmax(p))
            found[row["name"]] = (self.spec["classes"][best], p[best])
        return found

    def picture(self):
        """Return the address of the current picture, shifted."""
        picture, _ = self.at()
        return _address(np.roll(self._pictures[picture], self.values[SHIFT], 1))

    def cells(self, row, part):
        """Return the address of some cells of a network at the current picture and shift."""
        return _address(self._cells[row][part][self.at()])

    def height(self, inside):
        desk = nudge_still.Bench(inside, self.spec)
        letters = 90 + sum(30 + len(row["name"]) for row in self.spec["rows"])
        below = reserve.controls(self.spec["parameters"], inside, cursor=0)
        return reserve.staged(self, inside, desk.height, letters, 0, below)

    def still(self):
        return nudge_still.draw_nudge(self)


def _address(pixels):
    return encode.data_uri(Image.fromarray(np.ascontiguousarray(pixels)))


def _pictures(values, count):
    """Return pictures as bytes [count, side, side]."""
    values = encode.to_array(values, "pictures")
    if values.ndim != 3 or len(values) != count or values.shape[1] != values.shape[2]:
        raise ValueError(f"pictures: expected shape ({count}, side, side), got {values.shape}; reshape them")
    if not 0 <= values.min() <= values.max() <= 1:
        raise ValueError(
            f"pictures: expected values in [0, 1], got {values.min():g} to {values.max():g}; scale them"
        )
    return np.rint(values * 255).astype(np.uint8)


def _cells(tiles, lead):
    """Return the cells as bytes, from the smallest of all pictures and shifts to the largest."""
    values = encode.to_array(tiles.values, f"tiles {tiles.label!r}").astype(np.float64)
    if values.ndim != 4 or values.shape[:2] != lead:
        raise ValueError(
            f"tiles {tiles.label!r}: expected shape {(*lead, 'h', 'w')}, got {values.shape}; reshape them"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"tiles {tiles.label!r}: expected finite values, got NaN or infinity; fill them")
    low = values.min()
    return np.rint(255 * (values - low) / ((values.max() - low) or 1)).astype(np.uint8)


def _entry(row, cells, shape):
    """Return the JSON of one network."""
    p = encode.to_array(row.probabilities, f"probabilities of {row.name!r}").astype(np.float64)
    if p.shape != shape:
        raise ValueError(
            f"probabilities of {row.name!r}: expected shape {shape}, got {p.shape}; reshape them"
        )
    if not np.allclose(p.sum(-1), 1, atol=1e-3) or p.min() < 0:
        raise ValueError(
            f"probabilities of {row.name!r}: expected positive numbers that sum to 1, got sums from "
            f"{p.sum(-1).min():g} to {p.sum(-1).max():g}; give a softmax"
        )
    tiles = [
        {"label": part.label, "shape": list(made.shape[2:]), "cells": encode.deflated(made.tobytes())}
        for part, made in zip(row.tiles, cells, strict=True)
    ]
    return {"name": str(row.name), "tiles": tiles, "probabilities": p.round(4).tolist()}


def _sizes(spec):
    """Return the bytes of each part of the state, for the error."""
    sizes = {"pictures": len(spec["pixels"])}
    for row in spec["rows"]:
        sizes[row["name"]] = sum(len(tiles["cells"]) for tiles in row["tiles"])
    return sizes
