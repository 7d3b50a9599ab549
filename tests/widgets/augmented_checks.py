"""Two small pictures that several modules of tests change, and what the package's augmentations make of them."""

import numpy as np
import torch

from dlbook.augment import geometric, photometric
from dlbook.augment.cutout import erase
from dlbook.widgets import Augmented
from dlbook.widgets import augmented_rules as rules

TEXTS = {"title": "A title", "description": "What it shows."}
STRENGTHS = (-0.85, -0.3, 0.0, 0.15, 0.65)
PLACE = (2, 9)


def made(**changes):
    """A picture of 12 x 12 random colours, and a grey one of 7 x 7."""
    rng = np.random.default_rng(0)
    pictures = {"colours": rng.random((12, 12, 3)), "grey": rng.random((7, 7))}
    return Augmented(**{**TEXTS, "pictures": pictures, "place": PLACE, **changes})


def by_package(picture, kind, strength, mode):
    """`picture` [side, side, 3] as dlbook.augment changes it: the kinds that draw nothing."""
    images, side = torch.tensor(picture).permute(2, 0, 1)[None], len(picture)
    change = {
        "rotation": lambda: geometric.rotate(images, 180 * strength, mode=mode),
        "shift": lambda: geometric.translate(images, strength * side / 2, 0.0, mode=mode),
        "scaling": lambda: geometric.affine(images, scale=3**strength, mode=mode),
        "shear": lambda: geometric.shear(images, 45 * strength, mode=mode),
        "flip": lambda: geometric.flip(images, torch.tensor([True])),
        "brightness": lambda: photometric.brightness(images, 1 + strength),
        "contrast": lambda: photometric.contrast(images, 1 + strength),
        "saturation": lambda: photometric.saturation(images, 1 + strength),
        "hue": lambda: photometric.hue(images, strength / 2),
        "cutout": lambda: _cut(images, int(abs(strength) * side)),
    }[kind]
    return change()[0].permute(1, 2, 0).numpy()


def _cut(images, side):
    half = side // 2
    edges = (torch.tensor([number + by]) for number in PLACE for by in (-half, half))
    return erase(images, *edges)


EXACT = tuple(kind for kind in rules.KINDS if kind not in (*rules.NOISES, "random erasing", "PCA colour"))
