"""The still picture of points, read back: every point at its place on the chosen axes, nothing cut off."""

import types
from xml.etree import ElementTree

import numpy as np
import pytest

from dlbook.widgets import Axis, Point, Scatter
from dlbook.widgets import scatter_still as module
from dlbook.widgets.scatter_still import draw_scatter
from tests.oracles import svg
from tests.seeded import edited

POINTS = [
    Point("a", "unused", {"year": 2010}),
    Point("b", "small", {"size": 1, "accuracy": 60, "year": 2012}),
    Point("c", "large", {"size": 60_000, "accuracy": 80, "year": 2016}),
    Point("d", "small", {"size": 300, "accuracy": 71.25, "year": 2013}),
]
AXES = [Axis("size", log=True, unit="images"), Axis("accuracy", unit="%"), Axis("year")]


def scatter(**changes) -> Scatter:
    return Scatter(
        **{"title": "Nets", "description": "What it shows.", "axes": AXES, "points": POINTS, **changes}
    )


def marks(html: str) -> dict[str, tuple[float, float, str]]:
    """Name -> place in pixels and colour of every point that is drawn."""
    picture = ElementTree.fromstring(html[html.index('<svg role="img"') : html.rindex("</svg>") + 6])
    found = {}
    for path in picture.iter("path"):
        if path.find("title") is not None:
            x, y = path.get("transform").removeprefix("translate(").removesuffix(")").split()
            found[path.find("title").text] = float(x), float(y), path.get("fill")
    return found


def check_places(draw) -> None:
    """Each point lies where the numbers at the axes say; on another pair of axes too."""
    for start, logs in (({}, (True, False)), ({"across": "year", "up": "size"}, (False, True))):
        figure = scatter(start=start)
        html = draw(figure)
        seen, found = svg.read(html), marks(html)
        assert sorted(found) == ["b", "c", "d"]
        lines = [seen.axis(which, log=log) for which, log in zip(("across", "up"), logs, strict=True)]
        for point in POINTS[1:]:
            for line, place, log, name in zip(
                lines, found[point.name], logs, figure.values.values(), strict=False
            ):
                value = np.log10(point.values[name]) if log else point.values[name]
                assert abs(line(place) - value) < 0.02 * abs(line(200) - line(0)), (point.name, name)


def check_whole(draw) -> None:
    """Marks keep 5 pixels of air to all sides; labels are within; groups that are drawn are in the legend."""
    html = draw(scatter())
    seen = svg.read(html)
    assert seen.cut_off() == [] and seen.overlapping() == []
    assert {"size (images)", "accuracy (%)"} <= {t.text for t in seen.texts}
    for x, y, _ in marks(html).values():
        assert module.LEFT + 5 <= x <= seen.width - module.RIGHT - 5
        assert module.TOP + 5 <= y <= module.HEIGHT - module.FOOT - 5
    colours = {colour for _, _, colour in marks(html).values()}
    head = html[: html.index('<svg role="img"')]
    assert all(colour in head for colour in colours) and "small" in head and "large" in head
    assert "unused" not in head


def test_points_lie_where_the_axes_say():
    check_places(draw_scatter)


def test_nothing_is_cut_off():
    check_whole(draw_scatter)


FAULTS = {
    "axes exchanged": (
        check_places,
        '(figure.values["across"], figure.values["up"])',
        '(figure.values["up"], figure.values["across"])',
    ),
    "the last point": (check_places, "for p in points\n        )", "for p in points[:-1]\n        )"),
    "no air": (check_whole, "return low - pad, high + pad", "return low, high"),
    "no air on a logarithmic axis": (check_whole, "low / 1.4, high * 1.4", "low, high"),
    "a legend without the last group": (
        check_whole,
        "for number_, group in drawn)",
        "for number_, group in drawn[:-1])",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, old, new = FAULTS[fault]
    broken = types.SimpleNamespace(**edited(module, old, new))
    with pytest.raises(AssertionError):
        check(broken.draw_scatter)
