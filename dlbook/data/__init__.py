"""Data sets that come with the book, and the doors to those that do not.

Bundled, checked and offline: :func:`mnist5k`, :func:`photographs`, :func:`imagenet_classes`. Drawn on the
spot: :func:`color_shapes`. From torchvision, by name and never silently: :func:`torchvision_dataset`.

Augmentations are functions of a batch and a generator, in the modules `geometric`, `photometric`, `noise`,
`pca_color`, `crops`, `policies`, `policy_search`, `views` and, for digits, `augment`; `draws` puts them
together.
"""

from dlbook.data.files import data_dir
from dlbook.data.labelled import LabelledImages, labelled_indices
from dlbook.data.mnist import mnist5k
from dlbook.data.photos import imagenet_classes, photograph, photographs
from dlbook.data.shapes import color_shapes
from dlbook.data.torchvision_sets import gather, torchvision_dataset

__all__ = [
    "LabelledImages",
    "color_shapes",
    "data_dir",
    "gather",
    "imagenet_classes",
    "labelled_indices",
    "mnist5k",
    "photograph",
    "photographs",
    "torchvision_dataset",
]
