"""Reads what a still picture shows: its texts with their places, its lines and marks with their colours.

Places become numbers of the axes again by the labels at the axes, not by the code that drew them.
"""

import itertools
import re
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

CHARACTER = 7.5  # pixels of a character at 13 pixels of height


@dataclass(frozen=True)
class Text:
    """One text and the rectangle that it takes, roughly."""

    text: str
    x: float
    y: float
    anchor: str

    def span(self) -> tuple[float, float]:
        wide = CHARACTER * len(self.text)
        left = self.x - {"start": 0.0, "middle": wide / 2, "end": wide}[self.anchor]
        return left, left + wide


@dataclass(frozen=True)
class Picture:
    """width, height: of the view box. texts; lines: (colour, dashed, [pieces, each a list of (x, y)]).
    legend: name -> colour of its sample.
    """

    width: float
    height: float
    texts: list[Text]
    lines: list[tuple[str, bool, list[list[tuple[float, float]]]]]
    legend: dict[str, str]

    def cut_off(self) -> list[str]:
        """The texts that reach over the edge of the picture."""
        return [
            t.text
            for t in self.texts
            if t.span()[0] < 0 or t.span()[1] > self.width + 0.1 or not 10 <= t.y <= self.height - 3
        ]

    def overlapping(self) -> list[tuple[str, str]]:
        """Pairs of texts of which one is written over the other."""
        return [
            (one.text, other.text)
            for one, other in itertools.combinations(self.texts, 2)
            if abs(one.y - other.y) < 9
            and max(one.span()[0], other.span()[0]) < min(one.span()[1], other.span()[1])
        ]

    def axis(self, which: str, rows: tuple[float, float] = (0, 1e9), log: bool = False) -> np.poly1d:
        """The line from pixels to numbers, or their logarithms, through an axis's labels with y in `rows`."""
        anchor = {"across": "middle", "up": "end"}[which]
        found = [
            t for t in self.texts if t.anchor == anchor and _is_number(t.text) and rows[0] < t.y < rows[1]
        ]
        found = [t for t in found if t.span()[1] < self.width - 0.2]  # one at the edge was moved to the left
        places = [t.x if which == "across" else t.y - 4 for t in found]
        numbers = np.array([_number(t.text) for t in found])
        return np.poly1d(np.polyfit(places, np.log10(numbers) if log else numbers, 1))


def _number(text: str) -> float:
    return float(text.replace("−", "-"))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[−-]?[\d.]+(e[−-]?\d+)?", text) is not None


def read(html: str) -> Picture:
    """Read the picture of `still()`."""
    svg = ElementTree.fromstring(re.search(r'<svg role="img".*?</svg>', html, re.DOTALL)[0])
    _, _, width, height = map(float, svg.get("viewBox").split())
    texts = [
        Text(e.text, float(e.get("x")), float(e.get("y")), e.get("text-anchor", "start"))
        for e in svg.iter("text")
    ]
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
    return Picture(width, height, texts, lines, legend)
