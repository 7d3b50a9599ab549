"""A second, narrow form of every chart, for telephones: panels one below the other, text of the same size.

A running notebook puts it into the metadata of the chart's output, where the site finds it
(`_ext/dlbook_site/figures.py`) and nobody else looks.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from IPython.core.pylabtools import print_figure
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH = 4.2  # inches; on a telephone 358 pixels wide, text of 10.5 points is then 12 pixels high
WITHOUT = {"Date": None, "Creator": None}  # the same bytes at every run


def placed(figure: Figure) -> list[Axes]:
    """The axes that stand in a grid, each in one cell of it; none if one spans several."""
    axes = [axis for axis in figure.axes if axis.get_subplotspec() is not None]
    return axes if all(axis.get_subplotspec().num1 == axis.get_subplotspec().num2 for axis in axes) else []


@contextmanager
def restacked(figure: Figure) -> Iterator[None]:
    """Make a figure narrow while it is drawn: up to three panels in one column, more of them in two."""
    size, axes = figure.get_size_inches().copy(), placed(figure)
    specs = [axis.get_subplotspec() for axis in axes]
    labels = [(axis.yaxis.get_tick_params().get("labelleft", True), axis.get_ylabel()) for axis in axes]
    columns = 1 if len(axes) <= 3 else 2
    rows, height = math.ceil(len(axes) / columns), size[1]
    if len(axes) > 1:
        height = rows * max(2.0, size[1] / specs[0].get_gridspec().nrows * 0.8)
        grid = figure.add_gridspec(rows, columns)
        for index, axis in enumerate(axes):
            axis.set_subplotspec(grid[divmod(index, columns)])
            if index % columns == 0:  # an axis that is shared was labelled at the left of its row alone
                axis.tick_params(labelleft=True)
                axis.set_ylabel(axis.get_ylabel() or axes[0].get_ylabel())
    figure.set_size_inches(WIDTH, height)
    try:
        yield
    finally:
        figure.set_size_inches(size)
        for axis, spec, (labelled, words) in zip(axes, specs, labels, strict=True):
            axis.set_subplotspec(spec)
            axis.tick_params(labelleft=labelled)
            axis.set_ylabel(words)


def narrow_form(figure: Figure) -> tuple[dict, dict]:
    """Return no data, and the narrow SVG as metadata of the wide one. IPython calls it for every figure."""
    if figure.get_size_inches()[0] <= 1.2 * WIDTH:
        return {}, {}
    with restacked(figure):
        narrow = print_figure(figure, "svg", metadata=WITHOUT)
    return {}, {"image/svg+xml": {"narrow": narrow}}
