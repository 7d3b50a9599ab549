"""Looks at any network and knows none: costs, receptive field, trace, tree, health, memory, margin,
calibration.

>>> import torch
>>> count(lambda: torch.nn.Conv2d(3, 8, 3), (3, 32, 32)).parameters
224
"""

from dlbook.measure.costs import Counts, count
from dlbook.measure.tree import TreeBlock, model_tree

__all__ = ["TreeBlock", "Counts", "count", "model_tree"]
