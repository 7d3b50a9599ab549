"""The map's wide form: the book's parts from top to bottom, and arrows that run between the boxes.

Boxes stand in fixed columns, so that between two columns a gap runs from the top of the map to its end, and
between two rows one from side to side. An arrow leaves its box to the right, runs down or up in the gap
beside it, then in the gap above its target, and comes down on it. So no arrow can run through a box. All
arrows of one chapter share their way until they part. What follows from other arrows is not drawn again.
"""

COLUMNS, BOX, HIGH, GAP = 5, 126, 76, 28  # boxes in a row; pixels: a box, the gap beside it
LETTERS, LINES, LEAD = 16, 3, 16  # in a line of a title; lines; pixels from one to the next
CAPTION, FREE, LANE, TIP = 34, 8, 6, 12  # pixels: a part's name, air, between two arrows, room for a head
ROUND = 5  # pixels: radius of an arrow's corners


def nearest_needs(heads):
    """Page -> what it needs, without what another of its needs builds on.

    >>> from types import SimpleNamespace as Head
    >>> a, b, c = (Head(page=p, needs=n) for p, n in (("a", ()), ("b", ("a",)), ("c", ("a", "b"))))
    >>> nearest_needs([a, b, c])
    {'a': [], 'b': ['a'], 'c': ['b']}
    """
    known = {head.page: head.needs for head in heads}

    def above(page, seen):
        for need in known.get(page, ()):
            if need not in seen:
                seen.add(need)
                above(need, seen)
        return seen

    return {
        page: [
            need
            for need in needs
            if need in known
            and not any(need in above(other, {other, page}) for other in needs if other != need)
        ]
        for page, needs in known.items()
    }


def rows_of(parts):
    """The rows of the map, [(part's name or "", pages)]: a part begins a row. parts: [(name, pages)]."""
    return [
        ("" if first else name, pages[first : first + COLUMNS])
        for name, pages in parts
        for first in range(0, len(pages), COLUMNS)
    ]


def lanes(spans, apart):
    """A lane for each span so that two in one lane are `apart`: name -> lane. spans: name -> (low, high).

    >>> lanes({"a": (0, 3), "b": (2, 5), "c": (4, 6)}, 0)
    {'a': 0, 'b': 1, 'c': 0}
    """
    ends, found = [], {}
    for name, (low, high) in sorted(spans.items(), key=lambda item: item[1]):
        lane = next((i for i, end in enumerate(ends) if end + apart < low), len(ends))
        ends[lane:] = [high, *ends[lane + 1 :]]
        found[name] = lane
    return found


class Layout:
    """Where all of the map stands, in pixels.

    parts: [(name, pages)]; needs: page -> the pages that it needs. boxes: page -> (x, y); names: [(part's
    name, x, y)]; paths: [(from, to, path of the arrow)]; size: (width, height).
    """

    def __init__(self, parts, needs):
        rows = rows_of(parts)
        self.at = {page: (r, c) for r, (_, pages) in enumerate(rows) for c, page in enumerate(pages)}
        arrows = [(need, page) for page, found in needs.items() for need in found]
        bent = [arrow for arrow in arrows if not self.side_by_side(*arrow)]
        self.trunks = self.down(bent)
        self.ends = self.tips(bent)
        self.levels = self.across(bent)
        self.boxes, self.names, height = self.stack(rows)
        self.paths = [(*arrow, rounded(self.way(*arrow))) for arrow in arrows]
        self.size = COLUMNS * (BOX + GAP), height

    def side_by_side(self, need, page):
        """Whether the second box stands right of the first, so that a straight arrow leads to it."""
        (row, column), (other_row, other_column) = self.at[need], self.at[page]
        return row == other_row and column + 1 == other_column

    def down(self, bent):
        """Page -> x of the piece that its arrows share, in the gap beside it. The rows decide the lanes."""
        spans = {}
        for need, page in bent:
            start, end = self.at[need][0] + 0.5, self.at[page][0]
            low, high = spans.get(need, (start, start))
            spans[need] = (min(low, end), max(high, end))
        found = {}
        for column in range(COLUMNS):
            here = {need: span for need, span in spans.items() if self.at[need][1] == column}
            lane = lanes(here, 0)
            apart = min(LANE, GAP / (max(lane.values(), default=0) + 2))
            middle = left(column) + BOX + (GAP - apart * max(lane.values(), default=0)) / 2
            found |= {need: middle + apart * number for need, number in lane.items()}
        return found

    def tips(self, bent):
        """(from, to) -> x where an arrow meets the upper edge of its box: in their lanes' order."""
        found = {}
        for page in {page for _, page in bent}:
            needs = sorted((need for need, other in bent if other == page), key=self.trunks.get)
            step = BOX / (len(needs) + 1)
            found |= {(need, page): left(self.at[page][1]) + step * (i + 1) for i, need in enumerate(needs)}
        return found

    def across(self, bent):
        """(row, from) -> level of the piece above that row, counted from the boxes."""
        spans = {}
        for need, page in bent:
            key, here = (self.at[page][0], need), self.trunks[need]
            low, high = spans.get(key, (here, here))
            spans[key] = (min(low, self.ends[need, page]), max(high, self.ends[need, page]))
        rows = {row for row, _ in spans}
        return {
            key: lane
            for row in rows
            for key, lane in lanes({k: span for k, span in spans.items() if k[0] == row}, LANE).items()
        }

    def stack(self, rows):
        """The boxes' corners, the parts' names, and the height of all."""
        boxes, names, y = {}, [], 0
        for row, (name, pages) in enumerate(rows):
            if name:
                names.append((name, 2, y + CAPTION - 8))
                y += CAPTION
            levels = [level for (at, _), level in self.levels.items() if at == row]
            y += FREE + (LANE * max(levels) + TIP if levels else 0)
            boxes |= {page: (left(column), y) for column, page in enumerate(pages)}
            y += HIGH
        return boxes, names, y + FREE

    def way(self, need, page):
        """The corners of an arrow."""
        (x, y), (end, top) = self.boxes[need], self.boxes[page]
        start = (x + BOX, y + HIGH / 2)
        if (need, page) not in self.ends:
            return [start, (end - 7, start[1])]
        down, tip = self.trunks[need], self.ends[need, page]
        level = top - TIP - LANE * self.levels[self.at[page][0], need]
        return [start, (down, start[1]), (down, level), (tip, level), (tip, top - 7)]


def left(column):
    """x of a column's boxes."""
    return 2 + column * (BOX + GAP)


def rounded(points):
    """The path through points, each next one level with or below the one before, with round corners.

    >>> rounded([(0, 0), (10, 0), (10, 20)])
    'M0 0L5 0Q10 0 10 5L10 20'
    """
    path = f"M{points[0][0]:g} {points[0][1]:g}"
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        into, out = (toward(here, other) for other in (before, after))
        path += f"L{into}Q{here[0]:g} {here[1]:g} {out}"
    return f"{path}L{points[-1][0]:g} {points[-1][1]:g}"


def toward(here, other):
    """A point ROUND pixels from here to the other, or half-way there."""
    far = abs(other[0] - here[0]) + abs(other[1] - here[1])
    part = min(ROUND / far, 0.5) if far else 0
    return " ".join(f"{a + (b - a) * part:g}" for a, b in zip(here, other, strict=True))
