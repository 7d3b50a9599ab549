"""Two pictures, mixed by the reader's hand, and what networks say of every mixture between them.

>>> import torch
>>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
>>> figure = Mixed(title="Mixed", description="A line.", networks={"plain": net}, pairs={"a 0 and a 1":
...                (torch.ones(1, 4, 4), torch.zeros(1, 4, 4))}, labels=[(0, 1)], start={"λ": 0.5})
>>> float(figure.mixture().mean()), figure.along("plain").shape
(0.5, (51, 2))
"""

import numpy as np
from PIL import Image

from dlbook.widgets import encode, mixed_still, reserve
from dlbook.widgets import mixed_rule as rules
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

PAIR, RULE, WEIGHT, ROW, COLUMN = "pair", "rule", "λ", "row", "column"
WEIGHTS = [round(0.02 * k, 2) for k in range(51)]


class Mixed(Figure):
    """Two pictures, a rule that mixes them, and the probabilities of networks along λ.

    In the page the reader drags the box of CutMix, or λ; the networks run there.

    Args:
        title, description: texts; both are needed.
        networks: {name: network}, whose modules with weights are two linear layers with a ReLU between them,
            all of one size. They see the picture as means over squares.
        pairs: {name: (picture, picture)}, each [1, H, H] in [0, 1].
        labels: the two classes of each pair.
        start: starting value of "pair", "rule" (mixup or CutMix), "λ", and "row" and "column" of the box.

    Attributes:
        values: what the reader chose.

    Raises:
        ValueError: networks, pictures or labels that do not fit.
    """

    _esm = module_text(
        *("controls.js", "stage.js", "square.js", "mixed_rule.js", "mixed_picture.js", "mixed.js"),
        wanted=("render",),
    )
    _css = style_text("figure.css", "stage.css", "mixed.css")

    def __init__(self, *, networks, pairs, labels, title="", description="", start=None):
        self._bytes = _pictures(pairs)
        layers = [_layers(name, net) for name, net in networks.items()]
        side, classes = self._bytes.shape[-1], len(layers[0][3])
        hidden, pixels = layers[0][0].shape
        factor = _factor(side, pixels)
        if len({net[0].shape + net[2].shape for net in layers}) != 1:
            raise ValueError("networks: expected all of one size, got several; build them alike")
        packed = encode.pack(np.concatenate([part.ravel() for net in layers for part in net]))
        self._numbers = encode.unpack(packed)
        places = list(range(side))
        spec = {
            "parameters": grid.checked(
                {PAIR: list(pairs), RULE: [rules.MIXUP, rules.CUTMIX], WEIGHT: WEIGHTS}
                | {ROW: places, COLUMN: places}
            ),
            "networks": list(networks),
            "labels": _labels(labels, len(pairs), classes),
            "side": side,
            "factor": factor,
            "hidden": hidden,
            "classes": classes,
            "numbers": packed,
            "pictures": [[encode.data_uri(Image.fromarray(p)) for p in pair] for pair in self._bytes],
            "pixels": encode.deflated(self._bytes.tobytes()),
        }
        values = grid.settings(spec["parameters"], start)
        super().__init__(title, description, spec, {"networks": len(packed["data"])}, values=values)

    def how_to_shrink(self, spec):
        return f"give fewer networks ({len(spec['networks'])}) or hidden units ({spec['hidden']})"

    def how(self, weight=None):
        """Return rule, weight, row and column that are chosen; `weight` takes the place of the chosen λ."""
        chosen = self.values
        weight = chosen[WEIGHT] if weight is None else weight
        return {"rule": chosen[RULE], "weight": weight, "row": chosen[ROW], "column": chosen[COLUMN]}

    def pair(self):
        """Return both pictures in [0, 1], [2, side, side], and their classes."""
        at = self.spec["parameters"][PAIR].index(self.values[PAIR])
        return self._bytes[at] / 255, self.spec["labels"][at]

    def mixture(self, weight=None):
        """Return the mixture [side, side] at the chosen λ, or at `weight`."""
        return rules.mix(*self.pair()[0], self.how(weight))

    def kept(self, weight=None):
        """Return the share of the first picture at the chosen λ, or at `weight`."""
        return rules.kept(self.spec["side"], self.how(weight))

    def along(self, name):
        """Return the probabilities of a network at every λ, [51, classes]."""
        net = self.network(name)
        return np.stack([rules.run(net, rules.shrunk(self.mixture(w), self.spec["factor"])) for w in WEIGHTS])

    def network(self, name):
        """Return w1, b1, w2, b2 of a network, as they travel."""
        spec = self.spec
        shapes = (spec["hidden"], (spec["side"] // spec["factor"]) ** 2), (spec["hidden"],)
        shapes += (spec["classes"], spec["hidden"]), (spec["classes"],)
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        numbers = self._numbers.reshape(-1, ends[-1])[spec["networks"].index(name)]
        parts = np.split(numbers, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def height(self, inside):
        desk = mixed_still.MixedLayout(inside, len(self.spec["networks"]))
        below = reserve.controls(self.spec["parameters"], inside, cursor=0)
        letters = 130 + sum(len(name) + 16 for name in self.spec["networks"])
        return reserve.staged(self, inside, desk.height, letters, None, below, least=2)

    def still(self):
        return mixed_still.draw_mixed(self)


def _pictures(pairs):
    """Return all pictures as bytes, uint8 [pairs, 2, side, side]."""
    found = [[encode.to_array(p, f"pair {name!r}") for p in pair] for name, pair in pairs.items()]
    shapes = {picture.shape for pair in found for picture in pair}
    shape = next(iter(shapes), ())
    if len(shapes) != 1 or {len(pair) for pair in found} != {2} or len(shape) != 3 or shape[1] != shape[2]:
        raise ValueError(
            f"pairs: expected two pictures [1, H, H] each, of one side, got {sorted(shapes)}; resize them"
        )
    values = np.array(found)[:, :, 0]
    if not 0 <= values.min() <= values.max() <= 1:
        raise ValueError(f"pairs: expected values in [0, 1], got {values.min():g} to {values.max():g}; scale")
    return np.rint(255 * values).astype(np.uint8)


def _layers(name, net):
    """Return w1, b1, w2, b2."""
    found = [module for module in net.modules() if getattr(module, "weight", None) is not None]
    shapes = [tuple(module.weight.shape) for module in found]
    if len(shapes) != 2 or {len(s) for s in shapes} != {2} or shapes[0][0] != shapes[1][1]:
        raise ValueError(
            f"network {name!r}: expected two linear layers in a chain, got weights {shapes}; build it so"
        )
    return [encode.to_array(part).astype(np.float64) for m in found for part in (m.weight, m.bias)]


def _factor(side, pixels):
    """Return the side of the squares over which a picture is averaged."""
    less = round(pixels**0.5)
    if less**2 != pixels or side % less:
        raise ValueError(
            f"expected networks whose inputs are a picture of {side} pixels a side, or a whole part of it, "
            f"got {pixels} inputs; resize the pictures"
        )
    return side // less


def _labels(labels, pairs, classes):
    labels = [[int(label) for label in pair] for pair in labels]
    if len(labels) != pairs or not all(len(p) == 2 and min(p) >= 0 and max(p) < classes for p in labels):
        raise ValueError(
            f"labels: expected two classes below {classes} for each of {pairs} pairs, got {labels}; give them"
        )
    return labels
