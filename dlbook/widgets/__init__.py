"""Interactive figures that run on the static page, in JupyterLab, in Colab and in VS Code by the same code.

Three figures serve the whole book:

* :class:`Curves`: curves over parameters, with values and gradients under a cursor;
* :class:`Images`: stacks of images over parameters, side by side;
* :class:`Stepper`: a computation, step by step, in tables of numbers.

Each is an anywidget: a Python class with its JavaScript beside it. The data are computed here, in Python, before the
figure is drawn, and travel with the page; no figure holds more than 60 KiB.

>>> from dlbook.widgets import Curve, Curves
>>> figure = Curves(x=[0, 1, 2], curves=[Curve("square", [0, 1, 4])], title="A square", description="It grows.")
>>> figure.visible
['square']
"""

from dlbook.widgets.curves import Curve, Curves
from dlbook.widgets.figure import STATE_LIMIT, Figure
from dlbook.widgets.images import Images, Stack
from dlbook.widgets.stepper import Grid, Step, Stepper

__all__ = ["STATE_LIMIT", "Curve", "Curves", "Figure", "Grid", "Images", "Stack", "Step", "Stepper"]
