"""Augmentations: functions of a batch and a generator, one kind a file; `steps` puts them together.

>>> import torch
>>> cutout(torch.ones(2, 3, 8, 8), side=4).shape
torch.Size([2, 3, 8, 8])
"""

from dlbook.augment.cutout import cutout
from dlbook.augment.erasing import random_erasing

__all__ = ["cutout", "random_erasing"]
