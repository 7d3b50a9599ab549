"""Every still picture, in its wide and in its narrow form: no word reaches over the edge or over another one.

Readers in print and without JavaScript see nothing else.
"""

import functools
from pathlib import Path

import pytest

from dlbook.widgets import (
    draw_still,
    map_still,
    multiples_still,
    separator_still,
    stage_still,
    still,
    train_still,
)
from tests.oracles import svg
from tests.seeded import edited
from tests.widgets.still_figures import FIGURES

ONE_FORM = ("still", "scatter_still")  # white pictures, as wide as the page
made = functools.cache(lambda name: FIGURES[name]())


def check_words(html: str, widths: tuple[int, ...]) -> None:
    """The picture has these forms, and in each all words stand apart and whole."""
    forms = svg.pictures(html)
    assert tuple(seen.width for seen in forms) == widths
    for seen in forms:
        assert seen.cut_off() == [] and seen.overlapping() == [], seen.width


def test_every_module_is_asked():
    modules = {path.stem for path in Path(still.__file__).parent.glob("*still.py")}
    assert modules - {"stage_still"} == set(FIGURES)  # it draws the frame of the others


@pytest.mark.parametrize("name", FIGURES)
def test_words_stand_apart_and_whole(name):
    for figure in made(name):
        check_words(figure.still(), (still.WIDTH,) if name in ONE_FORM else stage_still.WIDTHS)


FAULTS = {  # module, what draws, the piece, the fault
    "a title in one line": (train_still, "draw_training", "int(room / LETTER)", "999"),
    "no room for a second line": (train_still, "draw_training", "LINE * max(map(len, titles))", "LINE"),
    "a sentence in one line": (draw_still, "draw", '" ".join(LAST) if wide else LAST[0]', '" ".join(LAST)'),
    "a slope and a word": (multiples_still, "draw_multiples", "side > 150 or len(words) <= 8", "True"),
    "all digits": (separator_still, "draw_separator", "round(2.0**power, 4)", "2.0**power"),
    "a number at the edge": (
        separator_still,
        "draw_separator",
        "min(px(2**power), at.width - 17)",
        "px(2**power)",
    ),
    "a legend among the names": (map_still, "draw_map", "2 * tall + 124", "2 * tall + 84"),
    "a number over the right edge": (still, "draw_curves", "min(at, WIDTH - half)", "at"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    module, draw, old, new = FAULTS[fault]
    name = module.__name__.rpartition(".")[2]
    broken = [edited(module, old, new)[draw](figure) for figure in made(name)]
    with pytest.raises(AssertionError):
        for html in broken:
            check_words(html, (still.WIDTH,) if name in ONE_FORM else stage_still.WIDTHS)


BESIDE = '<text x="5" y="30">beside</text>'


@pytest.mark.parametrize(
    ("inside", "cut", "over"),
    [
        ('<g transform="translate(60 0)"><text x="0" y="30">a word</text></g>', [], []),
        ('<g transform="translate(80 0)"><text x="0" y="30">a word</text></g>', ["a word"], []),
        ('<text transform="translate(5 30)" x="0" y="0">a word</text>', [], [("a word", "beside")]),
        ('<text y="30"><tspan x="60" y="14">two</tspan><tspan x="70" y="30">lines</tspan></text>', [], []),
        ('<text x="62.5" y="30">bold<tspan font-weight="700"> and</tspan></text>', ["bold and"], []),
        ('<text x="55" y="14" style="font-size:40px">M</text>', ["M"], []),
    ],
)
def test_the_reader_knows_where_words_stand(inside, cut, over):
    (seen,) = svg.pictures(f'<svg role="img" viewBox="0 0 120 40">{inside}{BESIDE}</svg>')
    assert seen.cut_off() == cut and seen.overlapping() == over


def test_the_reader_says_what_it_does_not_know():
    turned = '<g transform="rotate(90)"><text x="0" y="30">a word</text></g>'
    with pytest.raises(ValueError, match="expected texts moved by translate"):
        svg.pictures(f'<svg role="img" viewBox="0 0 120 40">{turned}</svg>')
