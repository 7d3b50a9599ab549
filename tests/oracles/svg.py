"""Reads what a still picture shows: its texts with their places, its lines and marks with their colours.

Places become numbers of the axes again by the labels at the axes, not by the code that drew them. Texts are
as wide as in DejaVu Sans: the font of Chromium on Linux, and wider than those of other systems.
"""

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
from PIL import ImageFont

SIZE = 13.0  # pixels of the height of a text that does not say its own


@functools.cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts/ttf" / name, 1000)


@dataclass(frozen=True)
class Text:
    """One line of text; wide, size: its width and the height of its font, pixels."""

    text: str
    x: float
    y: float
    anchor: str
    wide: float
    size: float

    def span(self) -> tuple[float, float]:
        left = self.x - {"start": 0.0, "middle": self.wide / 2, "end": self.wide}[self.anchor]
        return left, left + self.wide

    def upright(self) -> tuple[float, float]:
        """From the top of a capital letter to the line that the text stands on."""
        return self.y - self.size * 9 / 13, self.y


@dataclass(frozen=True)
class Picture:
    """width, height: of the view box. texts; lines: (colour, dashed, [pieces, each a list of (x, y)]).
    legend: name -> colour of its sample.
    """

    width: float
    height: float
    texts: list[Text]
    lines: list[tuple[str, bool, list[list[tuple[float, float]]]]] = field(default_factory=list)
    legend: dict[str, str] = field(default_factory=dict)

    def cut_off(self) -> list[str]:
        """The texts that reach over the edge of the picture."""
        return [
            t.text
            for t in self.texts
            if t.span()[0] < 0
            or t.span()[1] > self.width + 0.1
            or not 10 / 13 * t.size <= t.y <= self.height - 3 / 13 * t.size
        ]

    def overlapping(self) -> list[tuple[str, str]]:
        """Pairs of texts of which one is written over the other."""
        return [
            (one.text, other.text)
            for one, other in itertools.combinations(self.texts, 2)
            if _common(one.upright(), other.upright()) and _common(one.span(), other.span())
        ]

    def axis(self, which: str, rows: tuple[float, float] = (0, 1e9), log: bool = False) -> np.poly1d:
        """The line from pixels to numbers, or their logarithms, through an axis's labels with y in `rows`."""
        anchor = {"across": "middle", "up": "end"}[which]
        found = [
            t for t in self.texts if t.anchor == anchor and _is_number(t.text) and rows[0] < t.y < rows[1]
        ]
        found = [t for t in found if t.span()[1] < self.width - 1]  # one at the edge was moved to the left
        places = [t.x if which == "across" else t.y - 4 for t in found]
        numbers = np.array([_number(t.text) for t in found])
        return np.poly1d(np.polyfit(places, np.log10(numbers) if log else numbers, 1))


def _number(text: str) -> float:
    return float(text.replace("−", "-"))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[−-]?[\d.]+(e[−-]?\d+)?", text) is not None


def _common(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])


def _own(element: ElementTree.Element, name: str) -> str | None:
    """What an element's attribute or its style says, without what it inherits."""
    found = re.search(rf"(?:^|;){name}:([^;]+)", element.get("style", ""))
    return found[1] if found else element.get(name)


def _pieces(text: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, str]]:
    """The words of a text, each with the element whose look and place they have."""
    yield text, text.text or ""
    for span in text:
        yield span, span.text or ""
        yield text, span.tail or ""


def _lines(text: ElementTree.Element, x: float, y: float) -> Iterator[Text]:
    """The lines of a text whose ancestors moved it by (x, y); a `tspan` with a place begins another line."""
    size = float((_own(text, "font-size") or str(SIZE)).removesuffix("px"))
    rows: list[tuple[ElementTree.Element, str, float]] = []
    for piece, words in _pieces(text):
        words = re.sub(r"[ \n]+", " ", words)
        weight = int(_own(piece, "font-weight") or _own(text, "font-weight") or 400)
        wide = _font(weight > 500).getlength(words) * size / 1000
        if rows and not (piece.tag == "tspan" and piece.get("x")):
            first, before, width = rows.pop()
            rows.append((first, before + words, width + wide))
        else:
            rows.append((piece, words, wide))
    for piece, words, wide in rows:
        if words.strip():
            place = x + float(piece.get("x", 0)), y + float(piece.get("y", 0))
            yield Text(words, *place, text.get("text-anchor", "start"), wide, size)


def _texts(element: ElementTree.Element, x: float = 0.0, y: float = 0.0) -> Iterator[Text]:
    """The lines of all texts below an element, at their places in the whole picture.

    Raises:
        ValueError: something moves a text that is neither a `translate` nor a place of its own.
    """
    for child in element:
        if child.tag != "text" and child.find(".//text") is None:
            continue
        moved = re.fullmatch(
            r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", child.get("transform", "translate(0 0)")
        )
        if moved is None or child.tag == "svg":
            raise ValueError(
                f"expected texts moved by translate, got {child.tag} {child.attrib}; teach it to this module"
            )
        place = x + float(moved[1]), y + float(moved[2])
        yield from _lines(child, *place) if child.tag == "text" else _texts(child, *place)


def pictures(html: str) -> list[Picture]:
    """Read the texts of every picture of a still: one, or a wide and a narrow form."""
    found = []
    for svg in ElementTree.fromstring(f"<div>{html}</div>").iter("svg"):
        if svg.get("role") == "img":
            _, _, width, height = map(float, svg.get("viewBox").split())
            found.append(Picture(width, height, list(_texts(svg))))
    return found


def read(html: str) -> Picture:
    """Read the one picture of the still of curves or of points, with its lines and its legend."""
    (seen,) = pictures(html)
    svg = ElementTree.fromstring(re.search(r'<svg role="img".*?</svg>', html, re.DOTALL)[0])
    lines = []
    for path in svg.iter("path"):
        if path.get("fill") == "none":
            pieces = [
                [tuple(map(float, point.split())) for point in piece.split("L")]
                for piece in path.get("d").split("M")[1:]
            ]
            lines.append((path.get("stroke"), path.get("stroke-dasharray") is not None, pieces))
    legend = {
        name.strip(): colour
        for colour, name in re.findall(r"border-top:3px solid (#\w+);[^<]*</span>([^<]*)</span>", html)
    }
    return replace(seen, lines=lines, legend=legend)
