"""Points of two classes that the reader places, and the perceptron's line, corrected at each mistake.

>>> figure = Separator(title="Two points", description="Two corrections.",
...                    sets={"two": ([[0.5, 0.5], [-0.5, -0.5]], [1, 0])})
>>> len(figure.course().missed), figure.course().stopped, figure.bound()[2]
(2, True, 3)
"""

import math
from typing import NamedTuple

import numpy as np
import torch
import traitlets

from dlbook.measure.margin import largest_margin
from dlbook.widgets import encode, reserve, separator_still
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

POINTS, OWN = "points", "your own"
GRID, LIMIT = 32, 40  # steps of the grid to a side of 1, so that all sums are exact; points at most


class Course(NamedTuple):
    """Hold what the rule did: `weights` [mistakes + 1, 3], the points that were missed, and if it stopped."""

    weights: np.ndarray
    missed: list[int]
    stopped: bool


class Separator(Figure):
    """Points in a square, a line that learns to separate them, and the bound on the mistakes.

    The points are shown in order, again and again. One that is on the wrong side is added to the weights
    (w1, w2, b) as (x, y, 1) if it is a yes, and subtracted if it is a no. Beside the square, the squared
    length of the weights runs inside the wedge of Novikoff's proof, which closes at (R / margin) squared.

    Args:
        title, description: texts; both are needed.
        sets: `{name: (points [N, 2] in [-1, 1], labels [N] of 0 and 1)}`; points are moved to a grid of 1/32.
        start: name of the set at the start; None: the first.
        opens: the mistake that is shown at first; None: the run is played when it comes into sight.
        most: mistakes after which a run is given up.

    Attributes:
        values: the chosen set; "your own" as soon as the reader has changed a point.
        points: the points that stand there, [x, y, label] each; can be set from Python too.

    Raises:
        ValueError: no set, too many points, or points and labels that do not fit.
    """

    _esm = module_text(
        "controls.js", "stage.js", "square.js", "separator_rule.js", "separator_picture.js", "separator.js"
    )
    _css = style_text("figure.css", "stage.css", "separator.css")

    points = traitlets.List().tag(sync=True)

    def __init__(self, *, sets, title="", description="", start=None, opens=None, most=999):
        if not sets or OWN in sets:
            raise ValueError(
                f"sets: expected one or more, none of them {OWN!r}, got {list(sets)}; that name is "
                "the reader's"
            )
        spec = {
            "sets": {name: _points(name, *given) for name, given in sets.items()},
            "most": int(most),
            "opens": opens,
        }
        spec["parameters"] = grid.checked({POINTS: [*sets, OWN]})
        chosen = grid.settings(spec["parameters"], {} if start is None else {POINTS: start})
        points = spec["sets"][chosen[POINTS]]
        super().__init__(title, description, spec, values=chosen, points=points)

    @traitlets.observe("values")
    def _take_set(self, change):
        name = change["new"].get(POINTS)
        if name in self.spec.get("sets", {}):
            self.points = self.spec["sets"][name]

    def course(self):
        """Return what the rule does on the points that stand there, as the page runs it."""
        return course(self.points, self.spec["most"])

    def bound(self):
        """Return the radius R, the largest margin, and the most mistakes that they allow (or infinity)."""
        return bound(self.points)

    def height(self, inside):
        picture = separator_still.Sheet(inside).height
        below = 66 + 37 * (inside < 900) + 79 * (inside < 520)
        return reserve.staged(self, inside, picture, 120, 0, below, least=2)

    def still(self):
        return separator_still.draw_separator(self)


def course(points, most):
    """Run the rule over points [x, y, label], shown in order until a whole pass is right.

    Args:
        most: mistakes after which it is given up.
    """
    weights, missed, right, look = [np.zeros(3)], [], 0, 0
    while right < len(points) and len(missed) < most:
        number = look % len(points)
        x, y, label = points[number]
        inputs, look = np.array([x, y, 1.0]), look + 1
        answer = int(weights[-1] @ inputs >= 0)
        if answer == label:
            right += 1
            continue
        right = 0
        missed.append(number)
        weights.append(weights[-1] + (label - answer) * inputs)
    return Course(np.stack(weights), missed, right >= len(points))


def bound(points):
    """Return R, the largest margin and the most mistakes for points [x, y, label]."""
    if not points:
        return 0.0, 0.0, math.inf
    inputs = torch.tensor([[x, y, 1.0] for x, y, _ in points], dtype=torch.float64)
    signs = torch.tensor([2 * label - 1 for *_, label in points], dtype=torch.float64)
    radius, margin = inputs.norm(dim=1).max().item(), largest_margin(inputs * signs[:, None]).margin
    return radius, margin, math.floor((radius / margin) ** 2 + 1e-6) if margin else math.inf


def _points(name, points, labels):
    """Return one set as lists [x, y, label], on the grid."""
    points, labels = encode.to_array(points, f"set {name!r}"), encode.to_array(labels, f"labels of {name!r}")
    if points.ndim != 2 or points.shape[1] != 2 or len(points) != len(labels) or len(points) > LIMIT:
        raise ValueError(
            f"set {name!r}: expected points [N, 2] and N labels, at most {LIMIT}, got {points.shape} and "
            f"{labels.shape}; give one label for each point"
        )
    if np.abs(points).max() > 1 or not np.isin(labels, (0, 1)).all():
        raise ValueError(
            f"set {name!r}: expected places in [-1, 1] and labels 0 or 1, got places up to "
            f"{np.abs(points).max():g} and labels {sorted(set(labels.tolist()))}; scale them"
        )
    places = (points.astype(np.float64) * GRID).round() / GRID
    return [[*place, int(label)] for place, label in zip(places.tolist(), labels, strict=True)]
