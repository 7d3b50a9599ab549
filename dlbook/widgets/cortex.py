"""A bar of light on the receptive field of cells: Hubel and Wiesel's experiment, by hand.

>>> import numpy as np
>>> stripe = np.zeros((9, 9))
>>> stripe[:, 4] = 1  # light on the middle column excites
>>> figure = Cortex(title="Cell", description="It likes upright bars.", even=stripe,
...                 odd=np.roll(stripe, 2, 1), length=9, width=1, angles=[0, 45, 90], start={"angle": 90})
>>> [round(value, 3) for value in figure.responses()]
[1.0, 0.0, 1.0]
"""

import numpy as np

from dlbook.widgets import cortex_still, encode, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

NAMES = ("simple cell, a bar", "simple cell, an edge", "complex cell")
LIGHT, DARK = "light", "dark"


class Cortex(Figure):
    """A screen with a bar that can be dragged and turned, and what three cells answer.

    The first simple cell weighs the screen with `even`, the second with `odd`, and fires as much as the sum
    is above 0. The complex cell fires as the root of the summed squares of both sums. Each answer is
    relative to the cell's own best, over light bars of all angles that move through the middle.

    Args:
        title, description: texts; both are needed.
        even, odd: weights of the two filters, [side, side], side odd.
        length, width: of the bar, in cells of the screen.
        angles: ascending, in degrees from 0 up to below 180; 0 is a lying bar, 90 an upright one.
        start: starting value of the parameters angle, x, y and bar ("light" or "dark").

    Attributes:
        values: what the reader chose; x goes to the right, y downwards, from the middle.

    Raises:
        ValueError: filters of another shape, or numbers out of range.
    """

    _esm = module_text("controls.js", "stage.js", "cortex.js")
    _css = style_text("figure.css", "stage.css", "cortex.css")

    def __init__(self, *, even, odd, length, width, angles, title="", description="", start=None):
        pair = _square("even", even), _square("odd", odd)
        if len(pair[0]) != len(pair[1]):
            raise ValueError(
                f"expected filters of one side, got {len(pair[0])} and {len(pair[1])}; cut the larger one"
            )
        filters = np.stack(pair)
        side = filters.shape[-1]
        if not (0 < width <= length <= 2 * side and min(angles) >= 0 and max(angles) < 180):
            raise ValueError(
                f"expected 0 < width <= length <= {2 * side} and angles in [0, 180), got {width}, {length} "
                f"and {min(angles)} to {max(angles)}; correct them"
            )
        packed = encode.pack(filters)
        self._filters = encode.unpack(packed)
        places = list(range(-(side // 2), side // 2 + 1))
        parameters = {"angle": angles, "x": places, "y": places, "bar": [LIGHT, DARK]}
        spec = {
            "parameters": grid.checked(parameters),
            "side": side,
            "length": float(length),
            "width": float(width),
            "filters": packed,
            "names": list(NAMES),
        }
        spec["best"] = _best(self._filters, spec)
        super().__init__(
            title,
            description,
            spec,
            {"filters": len(packed["data"])},
            values=grid.settings(spec["parameters"], {"x": 0, "y": 0, "bar": LIGHT, **(start or {})}),
        )

    def responses(self, values=None):
        """Return what the three cells answer, each relative to its best, at `values` or now."""
        return answers(self._filters, self.spec, {**self.values, **(values or {})})

    def turned(self):
        """Return the answers to the bar at every angle, in its place: [angles, 3]."""
        return np.array([self.responses({"angle": angle}) for angle in self.spec["parameters"]["angle"]])

    def moved(self):
        """Return the answers to the bar moved across itself through the middle of the screen: [side, 3]."""
        return np.array([self.responses(at) for at in across(self.spec, self.values["angle"])])

    def filters(self):
        """Return both filters as the page has them: [2, side, side]."""
        return self._filters

    def height(self, inside):
        board = cortex_still.Board(inside)
        below = reserve.controls(self.spec["parameters"], inside, cursor=0)
        return reserve.staged(self, inside, board.height, 135, 0, below)

    def still(self):
        return cortex_still.draw_cortex(self)


def bar(spec, values):
    """Return the bar on the screen: [side, side], 1 on it (-1 if it is dark), 0 beside it."""
    places = np.arange(spec["side"]) - spec["side"] // 2
    x, y = places[None, :] - values["x"], places[:, None] - values["y"]
    angle = np.deg2rad(values["angle"])
    across_it = np.abs(x * np.sin(angle) + y * np.cos(angle))
    along_it = np.abs(x * np.cos(angle) - y * np.sin(angle))
    part = lambda whole, distance: np.clip(whole / 2 - distance + 0.5, 0, 1)
    light = part(spec["width"], across_it) * part(spec["length"], along_it)
    return -light if values["bar"] == DARK else light


def answers(filters, spec, values):
    """Return what the three cells answer to the bar of `values`, over `spec["best"]`."""
    even, odd = (filters * bar(spec, values)).sum((1, 2))
    fired = (max(0.0, even), max(0.0, odd), float(np.hypot(even, odd)))
    return tuple(float(value / best) for value, best in zip(fired, spec["best"], strict=True))


def across(spec, angle):
    """Return the places of a bar that moves across itself, from one border of the screen to the other."""
    turn = np.deg2rad(angle)
    steps = np.arange(spec["side"]) - spec["side"] // 2
    return [{"angle": angle, "x": step * np.sin(turn), "y": step * np.cos(turn)} for step in steps]


def _best(filters, spec):
    """The largest answer of each cell, over all angles and all places on the way through the middle."""
    plain = {**spec, "best": (1.0, 1.0, 1.0)}
    ways = [at for angle in spec["parameters"]["angle"] for at in across(spec, angle)]
    most = np.max([answers(filters, plain, {**at, "bar": LIGHT}) for at in ways], axis=0)
    if not (most > 0).all():
        raise ValueError("expected filters that some bar excites, got an answer of 0 to all; give others")
    return [float(f"{value:.6g}") for value in most]


def _square(what, weights):
    weights = encode.to_array(weights, what).astype(np.float64)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or len(weights) % 2 == 0:
        raise ValueError(f"{what}: expected a square of an odd side, got {weights.shape}; cut it")
    return weights
