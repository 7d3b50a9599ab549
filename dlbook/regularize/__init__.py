"""Regularisers, one idea a file: penalties, smoothed labels, mixed images, early stopping.

Images and targets are mixed as tensors, in batches, on any device, with all randomness from a generator that
is passed in.

>>> import torch
>>> mixup(torch.rand(4, 3, 8, 8), smooth_targets(torch.arange(4), num_classes=10))[1].shape
torch.Size([4, 10])
"""

from dlbook.regularize.cutmix import cutmix
from dlbook.regularize.early_stopping import EarlyStopping
from dlbook.regularize.label_smoothing import smooth_targets, smoothed_cross_entropy
from dlbook.regularize.mixup import mixup
from dlbook.regularize.penalties import elastic_net, l1, l2, proximal_step

__all__ = [
    "EarlyStopping",
    "cutmix",
    "elastic_net",
    "l1",
    "l2",
    "mixup",
    "proximal_step",
    "smooth_targets",
    "smoothed_cross_entropy",
]
