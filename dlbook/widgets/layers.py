"""The units of a deep network in columns: how much signal each holds, and how much gradient comes back to it.

>>> import numpy as np
>>> fading = 0.1 ** np.arange(5)[:, None] * np.ones((5, 3))  # [layers, units]
>>> figure = Layers(title="Fading", description="The signal fades.", signal=fading, gradient=fading[::-1])
>>> figure.strengths("signal")[:, 0].round(4).tolist()
[1.0, 0.1, 0.01, 0.001, 0.0001]
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from dlbook.widgets import encode, layers_still, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

PER_DECADE = 3  # steps of brightness for each power of ten
LAST = 10  # the end of a history is the mean of so many steps
NONE = 255  # the byte of a unit that is not there, or that diverged


@dataclass(frozen=True)
class History:
    """How a measure went in training, drawn small below the columns.

    Attributes:
        label: name of the measure, such as "training loss".
        values: [settings..., steps]; NaN and infinity where the run diverged.
        reference: (value, what it means): a level to compare with, drawn dashed.
        limit: the largest value that the drawing has room for.
        parameters: names of the parameters that it depends on; None: all.
    """

    label: str
    values: Any
    reference: tuple[float, str]
    limit: float
    parameters: tuple[str, ...] | None = None


class Layers(Figure):
    """Columns of units on a dark stage; a wave of signal goes through them, and one of gradient comes back.

    Args:
        title, description: texts; both are needed.
        signal, gradient: strength of every unit, [settings..., layers, units]; the sign is left out. NaN: the
            unit is not there (a narrower layer); a layer of nothing else says that the run diverged.
        parameters: `{name: ascending numbers (a slider) or strings (a choice)}`.
        decades: (lowest, highest) power of ten that the brightness tells apart.
        pictures: (name of a parameter, one image [H, W] in [0, 1] for each of its values): what goes in.
        outputs: names of the units of the last layer.
        shortcuts: (name of a parameter, its value) for which arcs from layer to layer are drawn.
        history: a :class:`History`, or None.
        start: starting value of parameters.

    Attributes:
        values: what the reader chose; can be set from Python too.

    Raises:
        ValueError: shapes or names that do not fit, or more than 60 KiB of state.
    """

    tabled = True
    _esm = module_text("controls.js", "numbers.js", "stage.js", "layers.js")
    _css = style_text("figure.css", "numbers.css", "stage.css", "layers.css")

    def __init__(
        self,
        *,
        signal,
        gradient,
        title="",
        description="",
        parameters=None,
        decades=(-6, 0),
        pictures=None,
        outputs=(),
        shortcuts=None,
        history=None,
        start=None,
    ):
        parameters = grid.checked(parameters)
        low, high = (int(power) for power in decades)
        if low >= high:
            raise ValueError(f"decades: expected (lowest, highest) power of ten, got {decades}; swap them")
        signal, gradient = _pair(signal, gradient, parameters)
        self._bytes = np.stack([_levels(each, low, high) for each in (signal, gradient)])
        layers, units = signal.shape[-2:]
        if len(outputs) > units:
            raise ValueError(f"outputs: expected {units} names or fewer, got {len(outputs)}; drop some")
        spec = {
            "parameters": parameters,
            "layers": layers,
            "units": units,
            "decades": [low, high],
            "per_decade": PER_DECADE,
            "levels": _deflated(self._bytes),
            "pictures": _pictures(parameters, pictures),
            "outputs": [str(name) for name in outputs],
            "shortcuts": grid.chosen(parameters, "shortcuts", shortcuts),
            "history": _history(parameters, history),
            "hint": "Tap a column, point at it, or use the arrow keys, to read it.",
        }
        parts = {"signal and gradient": len(spec["levels"])}
        super().__init__(title, description, spec, parts, values=grid.settings(parameters, start))

    def how_to_shrink(self, spec):
        counts = ", ".join(f"{name} has {len(values)}" for name, values in spec["parameters"].items())
        return f"Give fewer units ({spec['units']} a layer), or fewer values of a parameter ({counts})."

    def strengths(self, part):
        """Return what the page shows of "signal" or "gradient" at the current setting: [layers, units]."""
        levels = self.levels()[("signal", "gradient").index(part)]
        strength = 10.0 ** (self.spec["decades"][0] + levels / PER_DECADE)
        return np.where(levels == NONE, np.nan, strength)

    def levels(self):
        """Return the bytes of the current setting: [signal and gradient, layers, units]."""
        at = grid.index(self.spec["parameters"], self.spec["order"], self.values)
        return self._bytes[(slice(None), *at)]

    def height(self, inside):
        spec, roomy = self.spec, inside >= 880
        pictures = 65 if spec["pictures"] and inside <= 720 else 0
        sliders = {
            k: v for k, v in spec["parameters"].items() if k != (spec["pictures"] or {}).get("parameter")
        }
        below = reserve.controls(sliders, inside, cursor=0, one_row=roomy)
        if spec["history"]:
            trace = 26 + 0.28 * min(inside, 375)
            below = max(below, trace) if roomy else below + 13 + trace
        stage = layers_still.plan(inside, spec["layers"], spec["units"])["height"] + pictures
        return reserve.staged(self, inside, stage, 112, reserve.HINT + 8, below)

    def still(self):
        return layers_still.draw_layers(self)


def _strengths(what, values, parameters):
    """Check an array [settings..., layers, units] and return its sizes without sign."""
    values = encode.to_array(values, what).astype(np.float64)
    if values.ndim != len(parameters) + 2:
        axes = ", ".join([*parameters, "layers", "units"])
        raise ValueError(f"{what}: expected the axes ({axes}), got shape {values.shape}; reshape it")
    grid.depends_on(what, values.shape[:-2], tuple(parameters), parameters, "layers, units")
    if values.shape[-2] < 2:
        raise ValueError(f"{what}: expected two layers or more, got {values.shape[-2]}; give all of them")
    return np.abs(values)


def _levels(values, low, high):
    """Bytes: steps above the lowest power of ten, clipped at both ends; NONE where there is no number."""
    top = (high - low) * PER_DECADE
    with np.errstate(all="ignore"):
        steps = np.rint((np.log10(values) - low) * PER_DECADE)
    return np.where(np.isfinite(values), np.clip(np.nan_to_num(steps), 0, top), NONE).astype(np.uint8)


def _pair(signal, gradient, parameters):
    """Return both without sign, checked to have one shape; a run that diverged is NaN throughout."""
    both = [_strengths(*each, parameters) for each in (("signal", signal), ("gradient", gradient))]
    if both[0].shape != both[1].shape:
        raise ValueError(
            f"expected signal and gradient of one shape, got {both[0].shape} and {both[1].shape}; "
            "give both for the same settings, layers and units"
        )
    silent = [~np.isfinite(each).any(-1) for each in both]  # layers without any number
    broken = (silent[0] | silent[1]).any(-1)[..., None, None]
    return [np.where(broken, np.nan, each) for each in both]


def _pictures(parameters, pictures):
    """Return {parameter, images as data addresses}, or None."""
    if pictures is None:
        return None
    name, images = pictures
    names = parameters.get(name, ())
    if len(names) != len(images) or not all(isinstance(each, str) for each in names):
        raise ValueError(
            f"pictures: expected one image for each value of a parameter of strings, got {len(images)} for "
            f"{name!r}; this figure has {parameters}"
        )
    arrays = [encode.to_array(image, f"picture {at} of {name}") for at, image in enumerate(images)]
    pixels = [(np.clip(array.squeeze(), 0, 1) * 255).astype(np.uint8) for array in arrays]
    return {"parameter": name, "images": [encode.data_uri(Image.fromarray(each)) for each in pixels]}


def _history(parameters, history):
    """Return the JSON of a History, or None."""
    if history is None:
        return None
    values = encode.to_array(history.values, "history").astype(np.float64)
    names = grid.depends_on(
        "history", values.shape[:-1], history.parameters or tuple(parameters), parameters, "steps"
    )
    inside = np.clip(values / history.limit, 0, 1)
    ends = values[..., -LAST:].mean(-1).reshape(-1)
    return {
        "label": history.label,
        "course": _deflated(np.where(np.isfinite(values), np.rint(inside * (NONE - 1)), NONE)),
        "ends": [float(f"{end:.3g}") if np.isfinite(end) else None for end in ends],
        "steps": values.shape[-1],
        "parameters": list(names),
        "reference": float(history.reference[0]),
        "reference_name": history.reference[1],
        "limit": float(history.limit),
    }


def _deflated(values):
    """Whole numbers from 0 to 255 as deflated bytes in base64."""
    return encode.deflated(values.astype(np.uint8).tobytes())
