"""Draw a digit: what a small ConvNet and a small vision transformer make of it, down to one multiplication.

The page runs both networks with the engine of `dlbook.browser`, on weights that the site keeps in one file.
A drawing is centred and scaled as MNIST's digits are. Of the ConvNet every activation is shown, and one cell
is opened down to its products; of the transformer, where each head of each block looks; of either, by how
much the chosen digit loses when a square is covered, and its gradient by each pixel.
"""

import math
import re

import numpy as np
from torch import Tensor, nn

from dlbook.browser import digit_networks as site
from dlbook.browser.bundle import engine_sources, engine_text, squeezed
from dlbook.browser.digits import TOP, levels
from dlbook.widgets import draw_still, encode, reserve
from dlbook.widgets.figure import Figure, module_text, style_text

NAMES = ("ConvNet", "transformer")
ENGINE = ("tensor.js", "operations.js", "maps.js", "network.js")  # what it takes to run a network
OWN = squeezed(
    module_text(
        "draw_pad.js", "draw_look.js", "draw_boards.js", "draw_inside.js", "draw_answers.js", "draw.js"
    )
)
SHARED = module_text("controls.js", "site_file.js", "unit_products.js", wanted=re.findall(r"\w+", OWN))


class Draw(Figure):
    """A pad to draw on, and two networks that say what they see.

    Args:
        title, description: texts; both are needed.
        networks: {"ConvNet": text, "transformer": text}, as `data/recorded/digit_networks.json` has them.
        models: the same two in torch, {name: network with those numbers}, for the still picture.
        samples: digits to pick, [N, 1, 28, 28] in [0, 1], which the networks have not seen.
        labels: their labels, [N], each once.
        start: starting value of parameters.

    Raises:
        ValueError: other networks, samples that share a label, or a state over 60 KiB.
    """

    _esm = engine_text(engine_sources(ENGINE), re.findall(r"\w+", OWN)) + squeezed(SHARED) + OWN
    _css = style_text("figure.css", "stage.css", "unit_products.css", "draw.css")

    def __init__(self, *, networks, models, samples, labels, title="", description="", start=None):
        _check(networks, models, labels)
        self._networks, self.models = dict(networks), dict(models)
        bytes_ = levels(samples.cpu())
        self.samples, self.labels = bytes_.float() / TOP, [int(label) for label in labels]
        parameters = {
            "network": list(NAMES),
            "explained": [str(digit) for digit in range(10)],
            "sample": [str(label) for label in self.labels],
        }
        packed = site.packed(networks)
        spec = {
            "parameters": parameters,
            "samples": encode.deflated(bytes_.numpy().tobytes()),
            "top": TOP,
            "file": site.told(packed),
        }
        first = {"network": NAMES[0], "sample": parameters["sample"][0]}
        values = {**first, "explained": first["sample"], **(start or {})}
        super().__init__(title, description, spec, {"samples": len(spec["samples"])}, values=values)
        self.on_msg(self._answer)

    def _answer(self, _, message, buffers):
        """Send the networks to a notebook, which has no file of them beside it."""
        if message.get("ask") == site.FILE:
            self.send({site.FILE: site.script(self._networks).split('"')[1]})

    def chosen(self) -> Tensor:
        """Return the sample that is shown, [1, 1, 28, 28], as the page has it."""
        at = self.spec["parameters"]["sample"].index(self.values["sample"])
        return self.samples[at : at + 1]

    def how_to_shrink(self, spec):
        return f"give fewer samples ({len(self.labels)})"

    def height(self, inside):
        samples = reserve.stacked(len(self.labels), inside, 46, 46, 5.6)
        pad = min(300, max(230, (inside - 54) / 3))
        stage = 1650 if inside == reserve.NARROW else 690 + pad
        return reserve.title(self.title, inside) + stage + samples + 525

    def still(self):
        return draw_still.draw(self)


def _check(networks: dict, models: dict[str, nn.Module], labels: Tensor) -> None:
    for given in (networks, models):
        if tuple(given) != NAMES:
            raise ValueError(f"expected {' and '.join(NAMES)}, got {', '.join(given)}; give these two")
    named = np.asarray(labels)
    if len(set(named.tolist())) != len(named) or math.prod(named.shape) == 0:
        raise ValueError(f"expected samples of different digits, got {named.tolist()}; give one of each")
