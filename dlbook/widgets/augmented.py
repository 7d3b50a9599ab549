"""A picture, an augmentation and its strength: the result, and the place that each of its pixels comes from.

>>> import numpy as np
>>> figure = Augmented(title="Turned", description="A ramp.", pictures={"ramp": np.eye(8)},
...                    start={"augmentation": "rotation", "strength": 0.5}, place=(0, 7))
>>> figure.told()["source"]
(7.0, 7.0)
"""

import math

import numpy as np
import traitlets
from PIL import Image

from dlbook.browser.bundle import engine_sources, without_comments, without_modules
from dlbook.widgets import augmented_rules as rules
from dlbook.widgets import augmented_still, encode, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

PICTURE, KIND, STRENGTH, MODE = "picture", "augmentation", "strength", "interpolation"
STRENGTHS = [step / 20 for step in range(-20, 21)]


class Augmented(Figure):
    """A picture and what an augmentation makes of it, computed in the page; the reader points at a pixel.

    Beside the result stands the picture, with the place that the pixel is taken from and the pixels that
    answer. What an augmentation does at which strength stands in `augmented_rules`.

    Args:
        title, description: texts; both are needed.
        pictures: {name: square, [side, side] or [side, side, 3] in [0, 1]}.
        kinds: the augmentations of the menu, of `augmented_rules.KINDS`.
        place: (row, column) of the pixel that is pointed at; None: a little off the middle.
        start: starting value of the parameters picture, augmentation, strength (-1 to 1), interpolation.

    Attributes:
        values: what the reader chose.
        row, column: of the pixel in the result, if the picture is the largest one; in a smaller one the place
            is as far from the edges.

    Raises:
        ValueError: pictures that are no squares or lie outside [0, 1], or an unknown augmentation.
    """

    _esm = without_comments(without_modules(engine_sources(("random.js",)))) + "\n"
    _esm += module_text("controls.js", "stage.js", "augmented_rules.js", "augmented.js")
    _css = style_text("figure.css", "stage.css", "augmented.css")

    row = traitlets.Int().tag(sync=True)
    column = traitlets.Int().tag(sync=True)

    def __init__(self, *, pictures, title="", description="", kinds=rules.KINDS, place=None, start=None):
        self._pixels = {name: _pixels(name, picture) for name, picture in pictures.items()}
        unknown = set(kinds) - set(rules.KINDS)
        if unknown:
            raise ValueError(
                f"kinds: expected some of {rules.KINDS}, got {sorted(unknown)}; take one of these"
            )
        parameters = {
            PICTURE: list(pictures),
            KIND: list(kinds),
            STRENGTH: STRENGTHS,
            MODE: [rules.BILINEAR, rules.NEAREST],
        }
        spec = {
            "parameters": grid.checked(parameters),
            "sides": [len(pixels) for pixels in self._pixels.values()],
            "axes": [_axis(pixels) for pixels in self._pixels.values()],
            "pixels": [_packed(pixels) for pixels in self._pixels.values()],
        }
        values = grid.settings(spec["parameters"], start)
        side, most = len(self._pixels[values[PICTURE]]), max(spec["sides"])
        place = (side // 3, side // 2 + side // 8) if place is None else place
        row, column = (math.ceil(number * most / side) for number in place)
        sizes = {name: len(data) for name, data in zip(pictures, spec["pixels"], strict=True)}
        super().__init__(title, description, spec, sizes, values=values, row=row, column=column)

    @traitlets.validate("row", "column")
    def _check_place(self, proposal):
        return max(0, min(proposal["value"], max(self.spec["sides"]) - 1))

    def how_to_shrink(self, spec):
        return f"give fewer or smaller pictures ({spec['parameters'][PICTURE]}, sides {spec['sides']})"

    def picture(self, values=None):
        """Return the picture as it came, [side, side, 3] in [0, 1], in steps of 1/255."""
        return self._pixels[{**self.values, **(values or {})}[PICTURE]] / 255

    def place(self, values=None):
        """Return row and column of the pixel in the current picture."""
        side, most = len(self.picture(values)), max(self.spec["sides"])
        return self.row * side // most, self.column * side // most

    def shown(self, values=None):
        """Return the result, [side, side, 3] in [0, 1]."""
        now = {**self.values, **(values or {})}
        axis = self.spec["axes"][self.spec["parameters"][PICTURE].index(now[PICTURE])]
        given = self.picture(values), now[KIND], now[STRENGTH], self.place(values), now[MODE], axis
        return rules.changed(*given)

    def told(self, values=None):
        """Return the place that the pixel is taken from, and the colours there and in the result."""
        now, place = {**self.values, **(values or {})}, self.place(values)
        picture = self.picture(values)
        source = rules.source(now[KIND], now[STRENGTH], len(picture), place)
        inside = all(-0.5 <= number <= len(picture) - 0.5 for number in source)
        found = {"source": tuple(float(round(number, 9)) for number in source), "inside": inside}
        return found | {"before": picture[place].tolist(), "after": self.shown(values)[place].tolist()}

    def height(self, inside):
        layout = augmented_still.AugmentedLayout(inside)
        below = reserve.controls(self.spec["parameters"], inside, cursor=0)
        return reserve.staged(self, inside, layout.height, 185, None, below, least=2)

    def still(self):
        return augmented_still.draw_augmented(self)


def _pixels(name, picture):
    """Return a picture as uint8 [side, side, 3]."""
    values = encode.to_array(picture, f"picture {name!r}")
    square = values.ndim in (2, 3) and values.shape[0] == values.shape[1] and values.shape[2:] in ((), (3,))
    if not square or not 0 <= values.min() <= values.max() <= 1:
        raise ValueError(
            f"picture {name!r}: expected a square [side, side] or [side, side, 3] in [0, 1], got shape "
            f"{values.shape}, {values.min():g} to {values.max():g}; crop it, channels last"
        )
    colours = values if values.ndim == 3 else np.repeat(values[..., None], 3, 2)
    return np.rint(colours * 255).astype(np.uint8)


def _packed(pixels):
    """Return differences to the pixels above, channel by channel, deflated; augmented.js has the inverse."""
    rows = np.moveaxis(pixels, 2, 0)
    return encode.deflated(np.diff(rows, axis=1, prepend=np.zeros_like(rows[:, :1])).tobytes())


def _axis(pixels):
    """Return the first principal component of the colours times its variance, lighter colours ahead."""
    variances, axes = np.linalg.eigh(np.cov(pixels.reshape(-1, 3).T / 255))
    axis = variances[-1] * axes[:, -1]
    return [float(f"{number:.6g}") for number in axis * np.sign(axis.sum() or 1)]


def image_of(picture):
    """Return a picture in [0, 1] as a PIL image."""
    return Image.fromarray(np.floor(picture * 255 + 0.5).astype(np.uint8))
