"""Curves over parameters: sliders, a legend that switches curves on and off, values and gradients under a
cursor.

>>> import numpy as np
>>> x = np.linspace(-3, 3, 61)
>>> alphas = [0.5, 1.0, 2.0]
>>> elu = np.stack([np.where(x > 0, x, a * np.expm1(x)) for a in alphas])
>>> figure = Curves(title="ELU", description="The exponential unit.", x=x, x_label="x", y_label="ELU(x)",
...                 parameters={"alpha": alphas}, curves=[Curve("ELU", elu)], start={"alpha": 2.0})
>>> figure.values
{'alpha': 2.0}
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets

from dlbook.widgets import encode, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text
from dlbook.widgets.still import draw_curves


@dataclass(frozen=True)
class Curve:
    """Describe one curve of a :class:`Curves`.

    Attributes:
        name: as in the legend.
        values: shape (len(p1), len(p2), ..., len(x)) for the parameters that it names; NaN leaves a gap.
        gradient: the same shape, or None; drawn dashed.
        parameters: names of the parameters, in the order of the axes; None: none for a 1-D array, else all.
        panel: number of the panel that it is drawn in, from 0.
        jumps: values of x where the curve or its gradient jumps: it is drawn with an end on both sides.
        diverged_above: of a training run: where a value is above this, or no finite number, the figure says
            "diverged"; None: such a place is a gap.
    """

    name: str
    values: Any
    gradient: Any = None
    parameters: tuple[str, ...] | str | None = None
    panel: int = 0
    jumps: Sequence[float] = ()
    diverged_above: float | None = None


class Curves(Figure):
    """Curves over x and parameters, in one or more panels that share the x axis.

    Args:
        title: heading.
        description: what the figure shows, for readers who cannot see it.
        x: ascending numbers, shape (n,), n >= 2.
        x_label, y_label: axis labels.
        parameters: `{name: ascending numbers (a slider) or strings (a choice)}`.
        curves: list of :class:`Curve`.
        panels: y label of each panel, from the top; None: one panel with `y_label`.
        log_x, log_y: logarithmic axes; `log_y` may be a list with one entry a panel.
        y_range: (low, high) of the y axis, or a list of one (low, high) or None a panel; None: what the
            curves need.
        start: starting value of parameters; numbers are moved to the nearest on the list.
        visible: names of the curves that are drawn at the start; None: all.
        cursor: starting x of the cursor; None: the middle.

    Attributes:
        values, visible, cursor: what the reader chose; can be set from Python too.

    Raises:
        ValueError: shapes that do not fit, an unknown name, or more than 60 KiB of state.
    """

    tabled = True
    _esm = module_text("controls.js", "numbers.js", "plot.js", "curves.js")
    _css = style_text("figure.css", "numbers.css", "curves.css")

    visible = traitlets.List(traitlets.Unicode()).tag(sync=True)
    cursor = traitlets.Float().tag(sync=True)

    def __init__(
        self,
        *,
        x,
        curves,
        title="",
        description="",
        x_label="x",
        y_label="",
        parameters=None,
        panels=None,
        log_x=False,
        log_y=False,
        y_range=None,
        start=None,
        visible=None,
        cursor=None,
    ):
        parameters = grid.checked(parameters)
        x = _checked_x(x, log_x)
        panels = _checked_panels(panels, y_label, log_y, y_range)
        entries = _checked_curves(curves, x, parameters, panels)
        names = [entry["name"] for entry in entries]
        spec = {
            "x": x.tolist(),
            "x_label": x_label,
            "log_x": bool(log_x),
            "panels": panels,
            "parameters": parameters,
            "curves": entries,
        }
        chosen = {
            "values": grid.settings(parameters, start),
            "visible": list(names if visible is None else visible),
            "cursor": float(x[len(x) // 2] if cursor is None else cursor),
        }
        super().__init__(title, description, spec, _sizes(entries), **chosen)

    @traitlets.validate("visible")
    def _check_visible(self, proposal):
        names = [entry["name"] for entry in self.spec["curves"]]
        unknown = set(proposal["value"]) - set(names)
        if unknown:
            raise ValueError(
                f"visible: expected names of curves, got {sorted(unknown)}; the curves are {names}"
            )
        return [name for name in names if name in proposal["value"]]

    @traitlets.validate("cursor")
    def _check_cursor(self, proposal):
        return min(self.spec["x"], key=lambda x: abs(x - proposal["value"]))

    def how_to_shrink(self, spec):
        counts = ", ".join(f"{name} has {len(values)}" for name, values in spec["parameters"].items())
        return (
            f"give fewer points (x has {len(spec['x'])}) or fewer values of a parameter "
            f"({counts or 'there are none'}), "
            "name in each Curve only the parameters that it depends on, or make two figures"
        )

    def curve(self, name):
        """Return (values, gradient or None) of the curve `name` at the current parameters, shape (len(x),)
        each.
        """
        entry = next((e for e in self.spec["curves"] if e["name"] == name), None)
        if entry is None:
            raise ValueError(
                f"expected the name of a curve, got {name!r}; the curves are "
                f"{[e['name'] for e in self.spec['curves']]}"
            )
        at = grid.index(self.spec["parameters"], entry["parameters"], self.values)
        return tuple(encode.unpack(entry[key])[at] if entry[key] else None for key in ("values", "gradient"))

    def height(self, inside):
        return reserve.curves(self, inside)

    def still(self):
        return draw_curves(self)


def _checked_curves(curves, x, parameters, panels):
    """Return the entries of all curves, which have different names."""
    entries = [_entry(curve, x, parameters, panels) for curve in curves]
    names = [entry["name"] for entry in entries]
    if not entries or len(set(names)) < len(names):
        raise ValueError(
            f"expected one or more curves with different names, got {names}; rename those that are equal"
        )
    return entries


def _sizes(entries):
    """Return the number of characters that each curve takes in the state, by its name."""
    data = {entry["name"]: (entry["values"], entry["gradient"] or {"data": ""}) for entry in entries}
    return {name: sum(len(packed["data"]) for packed in both) for name, both in data.items()}


def _checked_x(x, log_x):
    x = encode.to_array(x, "x").astype(np.float64)
    if x.ndim != 1 or x.size < 2 or not np.isfinite(x).all() or (np.diff(x) <= 0).any():
        raise ValueError(
            f"x: expected two or more ascending finite numbers, shape (n,), got shape {x.shape}; sort "
            "them, leave out what repeats"
        )
    if log_x and x[0] <= 0:
        raise ValueError(
            f"x: expected positive numbers for a logarithmic axis, got {x[0]:g}; leave log_x off or "
            "start x above 0"
        )
    decimals = 4 - math.floor(math.log10(np.diff(x).min()))  # 1e-4 of a step: 0, not float32's 6e-8
    return np.array([round(v, decimals) for v in x.tolist()]) + 0.0


def _checked_panels(panels, y_label, log_y, y_range):
    labels = [y_label] if panels is None else list(panels)
    logs = list(log_y) if isinstance(log_y, (list, tuple)) else [log_y] * len(labels)
    one_range = y_range is None or all(isinstance(v, (int, float)) for v in y_range)
    ranges = [y_range] * len(labels) if one_range else list(y_range)
    if not labels or len(logs) != len(labels) or len(ranges) != len(labels):
        raise ValueError(
            f"expected as many entries in log_y and y_range as panels, got {len(labels)} panels, "
            f"{len(logs)} entries in log_y and {len(ranges)} in y_range; match them"
        )
    for limits, log in zip(ranges, logs, strict=True):
        if limits is not None and not (limits[0] < limits[1] and (not log or limits[0] > 0)):
            raise ValueError(
                "y_range: expected (low, high) with low < high, positive on a logarithmic axis, got "
                f"{limits}; such as (0.1, 1)"
            )
    return [
        {
            "label": str(label),
            "log": bool(log),
            "range": [float(v) for v in limits] if limits is not None else None,
        }
        for label, log, limits in zip(labels, logs, ranges, strict=True)
    ]


def _entry(curve, x, parameters, panels):
    """Return the JSON of one curve, its arrays checked and packed."""
    if curve.panel not in range(len(panels)):
        raise ValueError(
            f"curve {curve.name!r}: expected a panel from 0 to {len(panels) - 1}, got {curve.panel}; "
            "panels count from 0"
        )
    what = f"curve {curve.name!r}"
    values = encode.to_array(curve.values, what)
    if values.ndim == 0 or values.shape[-1] != x.size:
        raise ValueError(
            f"{what}: expected {x.size} values along the last axis, as many as x, got shape "
            f"{values.shape}; compute it at every x"
        )
    if curve.diverged_above is not None:
        values = np.where(values <= curve.diverged_above, values, np.nan)
    names = grid.depends_on(what, values.shape[:-1], curve.parameters, parameters, f"x: {x.size}")
    gradient = None
    if curve.gradient is not None:
        gradient = encode.to_array(curve.gradient, f"gradient of {what}")
        if gradient.shape != values.shape:
            raise ValueError(
                f"gradient of {what}: expected the shape of its values, {values.shape}, got "
                f"{gradient.shape}; compute both at the same points"
            )
    log = panels[curve.panel]["log"]
    if log and gradient is not None:
        raise ValueError(
            f"{what}: expected no gradient on a logarithmic axis, got one, which may be negative; leave "
            "one of them out"
        )
    return {
        "name": str(curve.name),
        "parameters": list(names),
        "panel": curve.panel,
        "values": encode.pack(values, log),
        "gradient": None if gradient is None else encode.pack(gradient),
        "jumps": [_place(at, x, what) for at in curve.jumps],
        "diverged": curve.diverged_above is not None,
    }


def _place(jump, x, what):
    """Return the index of a jump among x."""
    at = int(np.abs(x - jump).argmin())
    if abs(x[at] - jump) > 1e-9 * max(1.0, abs(jump)):
        raise ValueError(
            f"{what}: expected jumps at values of x, got {jump}; the nearest is {x[at]:g}: put {jump} into x"
        )
    return at
