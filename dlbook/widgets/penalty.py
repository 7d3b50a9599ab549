"""Two weights, the bowl of their loss, and a penalty that pulls them to 0: where the minimum comes to lie.

>>> figure = Penalty(title="Two weights", description="A bowl and a penalty.", curvature=[[1, 0], [0, 1]],
...                  minimum=(1.0, 0.25), start={"share of L1": 1, "λ": 0.5})
>>> figure.minimiser().round(2).tolist()
[0.53, 0.0]
"""

import itertools

import numpy as np
import traitlets

from dlbook.widgets import encode, penalty_still, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

SHARE, FACTOR, BESIDE = "share of L1", "λ", "beside it"
DESCENT = "gradient descent"
SHARES = [k / 10 for k in range(11)]
FACTORS = [0, *(round(0.004 * 1.13**k, 4) for k in range(57))]  # 0.004 to 3.8


class Penalty(Figure):
    """The ellipses of a quadratic loss of two weights, and the region that a penalty allows.

    The penalty is λ (s |w|₁ + (1 − s) |w|²), with the share s of L1. The region is where the penalty is at
    most as large as at the minimum of loss and penalty together; that minimum is where an ellipse touches it.

    Args:
        title, description: texts; both are needed.
        curvature: matrix H of the loss (w − m)ᵀ H (w − m) / 2, [2, 2], symmetric and positive.
        minimum: place m of the loss's own minimum, within [-1, 1].
        start: starting value of "share of L1", "λ" and "beside it".

    Attributes:
        values: what the reader chose.
        minimum: m, which the reader may drag; can be set from Python too.

    Raises:
        ValueError: a matrix that is no bowl, or a minimum outside the picture.
    """

    _esm = module_text(
        "controls.js", "stage.js", "square.js", "penalty_rule.js", "penalty_picture.js", "penalty.js"
    )
    _css = style_text("figure.css", "stage.css", "penalty.css")

    minimum = traitlets.List(traitlets.Float()).tag(sync=True)

    def __init__(self, *, curvature, minimum, title="", description="", start=None):
        curvature = _bowl(curvature)
        parameters = grid.checked({SHARE: SHARES, FACTOR: FACTORS, BESIDE: ["nothing", DESCENT]})
        spec = {"parameters": parameters, "order": list(parameters), "curvature": curvature.tolist()}
        place = [float(value) for value in minimum]
        if len(place) != 2 or max(map(abs, place)) > 1:
            raise ValueError(f"minimum: expected two numbers in [-1, 1], got {place}; scale them")
        super().__init__(title, description, spec, values=grid.settings(parameters, start), minimum=place)

    def factors(self):
        """Return the factors λ₁ of |w|₁ and λ₂ of |w|² that the reader chose."""
        share, factor = self.values[SHARE], self.values[FACTOR]
        return share * factor, (1 - share) * factor

    def minimiser(self):
        """Return where loss and penalty together are smallest, [2]."""
        return minimiser(np.array(self.spec["curvature"]), np.array(self.minimum), *self.factors())

    def path(self):
        """Return the minimisers for all λ, from none to the largest, [number, 2]."""
        share, curvature, place = (
            self.values[SHARE],
            np.array(self.spec["curvature"]),
            np.array(self.minimum),
        )
        return np.stack([minimiser(curvature, place, share * f, (1 - share) * f) for f in FACTORS])

    def height(self, inside):
        below = reserve.controls(self.spec["parameters"], inside, cursor=0)
        return reserve.staged(
            self, inside, penalty_still.PenaltyLayout(inside).height, 150, None, below, least=2
        )

    def still(self):
        return penalty_still.draw_penalty(self)


def minimiser(curvature, minimum, lambda1, lambda2):
    """Return the w that minimises (w − m)ᵀ H (w − m) / 2 + λ₁ |w|₁ + λ₂ |w|², [2].

    Each pattern of signs (negative, zero, positive) is tried: on it the problem is linear.
    """
    pull = curvature @ minimum
    system = curvature + 2 * lambda2 * np.eye(2)
    best, least = np.zeros(2), np.inf
    for signs in itertools.product((-1, 0, 1), repeat=2):
        s, w = np.array(signs), np.zeros(2)
        on = s != 0
        if on.any():
            w[on] = np.linalg.solve(system[np.ix_(on, on)], (pull - lambda1 * s)[on])
        if (w * s < 0).any():  # a weight that left its side: the formula of this pattern does not hold there
            continue
        off = w - minimum
        value = off @ curvature @ off / 2 + lambda1 * np.abs(w).sum() + lambda2 * w @ w
        if value < least - 1e-12:
            best, least = w, value
    return best


def descended(curvature, minimum, time):
    """Return where gradient descent with small steps from 0 stands after `time` (steps times rate), [2]."""
    h, axes = np.linalg.eigh(curvature)
    return axes @ ((1 - np.exp(-h * time)) * (axes.T @ minimum))


def _bowl(curvature):
    """Return the matrix, checked: [2, 2], symmetric, both eigenvalues positive."""
    found = encode.to_array(curvature, "curvature").astype(np.float64)
    if found.shape != (2, 2) or not np.allclose(found, found.T) or np.linalg.eigvalsh(found).min() <= 0:
        raise ValueError(
            f"curvature: expected a symmetric, positive matrix [2, 2], got {found.tolist()}; "
            "X.T @ X / n of two columns is one"
        )
    return found
