"""A small screen with Gabor filters, which several modules of tests draw."""

import math

from dlbook.nn.gabor import gabor_kernel
from dlbook.widgets import Cortex

KERNEL = gabor_kernel(0.14, math.radians(30), sigma_u=2.6, sigma_v=4.0, side=21)


def cortex(**changes):
    """Cells that like bars at 60 degrees, on a screen of 21 by 21."""
    arguments = {
        "title": "A title",
        "description": "What it shows.",
        "even": KERNEL.real,
        "odd": KERNEL.imag,
        "length": 14,
        "width": 3,
        "angles": list(range(0, 180, 15)),
        "start": {"angle": 60},
        **changes,
    }
    return Cortex(**arguments)
