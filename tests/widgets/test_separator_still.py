"""The still picture of Separator: mistakes, bound, points on their side, and the halves of the square."""

import re

import pytest

from dlbook.widgets import separator_still
from dlbook.widgets.separator_still import REACH, Sheet, half
from tests.widgets.separator_checks import TEXTS, separator


def area(corners):
    """Of a polygon, by the shoelace formula."""
    pairs = zip(corners, corners[1:] + corners[:1], strict=True)
    return abs(sum(x * b - a * y for (x, y), (a, b) in pairs)) / 2


def check_halves():
    for weights in ((1, 0, 0), (0.5, -2, 0.3), (-1, -1, 1.5), (0.2, 0.1, 5)):
        parts = [half(weights, sign) for sign in (1, -1)]
        for sign, corners in zip((1, -1), parts, strict=True):
            assert all(sign * (weights[0] * x + weights[1] * y + weights[2]) >= -1e-9 for x, y in corners)
            assert all(max(abs(x), abs(y)) <= REACH + 1e-9 for x, y in corners)
        assert sum(area(corners) for corners in parts if corners) == pytest.approx((2 * REACH) ** 2)


def test_two_halves_make_the_square():
    check_halves()


def test_the_halves_catch_a_crossing_that_is_left_out(monkeypatch):
    corners = [(-REACH, -REACH), (REACH, -REACH), (REACH, REACH), (-REACH, REACH)]
    without = lambda w, sign: [p for p in corners if sign * (w[0] * p[0] + w[1] * p[1] + w[2]) >= 0]
    monkeypatch.setitem(globals(), "half", without)
    with pytest.raises(AssertionError):
        check_halves()


def test_still_tells_the_mistakes_and_the_bound():
    figure = separator(start="close")
    run, most = figure.course(), figure.bound()[2]
    still = figure.still()
    assert still.count(f">{len(run.missed)} mistakes<") == 2 and still.count(f">at most {most}<") == 2
    assert TEXTS["title"] in still and separator(start="XOR").still().count(">no bound<") == 2


def test_it_can_open_at_an_early_mistake():
    figure = separator(start="close", opens=2)
    weights, still = figure.course().weights[2], figure.still()
    wrong = sum((weights @ [x, y, 1] >= 0) != bool(label) for x, y, label in figure.points)
    assert still.count(">2 mistakes<") == 2 and still.count('fill="var(--n)"') == 2 * wrong > 0


def test_points_stand_in_their_place_and_are_hollow_on_the_wrong_side():
    figure = separator(start="close")
    x, y, _ = figure.points[0]
    px, py = Sheet(960).place(x, y)
    assert f"translate({px:.1f} {py:.1f})" in figure.still()
    assert figure.still().count('fill="var(--n)"') == 0  # all are right at the end
    stray = separator(start="XOR", most=50)
    weights = stray.course().weights[-1]
    wrong = sum((weights @ [x, y, 1] >= 0) != bool(label) for x, y, label in stray.points)
    assert wrong > 0 and stray.still().count('fill="var(--n)"') == 2 * wrong


def test_the_course_ends_at_the_last_mistake_on_the_panel():
    figure = separator(start="close")
    course = re.search(r'stroke="var\(--o\)" d="M([^"]+)"', figure.still())[1].split("L")
    assert len(course) == len(figure.course().missed)
    assert separator_still.Sheet(960).x == pytest.approx(float(course[0].split()[0]), abs=0.1)


def test_no_points_have_a_still_picture():
    figure = separator()
    figure.points = []
    assert ">0 mistakes<" in figure.still()
