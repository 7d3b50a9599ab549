"""Random erasing: Zhong et al. 2017, *Random Erasing Data Augmentation*, arXiv:1708.04896, algorithm 1.

::

    with probability p, for each image:
        repeat: S_e uniform in [s_l, s_h] H W;  r_e in [r_1, 1 / r_1]
                h <- sqrt(S_e r_e),  w <- sqrt(S_e / r_e);  a corner uniform in the image
        until the box lies within the image
        fill the box with random values

The paper has p = 0.5, s_l = 0.02, s_h = 0.4, r_1 = 0.3; torchvision's s_h is 0.33.

Departures from the paper

1. log r_e is uniform, as in torchvision and timm, so that high and wide boxes are equally likely; the paper
   draws r_e itself.
2. The corner is drawn among those that fit, for a box with h < H and w < W; a box too large is drawn again,
   ten times at most, then the image stays. The paper draws corner and box together, and again until both fit.
3. Three fills: "uniform" in [0, 1] for each value (the paper's 0 to 255), "normal" for images that are
   normalised, or a number.

>>> images = torch.full((100, 1, 16, 16), 2.0)
>>> erased = random_erasing(images, 1.0, fill=0.0, generator=torch.Generator().manual_seed(0)) == 0
>>> bool(erased.flatten(1).any(1).all()), 0.1 < erased.float().mean().item() < 0.3
(True, True)
"""

import math

import torch
from torch import Generator, Tensor

from dlbook.augment.cutout import erase
from dlbook.augment.values import require_values
from dlbook.checks import require_in

ATTEMPTS = 10


def boxes(
    count: int,
    height: int,
    width: int,
    area: tuple[float, float],
    aspect: tuple[float, float],
    generator: Generator | None = None,
    device: torch.device | str = "cpu",
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw top, bottom, left, right of boxes, each int64 [count]; an empty box where no attempt fitted."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(
            (count, ATTEMPTS), generator=generator, device=device, dtype=torch.float64
        )

    size = uniform(*area) * height * width
    ratio = uniform(math.log(aspect[0]), math.log(aspect[1])).exp()
    high, wide = (size * ratio).sqrt().round().long(), (size / ratio).sqrt().round().long()
    fits = (high < height) & (wide < width)
    first = fits.int().argmax(1, keepdim=True)  # the first attempt that fits; 0 if none does
    found = fits.any(1)
    high, wide = (side.gather(1, first).squeeze(1) * found for side in (high, wide))
    top = (uniform(0, 1)[:, 0] * (height - high + 1)).long()
    left = (uniform(0, 1)[:, 0] * (width - wide + 1)).long()
    return top, top + high, left, left + wide


def random_erasing(
    images: Tensor,
    probability: float = 0.5,
    area: tuple[float, float] = (0.02, 0.4),
    aspect: tuple[float, float] = (0.3, 1 / 0.3),
    fill: float | str = "uniform",
    generator: Generator | None = None,
) -> Tensor:
    """Fill one box in some of the images, in a new tensor.

    Args:
        images: float [B, C, H, W].
        probability: p in [0, 1].
        area: smallest and largest share of the image, in (0, 1].
        aspect: smallest and largest height over width, > 0.
        fill: "uniform", "normal" or a number.
        generator: on the images' device.

    Raises:
        ValueError: an argument is out of range.
    """
    require_values(images)
    _check(probability, area, aspect, fill)
    count, _, height, width = images.shape
    chosen = torch.rand(count, generator=generator, device=images.device) < probability
    top, bottom, left, right = boxes(count, height, width, area, aspect, generator, images.device)
    draw = {"uniform": torch.rand, "normal": torch.randn}.get(fill)
    values = (
        draw(images.shape, generator=generator, device=images.device, dtype=images.dtype) if draw else fill
    )
    return erase(images, top, torch.where(chosen, bottom, top), left, right, values)


def _check(
    probability: float, area: tuple[float, float], aspect: tuple[float, float], fill: float | str
) -> None:
    require_in("probability", probability, 0, 1, fix="the paper has 0.5")
    if not 0 < area[0] <= area[1] <= 1:
        raise ValueError(
            f"expected area as (smallest, largest) in (0, 1], got {area}; the paper has (0.02, 0.4)"
        )
    if not 0 < aspect[0] <= aspect[1] < math.inf:
        raise ValueError(
            f"expected aspect as (smallest, largest) > 0, got {aspect}; the paper has (0.3, 1 / 0.3)"
        )
    if isinstance(fill, str) and fill not in ("uniform", "normal"):
        raise ValueError(
            f"expected fill 'uniform', 'normal' or a number, got {fill!r}; 'normal' suits normalised images"
        )
