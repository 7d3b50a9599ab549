"""Two views of one picture: the label that the weak one gives, and what the strong one has to learn.

>>> import numpy as np
>>> q, p = [[0.1, 0.9]], [[[0.5, 0.5]]]
>>> figure = Views(title="Views", description="A label passes.", names=["a one"], classes=["0", "1"],
...                truths=[1], strengths=[1.0], weak=np.zeros((1, 4, 4)), weak_probs=q,
...                strong=np.zeros((1, 1, 4, 4)), strong_probs=p, thresholds=[0.8, 0.95], start={"τ": 0.8})
>>> figure.lesson()["label"], round(figure.lesson()["loss"], 3)
('1', 0.693)
"""

import math

import numpy as np
from PIL import Image

from dlbook.widgets import encode, reserve, views_still
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

PICTURE, THRESHOLD, STRENGTH = "picture", "τ", "strength"


class Views(Figure):
    """A weak and a strong view, the probabilities of each, a threshold, and the label that passes.

    Args:
        title, description: texts; both are needed.
        names: of the pictures, in the order of the first axes.
        classes: name of each class.
        truths: number of the true class of each picture, which the method never sees.
        strengths: ascending strengths of the strong view.
        weak: values in [0, 1], [pictures, H, W]; strong: the same, [pictures, strengths, H, W].
        weak_probs, strong_probs: probabilities [pictures, classes] and [pictures, strengths, classes].
        thresholds: ascending values of the threshold τ.
        start: starting value of the parameters picture, τ and strength.

    Raises:
        ValueError: shapes that do not fit, or probabilities that do not sum to one.
    """

    tabled = True
    _esm = module_text("controls.js", "numbers.js", "stage.js", "views.js")
    _css = style_text("figure.css", "numbers.css", "stage.css", "views.css")

    def __init__(
        self,
        *,
        names,
        classes,
        truths,
        strengths,
        weak,
        strong,
        weak_probs,
        strong_probs,
        thresholds,
        title="",
        description="",
        start=None,
    ):
        parameters = grid.checked({PICTURE: list(names), THRESHOLD: thresholds, STRENGTH: strengths})
        lead = (len(names), len(strengths))
        self._atlas = _atlas(_shaped("weak", weak, lead[:1], 3), _shaped("strong", strong, lead, 4))
        spec = {
            "parameters": parameters,
            "classes": [str(name) for name in classes],
            "truths": _truths(truths, len(names), len(classes)),
            "side": self._atlas.shape[0] // len(names),
            "weak": _probabilities("weak_probs", weak_probs, (*lead[:1], len(classes))),
            "strong": _probabilities("strong_probs", strong_probs, (*lead, len(classes))),
            "atlas": encode.data_uri(Image.fromarray(self._atlas)),
        }
        sizes = {"views": len(spec["atlas"])}
        super().__init__(title, description, spec, sizes, values=grid.settings(parameters, start))

    def how_to_shrink(self, spec):
        return f"give fewer pictures or strengths ({spec['parameters']})"

    def at(self):
        """Return the numbers of the current picture and strength."""
        return grid.index(self.spec["parameters"], (PICTURE, STRENGTH), self.values)

    def lesson(self):
        """Return what is learnt now: both rows of probabilities, the label or None, and the loss."""
        picture, strength = self.at()
        q, p = self.spec["weak"][picture], self.spec["strong"][picture][strength]
        best = int(np.argmax(q))
        passes = q[best] >= self.values[THRESHOLD]
        loss = -math.log(max(p[best], 1e-4)) if passes else 0.0
        return {"q": q, "p": p, "best": best, "label": self.spec["classes"][best] if passes else None} | {
            "loss": loss
        }

    def height(self, inside):
        desk = views_still.Desk(inside, len(self.spec["classes"]))
        words = 50 if 640 <= inside < 820 else 0  # the words stand below the bars, not beside them
        letters = 129 + 2 * max(map(len, self.spec["classes"]))
        below = reserve.controls(self.spec["parameters"], inside, cursor=0)
        return reserve.staged(self, inside, desk.height + words, letters, None, below)

    def still(self):
        return views_still.draw_views(self)

    def pictures(self):
        """Return the addresses of the current weak and strong view."""
        picture, strength = self.at()
        side = self.spec["side"]
        row = self._atlas[picture * side : (picture + 1) * side]
        columns = (0, 1 + strength)
        return [encode.data_uri(Image.fromarray(row[:, c * side : (c + 1) * side])) for c in columns]


def _shaped(what, values, lead, axes):
    """Return pictures as an array of the expected leading shape, square, in [0, 1]."""
    values = encode.to_array(values, what)
    if values.ndim != axes or values.shape[: axes - 2] != lead or values.shape[-1] != values.shape[-2]:
        raise ValueError(f"{what}: expected shape {(*lead, 'side', 'side')}, got {values.shape}; reshape it")
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise ValueError(
            f"{what}: expected values in [0, 1], got {values.min():g} to {values.max():g}; scale"
        )
    return values


def _atlas(weak, strong):
    """Return all views in one picture: a row a picture, the weak view first, as bytes."""
    if weak.shape[-1] != strong.shape[-1]:
        raise ValueError(f"expected views of one side, got {weak.shape[-1]} and {strong.shape[-1]}; resize")
    views = np.concatenate([weak[:, None], strong], axis=1)
    pictures, columns, side, _ = views.shape
    flat = views.transpose(0, 2, 1, 3).reshape(pictures * side, columns * side)
    return np.rint(flat * 255).astype(np.uint8)


def _truths(truths, pictures, classes):
    truths = [int(truth) for truth in truths]
    if len(truths) != pictures or not all(0 <= truth < classes for truth in truths):
        raise ValueError(
            f"truths: expected {pictures} classes from 0 to {classes - 1}, got {truths}; one a picture"
        )
    return truths


def _probabilities(what, values, shape):
    """Return probabilities as nested lists of four decimals."""
    values = encode.to_array(values, what).astype(np.float64)
    if values.shape != shape:
        raise ValueError(f"{what}: expected shape {shape}, got {values.shape}; reshape it")
    if not np.allclose(values.sum(-1), 1, atol=1e-3) or values.min() < 0:
        raise ValueError(f"{what}: expected probabilities that sum to 1, got another sum; take the softmax")
    return values.round(4).tolist()
