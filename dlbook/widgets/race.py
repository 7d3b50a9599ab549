"""Balls of six optimizers on a surface of two weights: the reader drops them, and chooses method and rate.

>>> figure = Race(title="Race", description="They roll.", surfaces={"bowl": [(0.5, 2, 0), (0.5, 0, 2)]},
...               rates=[0.1, 0.5, 2.5], start=(1.5, 0), updates=20)
>>> figure.best("SGD"), bool(figure.losses("SGD", 0.5)[-1] < 1e-10), bool(figure.losses("SGD", 2.5)[-1] > 1e3)
(0.5, True, True)
"""

import math

import numpy as np
from matplotlib.figure import Figure as Canvas

from dlbook.widgets import parameters as grid
from dlbook.widgets import race_rules, race_still, reserve
from dlbook.widgets.figure import Figure, module_text, style_text
from dlbook.widgets.race_rules import METHODS

REACH, PLACES = 2.0, 80  # the map shows -2 to 2 in both weights; steps of the start over it
RINGS, UNIT = 9, 500  # lines of equal loss; whole numbers in which their points travel, from -2 to 2
SURFACE, METHOD, RATE, MOMENTUM, OTHERS = "surface", "method", "rate", "momentum", "others"
X, Y = "start x", "start y"
HIDDEN, BEST = "hidden", "each at its best rate"
MOMENTA = [0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99]


class Race(Figure):
    """A map of a loss of two weights, a ball that a method rolls over it, and the other methods beside it.

    Beside the map stand the losses over the updates, and the loss after the last one against the rate, of
    every method. The page computes all of it, by the rules of `race_rules.js`, whenever the reader drops the
    balls elsewhere.

    Args:
        title, description: texts; both are needed.
        surfaces: `{name: terms (factor, power of x, power of y)}`, polynomials of 0 or more on the map.
        rates: ascending learning rates, for the slider and for the sweep.
        start: first x and y.
        updates: number of updates.
        chosen: values at the start, by the names of the controls; None: the first or the middle ones.

    Attributes:
        values: surface, method, rate, momentum, others, start x and start y; can be set from Python too.

    Raises:
        ValueError: no surface, one that goes below 0, or a start outside the map.
    """

    tabled = True
    _esm = module_text(
        "controls.js", "numbers.js", "stage.js", "square.js", "race_rules.js", "race_picture.js", "race.js"
    )
    _css = style_text("figure.css", "numbers.css", "stage.css", "race.css")

    def __init__(self, *, surfaces, rates, start, updates=100, chosen=None, title="", description=""):
        spec = {
            "updates": int(updates),
            "surfaces": {name: _surface(name, s) for name, s in surfaces.items()},
        }
        if max(map(abs, start)) > REACH:
            raise ValueError(f"expected a start inside -2 to 2, got {tuple(start)}; drop it on the map")
        places = [round(REACH * (2 * k / PLACES - 1), 4) for k in range(PLACES + 1)]
        spec["parameters"] = grid.checked({
            SURFACE: list(surfaces), METHOD: list(METHODS), RATE: rates, MOMENTUM: MOMENTA,
            OTHERS: [BEST, HIDDEN], X: places, Y: places,
        })  # fmt: skip
        first = {MOMENTUM: 0.9, X: start[0], Y: start[1], **(chosen or {})}
        sizes = {name: len(str(surface)) for name, surface in spec["surfaces"].items()}
        super().__init__(title, description, spec, sizes, values=grid.settings(spec["parameters"], first))

    def terms(self):
        """Return the terms of the chosen surface."""
        return self.spec["surfaces"][self.values[SURFACE]]["terms"]

    def start(self):
        """Return where the balls are dropped, x and y."""
        return self.values[X], self.values[Y]

    def _course(self, method, rates):
        momentum, updates = self.values[MOMENTUM], self.spec["updates"]
        return race_rules.course(self.terms(), method, rates, momentum, self.start(), updates)

    def places(self, method, rate):
        """Return where the ball of a method is before the first update and after each, [updates + 1, 2]."""
        return self._course(method, [rate])[0][0]

    def losses(self, method, rate):
        """Return its losses, [updates + 1]; infinite once it is lost."""
        return self._course(method, [rate])[1][0]

    def sweep(self, method):
        """Return the loss after the last update at each of the rates; infinite where the ball is lost."""
        return self._course(method, self.spec["parameters"][RATE])[1][:, -1]

    def best(self, method):
        """Return the rate with the lowest loss after the last update."""
        return self.spec["parameters"][RATE][int(np.argmin(self.sweep(method)))]

    def how_to_shrink(self, spec):
        return f"give fewer surfaces (there are {len(spec['surfaces'])})"

    def height(self, inside):
        shown = {name: values for name, values in self.spec["parameters"].items() if name not in (X, Y)}
        below = reserve.controls(shown, inside, cursor=0)
        return reserve.staged(
            self, inside, race_still.Chart(inside, self.spec).height, 170, 0, below, least=2
        )

    def still(self):
        return race_still.draw_race(self)


def _surface(name, terms):
    """Return the terms of a surface, its rings as paths, and the powers of ten of its losses."""
    terms = [[float(c), int(i), int(j)] for c, i, j in terms]
    line = np.linspace(-REACH, REACH, 161)
    x, y = np.meshgrid(line, line)
    height = np.broadcast_to(race_rules.loss(terms, x, y), x.shape)
    if not (np.isfinite(height).all() and height.min() > -1e-9 and height.max() > height.min()):
        raise ValueError(
            f"surface {name!r}: expected losses of 0 or more that differ, got {height.min():g} to "
            f"{height.max():g}; add a constant"
        )
    low, high = height.min(), height.max()
    levels = [low + (high - low) * (k / (RINGS + 1)) ** 2.6 for k in range(1, RINGS + 1)]
    top = math.ceil(math.log10(high))
    return {
        "terms": terms,
        "rings": [_ring(x, y, height, level) for level in levels],
        "range": [top - 8, top],
    }


def _ring(x, y, height, level):
    """Return the outline of what lies below a level, as an SVG path of whole numbers."""
    axes = Canvas().subplots()
    (found,) = axes.contourf(x, -y, height, levels=[height.min() - 1, level]).get_paths()
    drawn, last = [], None
    for corners in found.to_polygons():
        points = np.rint(_thin(corners[:-1]) * UNIT / (2 * REACH) + UNIT / 2).astype(int)
        for number, point in enumerate(points):
            move = point if number == 0 else point - last
            drawn.append(f"{'M' if number == 0 else 'l'}{move[0]} {move[1]}")
            last = point
        drawn.append("Z")
    return "".join(drawn).replace(" -", "-")


def _thin(points, bend=0.003):
    """Leave out the points of a closed line that lie nearly on a straight line between those that stay."""
    kept, at = [0], 0
    while at < len(points) - 1:
        to = at + 1
        while to + 1 < len(points) and to - at < 40:
            chord = points[to + 1] - points[at]
            offsets = points[at + 1 : to + 1] - points[at]
            far = np.abs(offsets[:, 0] * chord[1] - offsets[:, 1] * chord[0]) / max(np.hypot(*chord), 1e-9)
            if far.max() > bend:
                break
            to += 1
        kept.append(to)
        at = to
    return points[kept]
