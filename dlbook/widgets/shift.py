"""A picture dragged over a dark field, and what several networks say of it at every place.

>>> import numpy as np
>>> probs = np.zeros((1, 1, 3, 3, 2))
>>> probs[..., 1], probs[0, 0, 1, 1] = 1, (0.75, 0.25)
>>> figure = Shift(title="Shift", description="Right in the middle only.", pictures={"a 0": np.zeros((8, 8))},
...                truths=[0], networks={"Dense": ("fully connected", probs[0])}, middle=4)
>>> figure.right_at("Dense", "a 0"), figure.said("Dense", "a 0", 1, 0)
(1, (1, 1.0))
"""

import numpy as np
from PIL import Image

from dlbook.widgets import encode, reserve, shift_still
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

PICTURE, RIGHT, DOWN = "picture", "to the right", "down"


class Shift(Figure):
    """A picture that the reader drags, the answer of each network there, and a map of where each is right.

    Args:
        title, description: texts; both are needed.
        pictures: {name: [H, H] in [0, 1]}, in the middle of the field that the networks see.
        truths: number of the true class of each picture.
        networks: {name: (a note of a few words, probabilities [pictures, S, S, classes])}. S is odd; place
            (i, j) is the picture moved by i - (S - 1) / 2 pixels down and j - (S - 1) / 2 to the right.
        middle: side of the square in which the networks have learnt, pixels.
        start: starting value of the parameters picture, "to the right" and "down".

    Attributes:
        values: what the reader chose; can be set from Python too.

    Raises:
        ValueError: shapes that do not fit, values outside [0, 1], or truths that are no class.
    """

    _esm = module_text("controls.js", "stage.js", "shift.js")
    _css = style_text("figure.css", "stage.css", "shift.css")

    def __init__(self, *, pictures, truths, networks, middle, title="", description="", start=None):
        self._pixels = _pixels(pictures)
        self._probs = {name: _probs(name, probs, truths) for name, (_, probs) in networks.items()}
        shapes = {probs.shape for probs in self._probs.values()}
        if len(shapes) != 1 or {shape[0] for shape in shapes} != {len(self._pixels)}:
            raise ValueError(
                f"networks: expected probabilities [{len(self._pixels)}, S, S, classes] of one shape, got "
                f"{sorted(shapes)}; ask every network for every picture at every place"
            )
        side, classes = next(iter(shapes))[2:]
        reach = list(range(-(side // 2), side // 2 + 1))
        spec = {
            "parameters": grid.checked({PICTURE: list(pictures), RIGHT: reach, DOWN: reach}),
            "names": list(networks),
            "notes": [str(note) for note, _ in networks.values()],
            "truths": [int(truth) for truth in truths],
            "side": side,
            "classes": classes,
            "field": self._pixels.shape[-1],
            "middle": int(middle),
            "atlas": encode.data_uri(Image.fromarray(np.concatenate(list(self._pixels), 1))),
            "data": encode.deflated(np.stack(list(self._probs.values())).tobytes()),
        }
        values = grid.settings(spec["parameters"], {RIGHT: 0, DOWN: 0, **(start or {})})
        super().__init__(title, description, spec, {"places": len(spec["data"])}, values=values)

    def how_to_shrink(self, spec):
        return f"give fewer pictures ({len(spec['truths'])}) or fewer places ({spec['side']} a side)"

    def said(self, network, picture, right, down):
        """Return the class that a network gives to a picture at a place, and its probability."""
        number, reach = self.spec["parameters"][PICTURE].index(picture), self.spec["side"] // 2
        levels = self._probs[network][number, down + reach, right + reach]
        return int(levels.argmax()), float(levels.max() / 255)

    def right_at(self, network, picture):
        """Return at how many places a network is right about a picture."""
        return int(self.right(network, picture).sum())

    def right(self, network, picture):
        """Return where a network is right about a picture: [S, S], true or false."""
        number = self.spec["parameters"][PICTURE].index(picture)
        return self._probs[network][number].argmax(-1) == self.spec["truths"][number]

    def picture(self):
        """Return the picture that is shown, uint8 [H, H], before it is moved."""
        return self._pixels[self.spec["parameters"][PICTURE].index(self.values[PICTURE])]

    def height(self, inside):
        desk = shift_still.ShiftLayout(inside, len(self.spec["names"]), self.spec["classes"])
        letters = 40 + sum(len(name) + 28 for name in self.spec["names"])
        below = reserve.controls(self.spec["parameters"], inside, cursor=0)
        return reserve.staged(self, inside, desk.height, letters, None, below)

    def still(self):
        return shift_still.draw_shift(self)


def _pixels(pictures):
    """Return the pictures as uint8 [pictures, H, H]."""
    found = [encode.to_array(picture, f"picture {name!r}") for name, picture in pictures.items()]
    if len({p.shape for p in found}) != 1 or found[0].ndim != 2 or found[0].shape[0] != found[0].shape[1]:
        raise ValueError(
            f"pictures: expected squares of one side, got shapes {sorted({p.shape for p in found})}; pad them"
        )
    pixels = np.stack(found)
    if not 0 <= pixels.min() <= pixels.max() <= 1:
        raise ValueError(
            f"pictures: expected values in [0, 1], got {pixels.min():g} to {pixels.max():g}; scale them"
        )
    return np.rint(pixels * 255).astype(np.uint8)


def _probs(name, probs, truths):
    """Return probabilities as levels of 1/255, uint8 [pictures, S, S, classes]."""
    probs = encode.to_array(probs, f"network {name!r}").astype(np.float64)
    if probs.ndim != 4 or probs.shape[1] != probs.shape[2] or probs.shape[1] % 2 == 0:
        raise ValueError(
            f"network {name!r}: expected [pictures, S, S, classes] with S odd, got shape {probs.shape}; "
            "the middle place is the picture as it stands"
        )
    if np.abs(probs.sum(-1) - 1).max() > 1e-3 or probs.min() < 0:
        raise ValueError(f"network {name!r}: expected probabilities that sum to one, got others; use softmax")
    if len(truths) != len(probs) or not all(0 <= truth < probs.shape[-1] for truth in truths):
        raise ValueError(
            f"truths: expected {len(probs)} classes below {probs.shape[-1]}, got {list(truths)}; give one a "
            "picture"
        )
    return np.rint(probs * 255).astype(np.uint8)
