"""A computation, step by step: captions in words, grids of numbers, the cells that matter marked.

>>> steps = [Step("Take the logits.", grids=[Grid("logits", [[2.0, 1.0, 0.1]])]),
...          Step("Exponentiate each.", grids=[Grid("exp", [[7.389, 2.718, 1.105]], highlight=[(0, 0)])])]
>>> Stepper(title="Softmax", description="Softmax of three logits.", steps=steps).step
0
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import traitlets
from PIL import Image

from dlbook.widgets import encode, reserve
from dlbook.widgets.figure import Figure, escape, module_text, style_text


@dataclass(frozen=True)
class Grid:
    """Describe one table of numbers or short texts.

    Attributes:
        name: its caption.
        values: shape (R, C) or (C,): numbers, or strings; NaN and None are empty cells.
        rows, columns: labels; None: none.
        highlight: (row, column) of the cells that the step is about; negative numbers count from the end.
        digits: decimal places; whole numbers are written without any.
        tint: colour the numbers by their size, as far as the grid's largest; off where they are only names.
    """

    name: str
    values: Any
    rows: list[str] | None = None
    columns: list[str] | None = None
    highlight: list[tuple[int, int]] = field(default_factory=list)
    digits: int = 2
    tint: bool = True


@dataclass(frozen=True)
class Step:
    """Describe one step: a caption in words, the grids to show, and a formula as plain text."""

    caption: str
    grids: list[Grid] = field(default_factory=list)
    formula: str = ""


class Stepper(Figure):
    """Shows the steps one at a time, with buttons, a slider and, if asked, autoplay.

    Args:
        title, description: texts; both are needed.
        steps: list of :class:`Step`.
        start: number of the first step shown, from 0.
        autoplay: seconds a step when the reader presses "Play"; None: no such button. It never starts by
            itself.
        pictures: {label of a row: grey image [H, W], uint8 or float in [0, 1]}, shown beside that label.

    Attributes:
        step: number of the step shown; can be set from Python too.

    Raises:
        ValueError: no steps, labels or highlights that do not fit the grid, or more than 60 KiB of state.
    """

    _esm = module_text("controls.js", "stepper.js")
    _css = style_text("figure.css", "stepper.css")

    step = traitlets.Int(0).tag(sync=True)

    def __init__(self, *, steps, title="", description="", start=0, autoplay=None, pictures=None):
        entries = [_entry(step, f"step {number}") for number, step in enumerate(steps)]
        if not entries:
            raise ValueError(
                "steps: expected one Step or more, got none; make a list of Step(caption, grids)"
            )
        if autoplay is not None and not autoplay >= 0.5:
            raise ValueError(
                f"autoplay: expected None or 0.5 seconds a step or more, got {autoplay}; a reader needs time"
            )
        pictures = {str(name): _picture(image, name) for name, image in dict(pictures or {}).items()}
        spec = {"steps": entries, "autoplay": autoplay, "pictures": pictures}
        cells = {
            f"step {n}": sum(len(str(g["cells"])) for g in entry["grids"]) for n, entry in enumerate(entries)
        }
        super().__init__(title, description, spec, cells, step=int(start))

    @traitlets.validate("step")
    def _check_step(self, proposal):
        last = len(self.spec["steps"]) - 1
        if not 0 <= proposal["value"] <= last:
            raise ValueError(f"step: expected 0 to {last}, got {proposal['value']}; steps count from 0")
        return proposal["value"]

    def how_to_shrink(self, spec):
        return f"give fewer steps (there are {len(spec['steps'])}), smaller grids or fewer digits"

    def height(self, inside):
        return reserve.stepper(self, inside)

    def still(self):
        items = []
        for entry in self.spec["steps"]:
            formula = f"<br><code>{escape(entry['formula'])}</code>" if entry["formula"] else ""
            grids = "".join(_table(grid, self.spec["pictures"]) for grid in entry["grids"])
            items.append(
                f"<li><p>{escape(entry['caption'])}{formula}</p><div "
                f'style="overflow-x:auto">{grids}</div></li>'
            )
        style = (
            "<style>.dlbook-still :is(td,th){padding:.1rem .6rem;text-align:right}.dlbook-still "
            "caption{text-align:left}</style>"
        )
        head = f"<p><strong>{escape(self.title)}</strong></p><p>{escape(self.description)}</p>"
        return f"{style}{head}<ol>{''.join(items)}</ol>"


def _entry(step, what):
    if not str(step.caption).strip():
        raise ValueError(f"{what}: expected a caption in words, got none; say what the step does")
    return {
        "caption": str(step.caption),
        "formula": str(step.formula),
        "grids": [_grid(grid, what) for grid in step.grids],
    }


def _grid(grid, what):
    """Return the JSON of one grid: every cell a text, so that Python alone decides how numbers are
    written.
    """
    what = f"{what}, grid {grid.name!r}"
    values = _cells(grid.values, what)
    height, width = values.shape
    for name, labels, count in (("rows", grid.rows, height), ("columns", grid.columns, width)):
        if labels is not None and len(labels) != count:
            raise ValueError(f"{what}: expected {count} labels in {name}, got {len(labels)}; match the grid")
    marked = []
    for row, column in grid.highlight:
        if not (-height <= row < height and -width <= column < width):
            raise ValueError(
                f"{what}: expected cells of a grid of {height} rows and {width} columns in highlight, "
                f"got ({row}, {column}); both count from 0"
            )
        marked.append([int(row) % height, int(column) % width])
    whole = all(_is_whole(v) for v in values.flat)
    cells = [[_text(v, 0 if whole else grid.digits) for v in row] for row in values]
    return {
        "name": str(grid.name),
        "cells": cells,
        "rows": grid.rows and [str(v) for v in grid.rows],
        "columns": grid.columns and [str(v) for v in grid.columns],
        "highlight": marked,
        "tint": bool(grid.tint),
    }


def _picture(image, name):
    """Return a grey image as a `data:` address."""
    values = encode.to_array(image, f"picture {name!r}")
    if values.ndim != 2 or (values.dtype != np.uint8 and not 0 <= values.min() <= values.max() <= 1):
        raise ValueError(
            f"picture {name!r}: expected [H, W], uint8 or float in [0, 1], got shape {values.shape}; "
            "give one grey image"
        )
    scaled = values if values.dtype == np.uint8 else np.rint(values * 255).astype(np.uint8)
    return encode.data_uri(Image.fromarray(scaled))


def _cells(values, what):
    """Return the values as a 2-D object or number array."""
    try:
        array = encode.to_array(values, what)
    except ValueError:  # strings, or numbers and strings mixed
        array = np.array(values, dtype=object)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or array.size == 0:
        raise ValueError(
            f"{what}: expected a 2-D grid of numbers or strings, rows of one length, got shape "
            f"{array.shape}; give a list of rows"
        )
    return array


def _is_whole(value):
    return value is None or isinstance(value, str) or np.isnan(value) or float(value).is_integer()


def _text(value, digits):
    if isinstance(value, str):
        return value
    if value is None or np.isnan(value):
        return ""
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{float(value):.{digits}f}".replace("-", "−")


def _table(grid, pictures):
    """Return a plain HTML table; marked cells are bold and bracketed."""
    marked = {tuple(cell) for cell in grid["highlight"]}
    head = ""
    if grid["columns"]:
        corner = "<td></td>" if grid["rows"] else ""
        head = (
            "<thead><tr>"
            + corner
            + "".join(f'<th scope="col">{escape(c)}</th>' for c in grid["columns"])
            + "</tr></thead>"
        )
    body = ""
    for r, row in enumerate(grid["cells"]):
        name = grid["rows"][r] if grid["rows"] else ""
        about = f'alt="picture of {escape(name)}" width="28"'
        seen = f'<img class="dark-light" src="{pictures[name]}" {about}> ' if name in pictures else ""
        label = f'<th scope="row">{seen}{escape(name)}</th>' if grid["rows"] else ""
        cells = (
            f"<td><strong>[{escape(v)}]</strong></td>" if (r, c) in marked else f"<td>{escape(v)}</td>"
            for c, v in enumerate(row)
        )
        body += f"<tr>{label}{''.join(cells)}</tr>"
    return f"<table><caption>{escape(grid['name'])}</caption>{head}<tbody>{body}</tbody></table>"
