"""The drawing of the map: chapters as boxes, an arrow from what is read first to what needs it, as SVG."""

import html
import textwrap

from .map_wide import BOX, HIGH, LEAD, LETTERS, LINES, Layout, nearest_needs

LEFT, NARROW, LOW, CLOSE = 64, 292, 48, 10  # on a telephone: room for the arrows, a box, the gap between two
NARROW_LETTERS = 34
HEAD = (  # of an arrow
    '<defs><marker id="{name}" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="10.5" markerHeight="10.5" '
    'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
)


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


def box(head, hours, at, address, size, lines, lead=18):
    """A chapter: a link with its title in lines and its hours."""
    kinds = ["", *[f' dy="{lead}"'] * (len(lines) - 1), f' dy="{lead}" class="hours"']
    words = "".join(
        f'<tspan x="{at[0] + 8}"{kind}>{html.escape(text)}</tspan>'
        for kind, text in zip(kinds, [*lines, f"{halves(hours)} h"], strict=True)
    )
    spare = size[1] - lead * (len(lines) + 1)
    return (
        f'<a href="{html.escape(address)}" data-page="{html.escape(head.page)}">'
        f'<rect x="{at[0]}" y="{at[1]}" width="{size[0]}" height="{size[1]}" rx="8"/>'
        f'<text x="{at[0] + 8}" y="{at[1] + spare / 2 + 13:g}">{words}</text></a>'
    )


def halves(hours):
    """A number of whole and half hours.

    >>> halves(0.5), halves(2.0), halves(2.5)
    ('½', '2', '2½')
    """
    return f"{int(hours) or ''}{'½' * (hours % 1 == 0.5)}"


def drawing(parts, hours, address):
    """The map as two SVGs, of which a page shows one: in rows, and for a telephone downwards.

    parts: [(name, heads)] in the book's order; hours: page -> hours; address: page -> link.
    """
    return wide(parts, hours, address) + narrow(
        [head for _, found in parts for head in found], hours, address
    )


def wide(parts, hours, address):
    """The form for a wide page: the parts below each other, five chapters in a row."""
    heads = {head.page: head for _, found in parts for head in found}
    placed = Layout(
        [(name, [head.page for head in found]) for name, found in parts], nearest_needs(list(heads.values()))
    )
    names = "".join(
        f'<text class="part" x="{x}" y="{y}">{html.escape(name)}</text>' for name, x, y in placed.names
    )
    boxes = [
        box(head, hours[page], placed.boxes[page], address(page), (BOX, HIGH), lines_of(head.title), LEAD)
        for page, head in heads.items()
    ]
    return _svg("map-wide", *placed.size, placed.paths, [names, *boxes])


def lines_of(title):
    """A title in lines of a box; what does not fit ends with three dots.

    >>> lines_of("ImageNet, and the features that people made")
    ['ImageNet, and', 'the features', 'that people made']
    """
    return textwrap.wrap(title, LETTERS, max_lines=LINES, placeholder="…")


def narrow(heads, hours, address):
    """The form for a telephone: all chapters below each other."""
    below = one_below_the_other(heads)
    boxes = [
        box(
            head,
            hours[head.page],
            below[head.page],
            address(head.page),
            (NARROW, below[head.page][2]),
            textwrap.wrap(head.title, NARROW_LETTERS)[:2],
        )
        for head in heads
    ]
    arrows = [
        (need, head.page, arc(below[need], below[head.page]))
        for head in heads
        for need in head.needs
        if need in below
    ]
    end = max(y + height for _, y, height in below.values())
    return _svg("map-narrow", LEFT + NARROW + 2, end + 2, arrows, boxes)


def _svg(name, width, height, arrows, boxes):
    """One form of the map. arrows: (from, to, path)."""
    lines = "".join(
        f'<path data-from="{html.escape(start)}" data-to="{html.escape(end)}" d="{path}" '
        f'marker-end="url(#{name}-arrow)"/>'
        for start, end, path in arrows
    )
    return (
        f'<svg class="{name}" role="group" aria-label="Map of the chapters that stand" '
        f'viewBox="0 0 {width:g} {height:g}">'
        f'{HEAD.format(name=f"{name}-arrow")}<g class="arrows" aria-hidden="true">{lines}</g>'
        f"{''.join(boxes)}</svg>"
    )
