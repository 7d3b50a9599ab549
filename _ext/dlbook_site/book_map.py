"""The drawing of the map: chapters as boxes, an arrow from what is read first to what needs it, as SVG."""

import html
import textwrap

WIDTH, HEIGHT, GAP_X, GAP_Y, LETTERS = 176, 66, 44, 22, 20  # pixels; letters in a line of a box
LEFT, NARROW, LOW, CLOSE = 64, 292, 48, 10  # on a telephone: room for the arrows, a box, the gap between two
NARROW_LETTERS = 34
HEAD = (  # of an arrow
    '<defs><marker id="{name}" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
)


def columns(heads):
    """Page -> column: one more than the last of what it needs; chapters that need none stand in the first.

    heads: in the book's order. Of chapters that need each other the first comes first.

    >>> from types import SimpleNamespace as Chapter
    >>> columns([Chapter(page="a", needs=()), Chapter(page="b", needs=("a",))])
    {'a': 0, 'b': 1}
    """
    known = {head.page: head for head in heads}

    def column(page, above):
        before = [need for need in known[page].needs if need in known and need not in above]
        return 1 + max((column(need, (*above, need)) for need in before), default=-1)

    return {page: column(page, (page,)) for page in known}


def places(heads):
    """Page -> (x, y) of its box: columns from left to right, the book's order from top to bottom."""
    at, filled, found = columns(heads), {}, {}
    for head in heads:
        column = at[head.page]
        row = filled[column] = filled.get(column, -1) + 1
        found[head.page] = (column * (WIDTH + GAP_X) + 2, row * (HEIGHT + GAP_Y) + 2)
    return found


def arrow(start, end):
    """The path of an arrow from the right edge of a box to the left edge of another."""
    x1, y1, x2, y2 = start[0] + WIDTH, start[1] + HEIGHT / 2, end[0] - 7, end[1] + HEIGHT / 2
    bend = (x2 - x1) / 2
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def one_below_the_other(heads):
    """Page -> (x, y, height) of its box on a telephone: in the book's order, from top to bottom."""
    found, y = {}, 2
    for head in heads:
        height = LOW + 18 * (len(textwrap.wrap(head.title, NARROW_LETTERS)[:2]) - 1)
        found[head.page] = (LEFT, y, height)
        y += height + CLOSE
    return found


def arc(start, end):
    """The path of an arrow between the left edges of two boxes; a longer one goes further out."""
    y1, y2 = (place[1] + place[2] / 2 for place in (start, end))
    out = min(LEFT + 16, 22 + abs(y2 - y1) / 8)
    return f"M{LEFT} {y1:g}C{LEFT - out:g} {y1:g} {LEFT - out:g} {y2:g} {LEFT - 7} {y2:g}"


def box(head, hours, at, address, size=(WIDTH, HEIGHT), letters=LETTERS):
    """A chapter: a link with its title in up to two lines and its hours."""
    lines = textwrap.wrap(head.title, letters)[:2]
    kinds = ["", *[' dy="18"'] * (len(lines) - 1), ' dy="18" class="hours"']
    words = "".join(
        f'<tspan x="{at[0] + 12}"{kind}>{html.escape(text)}</tspan>'
        for kind, text in zip(kinds, [*lines, f"{halves(hours)} h"], strict=True)
    )
    return (
        f'<a href="{html.escape(address)}" data-page="{html.escape(head.page)}">'
        f'<rect x="{at[0]}" y="{at[1]}" width="{size[0]}" height="{size[1]}" rx="8"/>'
        f'<text x="{at[0] + 12}" y="{at[1] + (26 if len(lines) == 1 and size[1] == HEIGHT else 18)}">{words}'
        "</text></a>"
    )


def halves(hours):
    """A number of whole and half hours.

    >>> halves(0.5), halves(2.0), halves(2.5)
    ('½', '2', '2½')
    """
    return f"{int(hours) or ''}{'½' * (hours % 1 == 0.5)}"


def drawing(heads, hours, address):
    """The map as two SVGs, of which a page shows one: from left to right, and for a telephone downwards.

    hours: page -> hours; address: page -> link.
    """
    at, below = places(heads), one_below_the_other(heads)
    right, low = (max(place[i] for place in at.values()) for i in (0, 1))
    boxes = [box(head, hours[head.page], at[head.page], address(head.page)) for head in heads]
    narrow = [
        box(
            head,
            hours[head.page],
            below[head.page],
            address(head.page),
            (NARROW, below[head.page][2]),
            NARROW_LETTERS,
        )
        for head in heads
    ]
    end = max(y + height for _, y, height in below.values())
    return _svg("map-wide", right + WIDTH + 4, low + HEIGHT + 4, _arrows(heads, at, arrow), boxes) + _svg(
        "map-narrow", LEFT + NARROW + 2, end + 2, _arrows(heads, below, arc), narrow
    )


def _arrows(heads, at, path):
    """The path of each arrow: from what a chapter needs to the chapter."""
    return [path(at[need], at[head.page]) for head in heads for need in head.needs if need in at]


def _svg(name, width, height, arrows, boxes):
    """One form of the map."""
    lines = "".join(f'<path d="{path}" marker-end="url(#{name}-arrow)"/>' for path in arrows)
    return (  # never smaller than drawn, for its letters would be: where there is no room, it scrolls
        f'<svg class="{name}" role="group" aria-label="Map of the chapters that stand" '
        f'viewBox="0 0 {width} {height}" style="min-width:{width if name == "map-wide" else 0}px">'
        f'{HEAD.format(name=f"{name}-arrow")}<g class="arrows" aria-hidden="true">{lines}</g>'
        f"{''.join(boxes)}</svg>"
    )
