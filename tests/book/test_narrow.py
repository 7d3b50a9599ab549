"""The narrow form of charts: panels below each other, text of one size, and the wide figure as it was."""

import re

import matplotlib
import matplotlib.pyplot as plt
import pytest

from dlbook import book
from dlbook.book.narrow import WIDTH, narrow_form, restacked
from dlbook.book.style import STYLE

matplotlib.use("Agg")


def panels(count, **options):
    with matplotlib.rc_context(STYLE):
        axes = book.panels(*[f"panel {i}" for i in range(count)], **options)
        for axis in axes:
            axis.plot([0, 1], [0, 1])
        axes[0].set_ylabel("height")
        axes[0].figure.canvas.draw()
    return axes


def state(figure):
    return [tuple(figure.get_size_inches())] + [
        (axis.get_position().bounds, axis.get_ylabel(), len(axis.yaxis.get_ticklabels()))
        for axis in figure.axes
    ]


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 1), (3, 1), (4, 2)])
def test_panels_stand_below_each_other(count, columns):
    axes = panels(count, sharey=True)
    figure = axes[0].figure
    before = state(figure)
    with matplotlib.rc_context(STYLE), restacked(figure):
        figure.canvas.draw()
        assert figure.get_size_inches()[0] == WIDTH
        places = [axis.get_position() for axis in axes]
        assert len({round(place.x0, 2) for place in places}) == columns
        assert all(a.y0 > b.y1 for a, b in zip(places, places[columns:], strict=False))
        for axis in axes[::columns]:
            assert axis.get_ylabel() == "height" and len(axis.yaxis.get_ticklabels())
    figure.canvas.draw()
    assert state(figure) == before
    plt.close("all")


def test_the_narrow_form_travels_beside_the_wide_one():
    figure = panels(2)[0].figure
    data, metadata = narrow_form(figure)
    width = float(re.search(r'<svg [^>]*width="([\d.]+)pt"', metadata["image/svg+xml"]["narrow"])[1])
    assert data == {} and width <= 72 * WIDTH * 1.05
    figure.set_size_inches(4, 3)
    assert narrow_form(figure) == ({}, {}), "a small figure needs no smaller one"
    plt.close("all")
