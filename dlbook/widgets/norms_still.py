"""The still picture of :class:`Norms`: the block with the cells that share a mean, and how they are spread.

>>> NormsLayout(960, (4, 8, 7, 7)).wide, NormsLayout(380, (4, 8, 7, 7)).wide
(True, False)
"""

import numpy as np
from PIL import Image

from dlbook.widgets import encode
from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import number

BINS = 31  # bars
DIM = 0.4  # what is left of a cell that does not share
PER_GAP = 12  # maps are so many times as wide as the gaps between them


class NormsLayout:
    """Where everything stands in a picture of some width; norms.js does the same.

    Args:
        width: of the picture, pixels.
        shape: N, C, H, W of the block.
    """

    def __init__(self, width, shape):
        images, channels = shape[:2]
        self.width, self.wide = width, width >= 640
        pad, self.top = (20, 44) if self.wide else (10, 34)
        panel = round(0.25 * width) if self.wide else width - 2 * pad
        room = width - 2 * pad - (panel + 34 if self.wide else 0)
        self.side = room / (channels + 1 + (channels + 1) / PER_GAP)  # the pictures, a gap of two, the maps
        self.step = self.side * (1 + 1 / PER_GAP)
        self.picture, self.left = pad, pad + self.step + self.side / PER_GAP
        self.across, self.down = channels * self.step, images * self.step
        self.bars = width - pad - panel, width - pad
        self.high = self.top + 8 if self.wide else self.top + self.down + 46
        self.base = self.top + max(self.down, 150) - 30 if self.wide else self.high + 84
        self.height = self.base + 36

    def map(self, image, channel):
        """Return the corner of a map."""
        return self.left + channel * self.step, self.top + image * self.step


def draw_norms(figure):
    """Return heading, block, spread and description as HTML."""
    return stage.both(figure, _picture)


def spread(values, limit):
    """Return how many values fall into each of `BINS` bars from -limit to limit; what is beyond counts at the
    edge.
    """
    place = np.floor((values / limit + 1) / 2 * BINS).clip(0, BINS - 1).astype(int)
    return np.bincount(place, minlength=BINS)


def block_picture(shown, members, limit):
    """Return the block as one picture with gaps: blue above 0, red below, dim where a cell does not share."""
    images, channels, height, width = shown.shape
    values = np.nan_to_num(shown)
    part = (np.abs(values) / limit).clip(0, 1) ** 0.6 * np.where(members, 1, DIM)
    large = stage.signed(values, 255 * part).repeat(PER_GAP, 2).repeat(PER_GAP, 3)  # [N, C, 12 H, 12 W, 4]
    with_gaps = np.pad(large, ((0, 0), (0, 0), (0, height), (0, width), (0, 0)))
    down, across = images * with_gaps.shape[2], channels * with_gaps.shape[3]
    flat = with_gaps.transpose(0, 2, 1, 3, 4).reshape(down, across, 4)
    return Image.fromarray(flat)


def _square(x, y, side):
    return f"M{x:.1f} {y:.1f}h{side:.1f}v{side:.1f}h{-side:.1f}Z"


def frames(members, layout):
    """Return squares around the maps of which all cells share, and around the cells of the others."""
    parts, unit = [], layout.side / members.shape[3]
    for image, channel in np.argwhere(members.any((2, 3))):
        x, y = layout.map(image, channel)
        if members[image, channel].all():
            parts.append((x, y, layout.side))
        else:
            inside = np.argwhere(members[image, channel])
            parts += [(x + column * unit, y + row * unit, unit) for row, column in inside]
    return "".join(_square(*part) for part in parts)


def _picture(figure, width):
    layout = NormsLayout(width, figure.spec["shape"])
    return width, layout.height, _maps(figure, layout) + _spread(figure, layout)


def _maps(figure, layout):
    images, channels, height, columns = figure.spec["shape"]
    parts, members = [], figure.members()
    for image in range(images):
        x, y = layout.picture, layout.top + image * layout.step
        place = f'x="{x}" y="{y:.1f}" width="{layout.side:.1f}" height="{layout.side:.1f}"'
        uri = encode.data_uri(Image.fromarray(figure.pictures()[image]))
        parts.append(f'<image href="{uri}" {place}/>')
        d = "".join(_square(*layout.map(image, channel), layout.side) for channel in range(channels))
        parts.append(f'<path class="dls-unlit" d="{d}"/>')
    uri = encode.data_uri(block_picture(figure.shown(), members, figure.limit()))
    box = f'x="{layout.left:.1f}" y="{layout.top}" width="{layout.across:.1f}" height="{layout.down:.1f}"'
    n, c, h, w = figure.cell()
    x, y = layout.map(n, c)
    unit = layout.side / columns
    words = f"{channels} channels of {images} images" if layout.wide else f"{channels} channels"
    return (
        f'<text class="dls-hot" x="{layout.left:.0f}" y="{layout.top - 12}">{words}</text>{"".join(parts)}'
        f'<image href="{uri}" {box} preserveAspectRatio="none"/>'
        f'<path d="{frames(members, layout)}" fill="none" stroke="var(--p)" stroke-width="1.5"/>'
        f'<rect x="{x + w * unit:.1f}" y="{y + h * unit:.1f}" width="{unit:.1f}" height="{unit:.1f}" '
        f'fill="none" stroke="var(--h)" stroke-width="2.5"/>'
    )


def _spread(figure, layout):
    """The values of the cells that share, as bars; their mean in plum, the chosen cell in white."""
    (left, right), limit, shown = layout.bars, figure.limit(), figure.shown()
    members, told = figure.members(), figure.told()
    counts = spread(shown[members], limit)
    unit, high = (right - left) / BINS, layout.base - layout.high
    x = lambda value: left + (right - left) * (max(-1, min(1, value / limit)) + 1) / 2
    bars = "".join(
        f"M{left + k * unit + 0.5:.1f} {layout.base}v{-high * count / counts.max():.1f}"
        f"h{unit - 1:.1f}V{layout.base}Z"
        for k, count in enumerate(counts)
        if count
    )
    mean, here = x(shown[members].mean()), x(shown[figure.cell()])
    ticks = "".join(
        f'<text x="{x(v):.0f}" y="{layout.base + 18}" text-anchor="{anchor}">'
        f"{number(float(f'{v:.2g}'))}</text>"
        for v, anchor in ((-limit, "start"), (0, "middle"), (limit, "end"))
    )
    return (
        f'<text class="dls-hot" x="{left}" y="{layout.high - 20}">{told["count"]} cells share</text>'
        f'<path d="M{left} {layout.base}H{right}" stroke="var(--t)"/><path d="{bars}" fill="var(--b)" '
        f'fill-opacity="0.75"/><path d="M{mean:.1f} {layout.base}V{layout.high - 8}" stroke="var(--p)" '
        f'stroke-width="2"/><circle cx="{here:.1f}" cy="{layout.base}" r="6" fill="var(--h)"/>{ticks}'
    )
