"""A small network on a digit, whose units drop at each press, and the cloud of what its thinned networks say.

>>> import torch
>>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 3), torch.nn.ReLU(),
...                           torch.nn.Linear(3, 2))
>>> figure = Thinned(title="Thinned", description="A cloud.", networks={"plain": net}, most=10,
...                  digits={"a 1": torch.rand(1, 2, 2)}, labels=[1], start={"thinned networks": 2})
>>> figure.votes().shape
(2, 2)
"""

from itertools import pairwise

import numpy as np
import traitlets
from PIL import Image

from dlbook.browser.bundle import engine_sources, without_comments, without_modules
from dlbook.browser.random_numbers import Generator
from dlbook.widgets import encode, reserve, thinned_still
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

DIGIT, NETWORK, COUNT = "digit", "network", "thinned networks"


class Thinned(Figure):
    """Networks of two hidden layers on a few digits; thinned networks, one by one, and their mean.

    Thinned network number k has each hidden unit with probability 1 - `drop_prob`, and multiplies what those
    units give by 1 / (1 - `drop_prob`). Number 0 is the whole network, unscaled.

    Args:
        title, description: texts; both are needed.
        networks: {name: network}, whose modules with weights are three linear layers, a ReLU after the first
            two; all of one size.
        digits: {name: image [1, H, W] in [0, 1]}.
        labels: the class of each digit.
        drop_prob: of each hidden unit, in (0, 1).
        most: number of thinned networks.
        seed: of their masks.
        start: starting value of "digit", "network" and "thinned networks".

    Attributes:
        values: what the reader chose.
        flipped: hidden units that the reader switched by hand, counted through both layers.

    Raises:
        ValueError: networks of another form, labels that do not fit, or numbers out of range.
    """

    _esm = without_comments(without_modules(engine_sources(("random.js",)))) + "\n"
    _esm += module_text("controls.js", "stage.js", "thinned_rule.js", "thinned_picture.js", "thinned.js")
    _css = style_text("figure.css", "stage.css", "thinned.css")

    flipped = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(
        self,
        *,
        networks,
        digits,
        labels,
        drop_prob=0.5,
        most=100,
        seed=0,
        title="",
        description="",
        start=None,
    ):
        pictures = [encode.to_array(image, "digits").astype(np.float64) for image in digits.values()]
        layers = [_layers(name, net) for name, net in networks.items()]
        widths, classes = _sizes(layers, pictures, labels)
        if not 0 < drop_prob < 1 or most < 1:
            raise ValueError(
                f"expected 0 < drop_prob < 1 and most >= 1, got {drop_prob} and {most}; correct them"
            )
        parts = [_flat(net, pictures) for net in layers]
        packed = encode.pack(np.concatenate(parts))
        counts = {DIGIT: list(digits), NETWORK: list(networks), COUNT: list(range(most + 1))}
        spec = {
            "parameters": grid.checked(counts),
            "widths": widths,
            "classes": [str(k) for k in range(classes)],
            "labels": [int(label) for label in labels],
            "drop_prob": float(drop_prob),
            "most": int(most),
            "seed": int(seed),
            "numbers": packed,
            "pictures": [encode.data_uri(_grey(picture)) for picture in pictures],
        }
        self._numbers = encode.unpack(packed)
        values = grid.settings(spec["parameters"], {COUNT: 0, **(start or {})})
        sizes = {"networks": len(packed["data"]), "digits": sum(map(len, spec["pictures"]))}
        super().__init__(title, description, spec, sizes, values=values, flipped=[])

    @property
    def scale(self):
        """The factor of what the units that are left give."""
        return 1 / (1 - self.spec["drop_prob"])

    def masks(self):
        """Return which hidden units each thinned network has: [most, units], booleans."""
        draw, units = Generator(self.spec["seed"]), sum(self.spec["widths"])
        rows = [[draw.uniform() for _ in range(units)] for _ in range(self.spec["most"])]
        return np.array(rows) >= self.spec["drop_prob"]

    def there(self):
        """Return which hidden units the network shown has, and the factor of what they give."""
        count = self.values[COUNT]
        there = self.masks()[count - 1] if count else np.ones(sum(self.spec["widths"]), bool)
        there[self.flipped] ^= True
        return there, self.scale if count else 1.0

    def votes(self):
        """Return what the thinned networks so far say: probabilities [count, K]."""
        says = [self.run(there, self.scale)[2] for there in self.masks()[: self.values[COUNT]]]
        return np.array(says).reshape(-1, len(self.spec["classes"]))

    def run(self, there, scale):
        """Return both hidden layers and the probabilities, with the units that are there."""
        digit = self.spec["parameters"][DIGIT].index(self.values[DIGIT])
        return run(self._network(), digit, there, scale)

    def _network(self):
        (first, second), classes = self.spec["widths"], len(self.spec["classes"])
        digits, at = len(self.spec["labels"]), self.spec["parameters"][NETWORK].index(self.values[NETWORK])
        shapes = (digits, first), (second, first), (second,), (classes, second), (classes,)
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        numbers = self._numbers.reshape(-1, ends[-1])[at]
        cut = np.split(numbers, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(cut, shapes, strict=True)]

    def height(self, inside):
        below = reserve.controls(self.spec["parameters"], inside, cursor=0)
        picture = thinned_still.CloudLayout(inside).height
        return reserve.staged(self, inside, picture, 190, 40, below, least=2)

    def still(self):
        return thinned_still.draw_thinned(self)


