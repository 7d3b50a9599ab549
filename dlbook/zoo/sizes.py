"""The images that each row of the zoo was made for, read from its own table and its builder's options.

>>> input_size("resnet50"), input_size("efficientnet_b4")
((3, 224, 224), (3, 380, 380))
"""

import inspect
from importlib import import_module
from typing import Any

from dlbook.checks import find_row
from dlbook.models import variants
from dlbook.zoo.papers import PAPERS

RESOLUTIONS = {
    "alexnet": 227,
    "alexnet_ungrouped": 227,
}  # rows that neither their table nor their family describes


def input_size(name: str) -> tuple[int, int, int]:
    """Return (C, H, W) of the images that a row was designed for.

    The side is the row's own `resolution` where its table has one, or the builder's; 32 for a CIFAR row; else
    its family's. C is what the family's builder takes by default.
    """
    row, options = _row(name)
    side = RESOLUTIONS.get(name) or getattr(row, "resolution", None) or options.get("resolution")
    side = side or (32 if "cifar" in name else PAPERS[find_row(name, variants())].resolution)
    return (options["in_channels"], side, side)


def size_options(name: str, size: tuple[int, int, int]) -> dict[str, Any]:
    """Return the options that `dlbook.models.create` needs to build the row `name` for images of (C, H, W),
    {} for its own size.
    """
    own, (_, options) = input_size(name), _row(name)
    needed: dict[str, Any] = {} if size[0] == own[0] else {"in_channels": size[0]}
    if "resolution" in options and size[1:] != own[1:]:
        needed["resolution"] = size[1] if size[1] == size[2] else size[1:]
    return needed


def _row(name: str) -> tuple[Any, dict[str, Any]]:
    """A row of its table, and the defaults of its builder's options."""
    family = find_row(name, variants())
    module = import_module(f"dlbook.models.{family}")
    signature = inspect.signature(getattr(module, family))
    return module.VARIANTS[name], {key: parameter.default for key, parameter in signature.parameters.items()}
