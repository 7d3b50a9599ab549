"""Interactive figures that run on the static page, in JupyterLab, in Colab and in VS Code by the same code.

These figures serve the whole book:

* :class:`Curves`: curves over parameters, with values and gradients under a cursor;
* :class:`Images`: stacks of images over parameters, side by side;
* :class:`Stepper`: a computation, step by step, in tables of numbers;
* :class:`Diagram`: a network, block by block, with its shapes and costs;
* :class:`Scatter`: points over axes that the reader chooses;
* :class:`Layers`: the units of a deep network, lit by signal and gradient;
* :class:`Flow`: what arrives at each block of a network, as a river;
* :class:`Backprop`: a net of five numbers, its values forward and its deltas back, each changed by hand;
* :class:`Bowl`: runs of a noisy optimizer as balls in a bowl, with the floor where they stall;
* :class:`Multiples`: curves and their slopes in small squares, with one x over all of them;
* :class:`Views`: a weak and a strong view of a picture, and the label that goes from one to the other;
* :class:`Map`: points that move over a training, with a label or without, right or wrong;
* :class:`Mixed`: two pictures mixed by hand, and what networks say of every mixture between them;
* :class:`Norms`: a block of activations, and which of its cells share a mean under each normalisation;
* :class:`Nudge`: a picture that is moved pixel by pixel, and what networks make of it on their way;
* :class:`Shift`: a picture that the reader drags, and where networks recognise it;
* :class:`Separator`: points that the reader places, and a line that is corrected at each mistake;
* :class:`Train`: a network that trains in the page, and faults to switch on;
* :class:`Sweep`: the graph of a computation, stepped through for its values and its derivatives;
* :class:`Draw`: a pad for digits, and what a ConvNet and a transformer make of them, in the page;
* :class:`Race`: balls of six optimizers, dropped by the reader on a surface of two weights;
* :class:`Cortex`: a bar of light on the receptive field of a simple and a complex cell;
* :class:`Unit`: an output cell of a convolution, a pooling, a batch norm or an attention, on a photograph;
* :class:`Penalty`: two weights, the bowl of their loss, and the region that a penalty allows;
* :class:`Thinned`: a network whose units drop at each press, and the cloud of what its thinned networks say;
* :class:`Augmented`: a picture, an augmentation and its strength, and where each pixel then comes from.

Each is an anywidget: a Python class with its JavaScript beside it. The data are computed here, in Python,
before the figure is drawn, and travel with the page; no figure holds more than 60 KiB.

>>> from dlbook.widgets import Curve, Curves
>>> figure = Curves(x=[0, 1, 2], curves=[Curve("square", [0, 1, 4])], title="Square", description="It grows.")
>>> figure.visible
['square']
"""

from dlbook.widgets.augmented import Augmented
from dlbook.widgets.backprop import Backprop
from dlbook.widgets.bowl import Bowl
from dlbook.widgets.cortex import Cortex
from dlbook.widgets.curves import Curve, Curves
from dlbook.widgets.diagram import Diagram
from dlbook.widgets.draw import Draw
from dlbook.widgets.figure import STATE_LIMIT, Figure
from dlbook.widgets.flow import Flow
from dlbook.widgets.images import Images, Stack
from dlbook.widgets.layers import History, Layers
from dlbook.widgets.map import Map
from dlbook.widgets.mixed import Mixed
from dlbook.widgets.multiples import Multiples
from dlbook.widgets.norms import Norms
from dlbook.widgets.nudge import Nudge, Row, Tiles
from dlbook.widgets.penalty import Penalty
from dlbook.widgets.race import Race
from dlbook.widgets.scatter import Axis, Point, Scatter
from dlbook.widgets.separator import Separator
from dlbook.widgets.shift import Shift
from dlbook.widgets.stepper import Grid, Step, Stepper
from dlbook.widgets.sweep import Cell, Sweep, cells_of
from dlbook.widgets.thinned import Thinned
from dlbook.widgets.train import Fault, Train
from dlbook.widgets.unit import Unit
from dlbook.widgets.views import Views

__all__ = [
    "STATE_LIMIT",
    "Augmented",
    "Axis",
    "Backprop",
    "Bowl",
    "Cell",
    "Cortex",
    "Curve",
    "Curves",
    "Diagram",
    "Draw",
    "Fault",
    "Figure",
    "Flow",
    "Grid",
    "History",
    "Images",
    "Layers",
    "Map",
    "Mixed",
    "Multiples",
    "Norms",
    "Nudge",
    "Penalty",
    "Point",
    "Race",
    "Row",
    "Scatter",
    "Separator",
    "Shift",
    "Stack",
    "Step",
    "Stepper",
    "Sweep",
    "Thinned",
    "Tiles",
    "Train",
    "Unit",
    "Views",
    "cells_of",
]
