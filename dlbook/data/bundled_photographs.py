"""A handful of photographs in the public domain, and the names of ImageNet's 1,000 classes.

>>> photograph("espresso").shape
torch.Size([3, 400, 600])
>>> imagenet_classes()[967]
'espresso'
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dlbook.checks import require_one_of
from dlbook.data.files import verified

# Name, file, and what the picture shows (also fit as alternative text).
PHOTOGRAPHS = {
    "cat": "A tabby cat looks into the camera.",
    "espresso": "A cup of espresso on a saucer, on a wooden table.",
    "camera": "A photographer in a field looks through a camera on a tripod.",
    "astronaut": "An astronaut in an orange suit smiles in front of a flag and a model of a shuttle.",
    "rocket": "A rocket lifts off at dusk.",
}


def photograph(name: str) -> Tensor:
    """Load one photograph by name, for example "cat".

    Args:
        name: a key of `PHOTOGRAPHS`.

    Returns:
        uint8 [3, H, W], red, green, blue from 0 to 255. "camera" is grey: its three channels are equal.

    Raises:
        ValueError: an unknown name, or a truncated or altered file.
        FileNotFoundError: the file is missing.
    """
    require_one_of("name", name, tuple(PHOTOGRAPHS))
    with Image.open(verified(f"photographs/{name}.jpg")) as image:
        pixels = np.array(image.convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()  # [H, W, 3] -> [3, H, W]


def photographs() -> dict[str, Tensor]:
    """Load all photographs by name, as :func:`photograph` gives them."""
    return {name: photograph(name) for name in PHOTOGRAPHS}


def imagenet_classes() -> tuple[str, ...]:
    """Read the names of ImageNet-1k's 1,000 classes, in the order of the logits of every ImageNet model."""
    return tuple(verified("imagenet_classes.txt").read_text(encoding="utf-8").splitlines())
