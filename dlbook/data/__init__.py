"""Data sets that come with the book, and loaders for those that must be downloaded.

Bundled, checked and offline: :func:`mnist5k`, :func:`photographs`, :func:`imagenet_classes`,
:func:`ilsvrc`. Drawn on the spot: :func:`color_shapes` and :func:`cluttered_shapes`. From torchvision, by
name and never silently: :func:`torchvision_dataset`.
"""

from dlbook.data.bundled_photographs import imagenet_classes, photograph, photographs
from dlbook.data.cluttered_shapes import cluttered_shapes
from dlbook.data.drawn_shapes import color_shapes
from dlbook.data.files import data_dir
from dlbook.data.ilsvrc import ilsvrc
from dlbook.data.labelled import LabelledImages, labelled_indices
from dlbook.data.mnist import mnist5k
from dlbook.data.torchvision_sets import gather, torchvision_dataset

__all__ = [
    "LabelledImages",
    "cluttered_shapes",
    "color_shapes",
    "data_dir",
    "gather",
    "ilsvrc",
    "imagenet_classes",
    "labelled_indices",
    "mnist5k",
    "photograph",
    "photographs",
    "torchvision_dataset",
]
