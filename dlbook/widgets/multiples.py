"""Small multiples: many curves and their slopes in small squares, with one x over all of them.

>>> from dlbook.widgets.curves import Curve
>>> figure = Multiples(title="Two", description="A line and a square.", x=[-1.0, 0.0, 1.0], cursor=1.0,
...                    curves=[Curve("line", [-1, 0, 1], [1, 1, 1]), Curve("square", [1, 0, 1], [-2, 0, 2])])
>>> figure.read()
{'line': (1.0, 1.0), 'square': (1.0, 2.0)}
"""

import numpy as np
import traitlets

from dlbook.widgets import encode, multiples_still, reserve
from dlbook.widgets.figure import Figure, module_text, style_text


class Multiples(Figure):
    """Curves with their slopes in small squares of one scale, and a reading of all of them at one x.

    Args:
        title, description: texts; both are needed.
        x: ascending numbers, shape (n,), n >= 3.
        curves: list of :class:`Curve` with values and gradient of shape (n,); a curve may jump.
        y_range: (low, high) of every square.
        cursor: starting x; None: the middle.
        flat: a slope whose size is below this is called flat.
        value_name, slope_name: what a curve and its gradient are called.

    Attributes:
        cursor: the x that the reader chose; can be set from Python too.

    Raises:
        ValueError: shapes that do not fit, names that repeat, or a range without height.
    """

    tabled = True
    _esm = module_text("controls.js", "numbers.js", "plot.js", "stage.js", "multiples.js")
    _css = style_text("figure.css", "numbers.css", "stage.css", "multiples.css")

    cursor = traitlets.Float().tag(sync=True)

    def __init__(
        self,
        *,
        x,
        curves,
        title="",
        description="",
        y_range=(-2, 4),
        cursor=None,
        flat=0.01,
        value_name="f(x)",
        slope_name="f′(x)",
    ):
        x = encode.to_array(x, "x").astype(np.float64)
        if x.ndim != 1 or x.size < 3 or not (np.diff(x) > 0).all():
            raise ValueError(f"x: expected three or more ascending numbers, got shape {x.shape}; sort them")
        names = [curve.name for curve in curves]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"curves: expected one or more with different names, got {names}; rename them")
        low, high = y_range
        if not low < high:
            raise ValueError(f"y_range: expected (low, high) with low < high, got {y_range}; exchange them")
        spec = {
            "x": [float(f"{value:.6g}") for value in x],
            "range": [float(low), float(high)],
            "flat": float(flat),
            "value": value_name,
            "slope": slope_name,
            "curves": [_entry(curve, x) for curve in curves],
        }
        sizes = {entry["name"]: len(entry["values"]["data"]) for entry in spec["curves"]}
        start = float(x[len(x) // 2] if cursor is None else cursor)
        super().__init__(title, description, spec, sizes, cursor=start)

    @traitlets.validate("cursor")
    def _check_cursor(self, proposal):
        return min(self.spec["x"], key=lambda x: abs(x - proposal["value"]))

    def how_to_shrink(self, spec):
        return f"give fewer points (x has {len(spec['x'])}) or fewer curves ({len(spec['curves'])})"

    def read(self):
        """Return {name: (value, slope)} at the cursor, rounded to four decimals as on the page."""
        at = self.spec["x"].index(self.cursor)
        return {
            entry["name"]: tuple(round(float(encode.unpack(entry[k])[at]), 4) for k in ("values", "slopes"))
            for entry in self.spec["curves"]
        }

    def height(self, inside):
        columns, edge, gap, words = (3, 9.6, 8, 62.5) if inside == reserve.NARROW else (5, 12.8, 11.2, 47.4)
        side = (inside - 2 * edge - (columns - 1) * gap) / columns
        rows, square = -(-(len(self.spec["curves"]) + 2) // columns), side * 130 / 170 + words
        stage = 2 * edge + (rows - 1) * (square + gap) + max(square, 157)
        below = reserve.controls({}, inside)
        return reserve.title(self.title, inside) + stage + 12.8 + below

    def still(self):
        return multiples_still.draw_multiples(self)


def _entry(curve, x):
    """Return the JSON of one square."""
    if curve.gradient is None:
        raise ValueError(f"curve {curve.name!r}: expected a gradient, got none; give one")
    rows = [encode.to_array(row, f"curve {curve.name!r}") for row in (curve.values, curve.gradient)]
    for row in rows:
        if row.shape != x.shape:
            raise ValueError(
                f"curve {curve.name!r}: expected {len(x)} values and slopes, as many as x, got shape "
                f"{row.shape}; a square has no parameters"
            )
    jumps = [int(np.abs(x - jump).argmin()) for jump in curve.jumps]
    packed = [encode.pack(row) for row in rows]
    return {"name": str(curve.name), "values": packed[0], "slopes": packed[1], "jumps": jumps}