def run(network, digit, there, scale):
    """Return the activations of both hidden layers and the probabilities of a digit.

    Args:
        network: first layer's values before the ReLU for each digit, then weights and biases of two layers.
        digit: its number.
        there: which hidden units there are, counted through both layers.
        scale: factor of what they give.
    """
    entering, w2, b2, w3, b3 = network
    first = entering.shape[1]
    one = np.maximum(entering[digit], 0) * there[:first] * scale
    two = np.maximum(w2 @ one + b2, 0) * there[first:] * scale
    powers = np.exp((z := w3 @ two + b3) - z.max())
    return one, two, powers / powers.sum()


def _layers(name, net):
    """Return (weight, bias) of the three linear layers."""
    found = [module for module in net.modules() if getattr(module, "weight", None) is not None]
    shapes = [tuple(module.weight.shape) for module in found]
    chained = all(len(s) == 2 for s in shapes) and all(a[0] == b[1] for a, b in pairwise(shapes))
    if len(found) != 3 or not chained:
        raise ValueError(
            f"network {name!r}: expected three linear layers in a chain, got weights {shapes}; build it so"
        )
    return [tuple(encode.to_array(part).astype(np.float64) for part in (m.weight, m.bias)) for m in found]


def _sizes(networks, pictures, labels):
    """Return [first, second] width and the number of classes, all checked."""
    shapes = {tuple(weight.shape for weight, _ in net) for net in networks}
    if len(shapes) != 1:
        raise ValueError(f"expected networks of one size, got {sorted(shapes)}; build them alike")
    (first, pixels), (second, _), (classes, _) = next(iter(shapes))
    wrong = {picture.shape for picture in pictures if picture.size != pixels or picture.ndim != 3}
    if wrong:
        raise ValueError(f"digits: expected [1, H, W] of {pixels} pixels, got {sorted(wrong)}; resize them")
    if len(labels) != len(pictures) or not all(0 <= int(label) < classes for label in labels):
        raise ValueError(
            f"labels: expected one below {classes} for each of {len(pictures)} digits, got {list(labels)}; "
            "give as many labels as digits"
        )
    return [first, second], classes


def _flat(net, pictures):
    (w1, b1), (w2, b2), (w3, b3) = net
    entering = np.stack([w1 @ picture.ravel() + b1 for picture in pictures])
    return np.concatenate([part.ravel() for part in (entering, w2, b2, w3, b3)])


def _grey(picture):
    return Image.fromarray(np.rint(255 * picture[0].clip(0, 1)).astype(np.uint8))
