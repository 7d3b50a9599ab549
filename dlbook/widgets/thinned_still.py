"""The still picture of :class:`Thinned`: the network with its dropped units, and the cloud of the votes."""

from dlbook.widgets import stage_still as stage
from dlbook.widgets.figure import escape

SPREAD = 0.3  # of a row: how far a dot may stand from the row's middle
NAMES = ("one thinned network", "the latest", "their mean", "the whole network")


class CloudLayout:
    """Where everything stands in a picture of some width; thinned_picture.js does the same.

    Args:
        width: of the picture, pixels.
    """

    top, body = 58, 380

    def __init__(self, width):
        self.width, self.wide = width, width >= 640
        self.size, self.left = (112, 24) if self.wide else (46, 6)
        edge = self.left + self.size
        self.columns = (edge + 62, edge + 172) if self.wide else (74, 116)
        self.names = self.columns[1] + 78 if self.wide else 140
        self.start = self.names + (26 if self.wide else 18)
        self.stop = width - (30 if self.wide else 14)
        self.height = self.top + self.body + 40

    def unit(self, layer, i, widths):
        """Return the pixels of a hidden unit."""
        return self.columns[layer], self.top + (i + 0.5) * self.body / widths[layer]

    def level(self, k, classes):
        """Return the height of the row of a class."""
        return self.top + (k + 0.5) * self.body / classes

    def x(self, p):
        """Return where a probability stands."""
        return self.start + p * (self.stop - self.start)


def draw_thinned(figure):
    """Return heading, network, cloud and description as HTML."""
    return stage.both(figure, _picture)


def _picture(figure, width):
    board = CloudLayout(width)
    return width, board.height, _digit(figure, board) + _units(figure, board) + _cloud(figure, board)


def _digit(figure, board):
    at = figure.spec["parameters"]["digit"].index(figure.values["digit"])
    y = board.top + board.body / 2 - board.size / 2
    return (
        f'<image href="{figure.spec["pictures"][at]}" x="{board.left}" y="{y:.0f}" width="{board.size}" '
        f'height="{board.size}"/>'
    )


def _units(figure, board):
    widths, (there, scale) = figure.spec["widths"], figure.there()
    layers = figure.run(there, scale)[:2]
    radius, drawn, number = min(6.5, 0.42 * board.body / max(widths)), [], 0
    for layer, values in enumerate(layers):
        for i, value in enumerate(values):
            x, y = board.unit(layer, i, widths)
            lit = (value / max(values.max(), 1e-9)) ** 0.5
            drawn.append(f'<circle class="dls-unlit" cx="{x}" cy="{y:.1f}" r="{radius:.1f}"/>')
            if there[number]:
                drawn.append(
                    f'<circle class="dls-orange" cx="{x}" cy="{y:.1f}" r="{radius:.1f}" '
                    f'fill-opacity="{lit:.2f}"/>'
                )
            else:
                d = 0.75 * radius
                drawn.append(
                    f'<path d="M{x - d:.1f} {y - d:.1f}l{2 * d:.1f} {2 * d:.1f}M{x - d:.1f} {y + d:.1f}'
                    f'l{2 * d:.1f} {-2 * d:.1f}" stroke="var(--t)" stroke-width="1.5"/>'
                )
            number += 1
    return "".join(drawn)


def shifted(k):
    """Return how far dot number k stands from the middle of its row, in rows."""
    return (((k + 1) * 0.6180339887) % 1 - 0.5) * 2 * SPREAD


def _cloud(figure, board):
    names = figure.spec["classes"]
    row, votes = board.body / len(names), figure.votes()
    whole = figure.run([True] * sum(figure.spec["widths"]), 1.0)[2]
    at = figure.spec["parameters"]["digit"].index(figure.values["digit"])
    drawn = [_legend(board)]
    for k, name in enumerate(names):
        y = board.level(k, len(names))
        colour = "var(--g)" if k == figure.spec["labels"][at] else "var(--b)"
        dots = "".join(
            f"M{board.x(vote[k]):.1f} {y + shifted(v) * row:.1f}h0" for v, vote in enumerate(votes)
        )
        drawn.append(
            f'<path d="M{board.start} {y:.1f}H{board.stop}" stroke="var(--t)" stroke-opacity="0.3"/>'
            f'<text x="{board.names}" y="{y + 5:.1f}" text-anchor="middle" fill="{colour}">'
            f'{escape(name)}</text><path d="{dots or "M0 0"}" stroke="{colour}" stroke-width="5.5" '
            f'stroke-linecap="round" stroke-opacity="0.6"/>{gem(board.x(whole[k]), y)}'
        )
        if len(votes):
            x = board.x(votes[:, k].mean())
            drawn.append(ring(board.x(votes[-1, k]), y))
            drawn.append(
                f'<path d="M{x:.1f} {y - 0.42 * row:.1f}V{y + 0.42 * row:.1f}" stroke="var(--h)" '
                'stroke-width="3"/>'
            )
    return "".join(drawn)


def ring(x, y):
    """Return a ring: the thinned network that stands in the picture."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="none" stroke="var(--o)" stroke-width="2"/>'


def gem(x, y, d=7):
    """Return a diamond: what the whole network says."""
    return (
        f'<path d="M{x:.1f} {y - d:.1f}l{d} {d}l{-d} {d}l{-d} {-d}Z" fill="none" stroke="var(--p)" '
        'stroke-width="2"/>'
    )


def _legend(board):
    foot = board.top + board.body
    across = (0, 156, 246, 342)
    steps = (
        [(board.left + 8 + x, 30) for x in across] if board.wide else [(8, 20), (190, 20), (8, 42), (190, 42)]
    )
    signs = [
        '<path d="M0 0h0" stroke="var(--b)" stroke-width="5.5" stroke-linecap="round"/>',
        ring(0, 0),
        '<path d="M0 -8V8" stroke="var(--h)" stroke-width="3"/>',
        gem(0, 0),
    ]
    keys = "".join(
        f'<g transform="translate({x + 6} {y - 4})">{sign}<text x="13" y="4.5">{name}</text></g>'
        for (x, y), sign, name in zip(steps, signs, NAMES, strict=True)
    )
    ticks = "".join(
        f'<path d="M{board.x(p):.1f} {board.top}V{foot}" stroke="var(--t)" stroke-opacity="0.3"/>'
        f'<text x="{board.x(p):.1f}" y="{foot + 18}" text-anchor="{end}">{word}</text>'
        for p, word, end in ((0, "0", "start"), (0.5, "½", "middle"), (1, "1", "end"))
    )
    words = "probability that a network gives the class" if board.wide else "probability of the class"
    middle = (board.start + board.stop) / 2
    return f'{keys}{ticks}<text x="{middle:.0f}" y="{foot + 34}" text-anchor="middle">{words}</text>'
