"""A flow through depth: how much of something, such as the gradient, arrives at each block of a network.

>>> figure = Flow(title="Gradient", description="It grows.", values=[8.0, 4.0, 2.0, 1.0], carried="norm")
>>> figure.at_setting().round(3).tolist()
[8.0, 4.0, 2.0, 1.0]
"""

from typing import Any

import numpy as np

from dlbook.widgets import encode, flow_still, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text


class Flow(Figure):
    """A river from the right to the left, through blocks; its width is the logarithm of what is carried.

    The dashed banks are as far apart as the river is wide at its source, the last block.

    Args:
        title, description: texts; both are needed.
        values: what is carried at each block, from the input to the loss, [settings..., blocks]; positive.
            A setting with NaN or infinity anywhere diverged.
        carried: name of what is carried, such as "gradient norm".
        parameters: `{name: ascending numbers (a slider) or strings (a choice)}`.
        shortcuts, valves: (name of a parameter, its value) for which arcs over the blocks, or valves below
            them, are drawn.
        stages: names of the stages, which share the blocks out equally.
        source, mouth: names of the right and of the left end.
        reading: (name, numbers [settings...]): a measure that is told beside each river.
        start: starting value of parameters.

    Attributes:
        values: what the reader chose; can be set from Python too.

    Raises:
        ValueError: shapes or names that do not fit, or values that are not positive.
    """

    tabled = True
    _esm = module_text("controls.js", "numbers.js", "stage.js", "flow.js")
    _css = style_text("figure.css", "numbers.css", "stage.css", "flow.css")

    def __init__(
        self,
        *,
        values,
        carried,
        title="",
        description="",
        parameters=None,
        shortcuts=None,
        valves=None,
        stages=(),
        source="loss",
        mouth="input",
        reading=None,
        start=None,
    ):
        parameters = grid.checked(parameters)
        self._carried = _checked(encode.to_array(values, "values").astype(np.float64), parameters)
        spec = {
            "parameters": parameters,
            "blocks": self._carried.shape[-1],
            "values": encode.pack(self._carried, log=True),
            "range": _range(self._carried),
            "carried": str(carried),
            "shortcuts": grid.chosen(parameters, "shortcuts", shortcuts),
            "valves": grid.chosen(parameters, "valves", valves),
            "stages": [str(name) for name in stages],
            "source": source,
            "mouth": mouth,
            "reading": _reading(parameters, reading),
            "hint": "Tap a block, point at it, or use the arrow keys, to read it.",
        }
        super().__init__(title, description, spec, values=grid.settings(parameters, start))

    def at_setting(self):
        """Return what the page shows at the current setting: [blocks]."""
        at = grid.index(self.spec["parameters"], self.spec["order"], self.values)
        return encode.unpack(self.spec["values"])[at]

    def height(self, inside):
        bed = flow_still.Bed(inside, self.spec["blocks"], self.spec["range"])
        reading = self.spec["reading"]
        letters = 62 + len(self.spec["carried"]) + (len(reading["label"]) + 8 if reading else 0)
        below = reserve.controls(self.spec["parameters"], inside, cursor=0, one_row=True)
        return reserve.staged(self, inside, bed.bottom + 44, letters, reserve.HINT, below)

    def still(self):
        return flow_still.draw_flow(self)


def _checked(values: np.ndarray, parameters: dict[str, Any]) -> np.ndarray:
    """Return values [settings..., blocks], with NaN throughout a setting that diverged."""
    if values.ndim != len(parameters) + 1:
        axes = ", ".join([*parameters, "blocks"])
        raise ValueError(f"values: expected the axes ({axes}), got shape {values.shape}; reshape them")
    grid.depends_on("values", values.shape[:-1], tuple(parameters), parameters, "blocks")
    if values.shape[-1] < 2:
        raise ValueError(f"values: expected two blocks or more, got {values.shape[-1]}; give all of them")
    if (values <= 0).any():
        raise ValueError(
            f"values: expected positive numbers, got {np.nanmin(values):g}; give a norm, and clip zeros"
        )
    broken = ~np.isfinite(values).all(-1, keepdims=True)
    if broken.all():
        raise ValueError("values: expected one setting at least that did not diverge, got none; give another")
    return np.where(broken, np.nan, values)


def _range(values):
    """Lowest and highest power of ten of any block over its last block; at least 1 below and above."""
    logs = np.log10(values / values[..., -1:])
    return [min(-1.0, float(np.nanmin(logs))), max(1.0, float(np.nanmax(logs)))]


def _reading(parameters, reading):
    """Return {label, values of every setting}, or None."""
    if reading is None:
        return None
    label, numbers = reading
    numbers = encode.to_array(numbers, "reading").astype(np.float64)
    grid.depends_on("reading", numbers.shape, tuple(parameters), parameters, "nothing else")
    texts = [float(f"{number:.3g}") if np.isfinite(number) else None for number in numbers.reshape(-1)]
    return {"label": label, "values": texts}
