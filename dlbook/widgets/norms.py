"""A block of activations [N, C, H, W], cell by cell: which cells share a mean under each normalisation.

>>> import numpy as np
>>> block = np.arange(2 * 2 * 3 * 3.0).reshape(2, 2, 3, 3)
>>> figure = Norms(title="Norms", description="Who shares.", block=block, pictures=np.zeros((2, 4, 4)))
>>> figure.told()["count"], figure.told({"normalisation": "instance"})["count"]
(18, 9)
"""

import numpy as np
import traitlets
from PIL import Image

from dlbook.widgets import encode, norms_rules, norms_still, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

KIND, GROUPS, IMAGES, SHOW = "normalisation", "groups", "images in the batch", "show"
BEFORE, AFTER = "before", "after"


class Norms(Figure):
    """The activations of one layer: a row for each image, a map for each channel; a click chooses a cell.

    The cells that share its mean and its deviation are lit, the others are dim; beside the block stands how
    the values of these cells are spread.

    Args:
        title, description: texts; both are needed.
        block: activations [N, C, H, W], with two images and two channels at least.
        pictures: what was put in, [N, h, w] in [0, 1].
        cell: (image, channel, row, column) at the start; None: the middle of the second image's second map.
        start: starting value of the parameters normalisation (one of `norms_rules.KINDS`), groups, "images
            in the batch", and show ("before" or "after").

    Attributes:
        values: what the reader chose.
        row, column: of the cell, in the block laid flat: N * H rows, C * W columns.

    Raises:
        ValueError: another shape, or pictures outside [0, 1].
    """

    _esm = module_text("controls.js", "stage.js", "norms_rules.js", "norms.js")
    _css = style_text("figure.css", "stage.css", "norms.css")

    row = traitlets.Int().tag(sync=True)
    column = traitlets.Int().tag(sync=True)

    def __init__(self, *, block, pictures, title="", description="", cell=None, start=None):
        packed = encode.pack(_block(block))
        self._block = encode.unpack(packed)
        images, channels, height, width = self._block.shape
        parameters = {
            KIND: list(norms_rules.KINDS),
            GROUPS: [g for g in range(1, channels + 1) if channels % g == 0],
            IMAGES: list(range(1, images + 1)),
            SHOW: [BEFORE, AFTER],
        }
        self._pixels = _pixels(pictures, images)
        spec = {
            "parameters": grid.checked(parameters),
            "shape": [images, channels, height, width],
            "block": packed,
            "pictures": [encode.data_uri(Image.fromarray(pixels)) for pixels in self._pixels],
        }
        n, c, h, w = (1, 1, height // 2, width // 2) if cell is None else cell
        values = grid.settings(spec["parameters"], {IMAGES: images, **(start or {})})
        sizes = {"block": len(packed["data"]), "pictures": len("".join(spec["pictures"]))}
        place = {"row": n * height + h, "column": c * width + w}
        super().__init__(title, description, spec, sizes, values=values, **place)

    @traitlets.validate("row", "column")
    def _check_place(self, proposal):
        images, channels, height, width = self.spec["shape"]
        last = (images * height if proposal["trait"].name == "row" else channels * width) - 1
        return max(0, min(proposal["value"], last))

    def how_to_shrink(self, spec):
        return f"give fewer images, channels or cells than {spec['shape']}"

    def cell(self, values=None):
        """Return image, channel, row and column of the cell; beyond the batch its last image is taken."""
        _, _, height, width = self.spec["shape"]
        last = {**self.values, **(values or {})}[IMAGES] - 1
        return min(self.row // height, last), self.column // width, self.row % height, self.column % width

    def members(self, values=None):
        """Return which cells share the statistics of the chosen one: [N, C, H, W], true or false."""
        now, inside = {**self.values, **(values or {})}, np.zeros(self.spec["shape"], bool)
        key = norms_rules.keys(now[KIND], now[GROUPS], self.spec["shape"])
        inside[: now[IMAGES]] = True
        return inside & (key == key[self.cell(values)])

    def shown(self, values=None):
        """Return the block as it is drawn, before or after, [N, C, H, W]; NaN beyond the batch."""
        now = {**self.values, **(values or {})}
        if now[SHOW] == AFTER:
            return norms_rules.normalised(self._block, now[KIND], now[GROUPS], now[IMAGES])
        block = self._block.copy()
        block[now[IMAGES] :] = np.nan
        return block

    def told(self, values=None):
        """Return what the line below the block says of the cell: count, mean, deviation, before, after."""
        now, cell = {**self.values, **(values or {})}, self.cell(values)
        chosen = now[KIND], now[GROUPS], now[IMAGES]
        count, mean, deviation = norms_rules.statistics(self._block, *chosen)[(slice(None), *cell)]
        after = norms_rules.normalised(self._block, *chosen)[cell]
        found = {"mean": mean, "deviation": deviation, "before": self._block[cell], "after": after}
        return {"count": int(count)} | {name: float(value) for name, value in found.items()}

    def limit(self):
        """Return the value at which a colour is full: three times the block's root mean square; afterwards
        3.
        """
        return 3.0 if self.values[SHOW] == AFTER else 3 * float(np.sqrt((self._block**2).mean())) or 1.0

    def pictures(self):
        """Return what was put in, uint8 [N, h, w]."""
        return self._pixels

    def height(self, inside):
        layout = norms_still.NormsLayout(inside, self.spec["shape"])
        below = reserve.controls(self.spec["parameters"], inside, cursor=0)
        return reserve.staged(self, inside, layout.height, 190, None, below, least=2)

    def still(self):
        return norms_still.draw_norms(self)


def _block(block):
    block = encode.to_array(block, "block").astype(np.float64)
    if block.ndim != 4 or min(block.shape[:2]) < 2 or not np.isfinite(block).all():
        raise ValueError(
            f"block: expected finite activations [N, C, H, W] of two images and two channels or more, got "
            f"shape {block.shape}; take them from a layer of maps"
        )
    return block


def _pixels(pictures, images):
    pictures = encode.to_array(pictures, "pictures")
    if pictures.ndim != 3 or len(pictures) != images or not 0 <= pictures.min() <= pictures.max() <= 1:
        raise ValueError(
            f"pictures: expected {images} grey ones [h, w] in [0, 1], got shape {pictures.shape}; give what "
            "was put in, one an image"
        )
    return np.rint(pictures * 255).astype(np.uint8)
