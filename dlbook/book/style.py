"""How charts look: transparent SVG, so that the page's dark mode can invert them."""

import matplotlib
from cycler import cycler
from IPython import get_ipython
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import set_matplotlib_formats

from dlbook.book.narrow import WITHOUT, narrow_form

# After Okabe and Ito's colour-blind-safe set, darkened where white paper asks for it: 3:1 against both pages,
# light and dark.
CYCLE = ("#0072b2", "#c75000", "#00805f", "#b3589a", "#2b8fc4", "#9a7a00", "#4d4d4d")
SIGNAL, GRADIENT, LABEL, DATA = CYCLE[:4]  # one meaning a colour, in every figure of the book
INK = "#1f2328"
STYLE = {
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.grid": True,
    "grid.color": "#8a8f96",
    "grid.alpha": 0.25,
    "grid.linewidth": 0.8,
    "figure.figsize": (7.2, 3.6),
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.transparent": True,
    "figure.constrained_layout.use": True,
    "font.size": 10.5,
    "image.cmap": "cividis",
    "image.interpolation": "nearest",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "dlbook",  # the same bytes at every run
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def figure_style() -> None:
    """Set matplotlib to the book's style, and a running notebook's charts to SVG, wide and narrow."""
    matplotlib.rcParams.update(STYLE)
    if (shell := get_ipython()) is not None:
        set_matplotlib_formats("svg", metadata=WITHOUT)
        shell.display_formatter.mimebundle_formatter.for_type(Figure, narrow_form)
