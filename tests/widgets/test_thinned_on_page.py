"""Thinned in a real Chromium: Python's masks and votes, press, flip by mouse and keys, width, axe, paper."""

import re

import numpy as np
import pytest

from tests.widgets.live import check_axe, check_legible, check_paper, check_whole
from tests.widgets.thinned_checks import thinned

pytestmark = pytest.mark.browser
WIDE = {"width": 1000, "height": 900}
MASKS = """async () => {
  const code = window.model.get('_esm'), page = await import(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  return page.default.masks(window.model.get('spec'));
}"""


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def values(page):
    return page.evaluate("model.get('values')")


def places(page, pattern):
    """x of each dot or bar, row by row."""
    paths = page.locator(pattern).evaluate_all("all => all.map(p => p.getAttribute('d'))")
    return [[float(x) for x in re.findall(r"M([\d.]+) [\d.]+[hV]", path)] for path in paths]


def check_cloud(page, figure) -> None:
    """Every dot, bar and sentence is what Python computes."""
    votes = figure.votes()
    clouds = places(page, "path.dlw-cloud")[:4]  # the last one is the legend's
    probs = np.array(clouds).T
    floors = page.locator("path.dlw-floor").evaluate_all("all => all.map(p => p.getAttribute('d'))")
    left, right = next(
        map(float, m.groups()) for m in map(re.compile(r"M([\d.]+) [\d.]+H([\d.]+)").match, floors) if m
    )
    np.testing.assert_allclose((probs - left) / (right - left), votes, atol=1e-3)
    bars = [row[0] for row in places(page, "path.dlw-bar")[:4]]
    np.testing.assert_allclose((np.array(bars) - left) / (right - left), votes.mean(0), atol=1e-3)
    there, scale = figure.there()
    whole = figure.run(np.ones(12, bool), 1.0)[2]
    now = figure.run(there, scale)[2]
    same = int((votes.argmax(1) == whole.argmax()).sum())
    words = verdict(page)
    assert f"has {there.sum()} of 12 units and says {now.argmax()}" in words
    assert f"{same} of {len(votes)}, and the mean gives it {votes.mean(0)[whole.argmax()]:.2f}"[:-1] in words


def test_the_page_draws_python_s_masks(open_figure):
    page = open_figure(thinned())
    assert (np.array(page.evaluate(MASKS)) == thinned().masks()).all()


@pytest.mark.parametrize("start", [{}, {"digit": "a 2"}, {"network": "with dropout", "digit": "a 1"}])
def test_the_page_computes_what_python_does(open_figure, start):
    figure = thinned(start={"thinned networks": 12, **start})
    check_cloud(open_figure(figure, viewport=WIDE), figure)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("1 / (1 - spec.drop_prob)", "1"), ("first + i))", "i))"), ("draw.uniform() >=", "draw.uniform() <")],
)
def test_python_catches_a_fault_in_the_page(open_figure, right, wrong):
    figure = thinned()
    assert right in figure._esm
    figure._esm = figure._esm.replace(right, wrong, 1)
    with pytest.raises(AssertionError):
        check_cloud(open_figure(figure, viewport=WIDE), thinned())


def test_a_press_drops_and_a_press_brings_back(open_figure):
    page = open_figure(thinned(start={"thinned networks": 0}))
    assert verdict(page).startswith("The whole network says")
    again = page.get_by_role("button", name="the next thinned network")
    for count in (1, 2):
        again.click()
        assert values(page)["thinned networks"] == count
        assert verdict(page).startswith(f"Thinned network {count} has")
    page.get_by_role("button", name="the whole network").click()
    assert values(page)["thinned networks"] == 0


def test_a_unit_is_switched_by_mouse_and_by_keys(open_figure):
    page = open_figure(thinned(start={"thinned networks": 0}), viewport=WIDE)
    box = page.locator(".dlw-unlit").nth(3).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.evaluate("model.get('flipped')") == [3] and "With 11 of 12 units it says" in verdict(page)
    units = page.get_by_role("slider", name="hidden units")
    units.focus()
    units.press("End")
    units.press("Enter")
    assert page.evaluate("model.get('flipped')") == [3, 11]
    assert units.get_attribute("aria-valuetext").startswith("unit 5 of hidden layer 2: dropped")
    page.get_by_role("slider", name="thinned networks", exact=True).press("ArrowRight")
    assert page.evaluate("model.get('flipped')") == []


@pytest.mark.parametrize("width", [1200, 720, 390, 320])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    page = open_figure(thinned(), viewport={"width": width, "height": 900})
    check_legible(page, width)
    check_whole(page)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(thinned(), dark=dark))


def test_paper_is_white_and_tells_the_state(open_figure):
    page = open_figure(thinned())
    check_paper(page)
    assert "thinned networks = 12" in page.locator(".dlw-state").inner_text()
