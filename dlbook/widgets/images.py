"""Stacks of images over parameters (layers, heads, strengths), side by side.

>>> import numpy as np
>>> maps = np.random.default_rng(0).random((3, 2, 8, 8))  # (layers, heads, H, W)
>>> figure = Images(title="Attention", description="Where each head looks.", images={"attention": maps},
...                 parameters={"layer": [1, 2, 3], "head": [1, 2]}, start={"layer": 1, "head": 2})
>>> figure.values
{'layer': 1, 'head': 2}
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from dlbook.widgets import encode, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, escape, module_text, style_text


@dataclass(frozen=True)
class Stack:
    """Describe one named stack of an :class:`Images`, when a plain array does not say enough.

    Attributes:
        values: shape (len(p1), len(p2), ..., H, W) or (..., H, W, 3). uint8: grey or RGB. Float, one channel:
            `limits` are mapped to the colours. Float, RGB: in [0, 1].
        parameters: names of the parameters that it depends on, in the order of the axes; None: all, or none.
        colormap: name of a matplotlib colormap for one channel; None: grey.
        limits: (low, high) of one-channel floats; None: of this stack.
        quality: None keeps every pixel exact (PNG); 1-100 is smaller and lossy (WebP), for photographs.
    """

    values: Any
    parameters: tuple[str, ...] | str | None = None
    colormap: str | None = None
    limits: tuple[float, float] | None = None
    quality: int | None = None


class Images(Figure):
    """Named image stacks side by side; each shows the image that belongs to the current parameters.

    Args:
        title, description: texts; both are needed.
        parameters: `{name: ascending numbers (a slider) or strings (a choice)}`.
        images: `{name: array or Stack}`; an array has shape (len(p1), ..., H, W) or (len(p1), ..., H, W, 3)
            over all parameters, or (H, W) or (H, W, 3) if it depends on none.
        captions: function of `{name: value}` that returns a sentence, shown below the images; None: no
            sentence.
        colormap: colormap of the one-channel stacks that name none.
        start: starting value of parameters.

    Attributes:
        values: what the reader chose; can be set from Python too.

    Raises:
        ValueError: shapes that do not fit, an unknown colormap, or more than 60 KiB of state.
    """

    _esm = module_text("controls.js", "images.js")
    _css = style_text("figure.css", "images.css")

    def __init__(
        self, *, images, title="", description="", parameters=None, captions=None, colormap=None, start=None
    ):
        parameters = grid.checked(parameters)
        if not images:
            raise ValueError("images: expected {name: array}, got nothing; give one stack or more")
        self._frames = {}
        entries = []
        for name, stack in dict(images).items():
            stack = stack if isinstance(stack, Stack) else Stack(stack)
            frames, entry = _entry(name, stack, parameters, colormap)
            self._frames[name] = frames
            entries.append(entry)
        texts = [str(captions(values)) for values in grid.every_setting(parameters)] if captions else []
        order = {"order": list(parameters)}  # it also counts the captions
        spec = {"parameters": parameters, **order, "images": entries, "captions": texts}
        sizes = {entry["name"]: len(entry["atlas"]) for entry in entries}
        super().__init__(title, description, spec, sizes, values=grid.settings(parameters, start))

    def how_to_shrink(self, spec):
        counts = ", ".join(f"{name} has {len(values)}" for name, values in spec["parameters"].items())
        return (
            f"give fewer values of a parameter ({counts or 'there are none'}), smaller images, or, "
            "for photographs, "
            "Stack(..., quality=75)"
        )

    def height(self, inside):
        return reserve.images(self, inside)

    def still(self):
        cells = []
        for entry in self.spec["images"]:
            at = grid.index(self.spec["parameters"], entry["parameters"], self.values)
            frame = encode.data_uri(self._frames[entry["name"]][at])
            about = "".join(
                f", {name} {value}" for name, value in self.values.items() if name in entry["parameters"]
            )
            cells.append(
                f'<figure style="margin:0;flex:0 1 {_width(entry)}px"><img class="dark-light" src="{frame}" '
                f'alt="{escape(entry["name"] + about)}" style="width:100%;{_rendering(entry)}">'
                f"<figcaption>{escape(entry['name'] + about)}</figcaption></figure>"
            )
        return (
            f"<p><strong>{escape(self.title)}</strong></p><div "
            f'style="display:flex;flex-wrap:wrap;gap:1rem">{"".join(cells)}'
            f"</div><p>{escape(self.description)}</p>"
        )


def _width(entry):
    return max(entry["width"], 220)


def _rendering(entry):
    return "image-rendering:pixelated" if entry["width"] < 128 else ""


def _entry(name, stack, parameters, colormap):
    """Return (object array of PIL images over the parameters, JSON of the stack)."""
    what = f"images {name!r}"
    values = encode.to_array(stack.values, what)
    axes, rgb = _split(what, values, stack, parameters)
    names = grid.depends_on(what, values.shape[:axes], stack.parameters, parameters, "H, W[, 3]")
    pixels, bar = _pixels(what, values, rgb, stack, colormap)
    height, width = values.shape[axes : axes + 2]
    flat = pixels.reshape(-1, *pixels.shape[axes:])
    images = [_picture(frame, bar) for frame in flat]
    frames = np.empty(len(images), object)
    frames[:] = images
    columns = min(len(images), max(1, 4096 // width), 16)
    atlas = _atlas(flat, columns)
    entry = {
        "name": str(name),
        "parameters": list(names),
        "height": int(height),
        "width": int(width),
        "columns": columns,
        "atlas": encode.data_uri(_picture(atlas, bar), stack.quality),
        "bar": _bar(bar),
    }
    return frames.reshape(values.shape[:axes]), entry


def _split(what, values, stack, parameters):
    """Return (number of parameter axes, whether the last axis is RGB)."""
    counts = (
        {len(parameters), 0}
        if stack.parameters is None
        else {1 if isinstance(stack.parameters, str) else len(stack.parameters)}
    )
    for count in sorted(counts, reverse=True):
        if values.ndim == count + 3 and values.shape[-1] == 3:
            return count, True
        if values.ndim == count + 2:
            return count, False
    expected = " or ".join(
        f"{count + 2} axes, or {count + 3} with 3 channels last" for count in sorted(counts)
    )
    raise ValueError(
        f"{what}: expected {expected}, got shape {values.shape}; "
        "if it depends on some parameters only, give Stack(values, parameters=(...))"
    )


def _pixels(what, values, rgb, stack, colormap):
    """Return (uint8 pixels, None or the palette and limits of one-channel images)."""
    if not np.isfinite(values).all():
        raise ValueError(f"{what}: expected finite values, got NaN or infinity; fill them first")
    if rgb:
        if values.dtype == np.uint8:
            return values, None
        if values.min() < 0 or values.max() > 1:
            raise ValueError(
                f"{what}: expected RGB floats in [0, 1] or uint8, got {values.min():g} to "
                f"{values.max():g}; scale them, or clip them"
            )
        return np.rint(values * 255).astype(np.uint8), None
    name = stack.colormap or colormap
    if values.dtype == np.uint8 and name is None and stack.limits is None:
        return values, None
    low, high = stack.limits or (float(values.min()), float(values.max()))
    if not low <= high:
        raise ValueError(f"{what}: expected limits (low, high), got {stack.limits}; the lower one first")
    scaled = (np.clip(values, low, high).astype(np.float64) - low) / ((high - low) or 1.0)
    return np.rint(scaled * 255).astype(np.uint8), (_palette(what, name or "gray"), float(low), float(high))


def _palette(what, name):
    """Return the 256 colours of a matplotlib colormap, uint8, shape (256, 3)."""
    import matplotlib

    if name not in matplotlib.colormaps:
        raise ValueError(
            f"{what}: expected a colormap of matplotlib, got {name!r}; try 'viridis', 'magma', 'gray' or "
            "'RdBu'"
        )
    return (matplotlib.colormaps[name](np.arange(256))[:, :3] * 255).round().astype(np.uint8)


def _picture(pixels, bar):
    """Return a PIL image of uint8 pixels, shape (H, W) or (H, W, 3), with the palette where there is one."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if bar is not None:
        image = image.convert("L").copy()
        image.putpalette(bar[0].tobytes())
    return image


def _atlas(flat, columns):
    """Lay frames, shape (n, H, W[, 3]), out in one picture of `columns` columns."""
    rows = -(-len(flat) // columns)
    blank = np.zeros((rows * columns - len(flat), *flat.shape[1:]), np.uint8)
    cells = np.concatenate([flat, blank]).reshape(rows, columns, *flat.shape[1:])
    return cells.swapaxes(1, 2).reshape(rows * flat.shape[1], columns * flat.shape[2], *flat.shape[3:])


def _bar(bar):
    """Return {colors, low, high} for the page's colour bar, or None."""
    if bar is None:
        return None
    stops = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in bar[0][::17].tolist()]
    span = abs(bar[2] - bar[1]) or 1.0
    low, high = (0.0 if abs(v) < span * 1e-6 else float(f"{v:.4g}") for v in bar[1:])
    return {"colors": stops, "low": low, "high": high}
