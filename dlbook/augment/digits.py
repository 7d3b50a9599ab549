"""Weak and strong views of a batch of digits, as tensors, drawn from an explicit generator.

FixMatch (Sohn et al. 2020, arXiv:2001.07685, section 2.3) needs two views of each unlabelled image: a *weak*
one, which a reader would call the same picture (there: flip and shift), and a *strong* one, which is still
the same class but hard to recognise (there: RandAugment or CTAugment, then Cutout). A digit must not be
flipped, so the weak view here is a small random affine map, and the strong view a large one, a change of
stroke width, a change of contrast and Cutout.

Every function takes images `[B, C, H, W]` with values in [0, 1] and returns a new tensor of the same shape
and range; the input is never changed. All randomness comes from `generator` (one on the images' device), so
that equal seeds give equal views.

>>> images = torch.rand(4, 1, 28, 28)
>>> strong(images, torch.Generator().manual_seed(0)).shape
torch.Size([4, 1, 28, 28])
"""

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from dlbook.augment.steps import uniform
from dlbook.augment.values import require_values
from dlbook.checks import require_in

__all__ = ["random_pose", "random_square", "stroke", "strong", "weak"]


def random_pose(
    images: Tensor,
    degrees: float,
    scale: float,
    shear: float,
    translate: float,
    generator: Generator | None = None,
) -> Tensor:
    """Rotate, scale, shear and move each image about its centre by amounts of its own.

    It interpolates bilinearly, with zeros outside. `geometric.affine` takes the amounts, this one draws them.

    Args:
        images: `[B, C, H, W]`.
        degrees: the angle is uniform in [-degrees, degrees].
        scale: the factor is exp(s), s uniform in [-scale, scale]; each axis draws its own.
        shear: horizontal shear, as a tangent, uniform in [-shear, shear].
        translate: shift as a fraction of the side, uniform in [-translate, translate]; each axis draws its
            own.
    """
    require_values(images)
    angle = uniform(images, -math.radians(degrees), math.radians(degrees), generator)
    wide, high = (torch.exp(uniform(images, -scale, scale, generator)) for _ in range(2))
    slope = uniform(images, -shear, shear, generator)
    right, down = (
        2 * uniform(images, -translate, translate, generator) for _ in range(2)
    )  # the grid spans [-1, 1]
    cos, sin = torch.cos(angle), torch.sin(angle)
    # affine_grid wants the map from the output to the input: rotation times shear, columns divided by the
    # factors.
    first = torch.stack([cos / wide, (cos * slope - sin) / high, right], dim=1)
    second = torch.stack([sin / wide, (sin * slope + cos) / high, down], dim=1)
    return F.grid_sample(images, _grid(images, first, second), align_corners=False)


def _grid(images: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Where each pixel comes from: `F.affine_grid` of two rows [B, 3], by sums, which is faster on a CPU.

    Returns:
        `[B, H, W, 2]`, column and row, from -1 to 1.
    """
    down, right = (
        (2 * torch.arange(side, device=images.device, dtype=images.dtype) + 1) / side - 1
        for side in images.shape[-2:]
    )  # the centres of the pixels
    across, along, shift = torch.stack([first, second], dim=2)[:, :, None, None].unbind(1)  # [B, 1, 1, 2]
    return across * right[None, None, :, None] + along * down[None, :, None, None] + shift


def stroke(images: Tensor, amount: float, generator: Generator | None = None) -> Tensor:
    """Thicken or thin bright strokes: blend with the 3x3 maximum (a > 0) or minimum (a < 0) by |a|.

    Args:
        images: `[B, C, H, W]`.
        amount: a is uniform in [-amount, amount], 0 <= amount <= 1.
    """
    require_values(images)
    blend = uniform(images, -amount, amount, generator)[:, None, None, None]
    sign = torch.where(blend > 0, 1.0, -1.0).to(
        images.dtype
    )  # the minimum is minus the maximum of minus the image
    return torch.lerp(images, sign * _largest_of_nine(sign * images), blend.abs())


def _largest_of_nine(images: Tensor) -> Tensor:
    """Take the maximum of each 3x3 neighbourhood, one axis after the other; faster than max_pool2d here."""
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    rows = torch.maximum(torch.maximum(padded[..., :-2, :], padded[..., 1:-1, :]), padded[..., 2:, :])
    return torch.maximum(torch.maximum(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])


def random_square(images: Tensor, fraction: float, generator: Generator | None = None) -> Tensor:
    """Blank one square per image, of a random side; its centre is uniform over the image.

    Cutout (DeVries & Taylor 2017) has one side for all, in pixels: `dlbook.augment.cutout`.

    Args:
        images: `[B, C, H, W]`.
        fraction: the square's side is uniform in [0, fraction] of the image's height; it may reach over the
            border.

    Raises:
        ValueError: `fraction` lies outside [0, 1].
    """
    require_values(images)
    require_in("fraction", fraction, 0, 1, fix="it is the largest side divided by the height")
    height, width = images.shape[-2:]
    half = 0.5 * height * uniform(images, 0, fraction, generator)[:, None]
    row = uniform(images, 0, height, generator)[:, None]
    column = uniform(images, 0, width, generator)[:, None]
    centres_y = torch.arange(height, device=images.device) + 0.5
    centres_x = torch.arange(width, device=images.device) + 0.5
    outside_y = (centres_y - row).abs() > half  # [B, H]
    outside_x = (centres_x - column).abs() > half  # [B, W]
    return images * (outside_y[:, None, :, None] | outside_x[:, None, None, :])


def weak(images: Tensor, generator: Generator | None = None) -> Tensor:
    """Make the weak view: at most 10 degrees, 10 % of size, a slope of 0.1 and 6 % of shift.

    It looks as if another person had written the digit; it is never mirrored.
    """
    return random_pose(images, degrees=10, scale=0.1, shear=0.1, translate=0.06, generator=generator)


def strong(images: Tensor, generator: Generator | None = None, strength: float = 1.0) -> Tensor:
    """Make the strong view: affine map, stroke width, contrast and Cutout, all scaled by one number.

    Args:
        images: `[B, C, H, W]` in [0, 1].
        strength: 0 returns the images unchanged; 1 is the setting of the chapter on FixMatch; at most 2.

    Raises:
        ValueError: `strength` lies outside [0, 2].
    """
    require_values(images)
    require_in("strength", strength, 0, 2, fix="0 changes nothing, 1 is the usual strong view")
    view = random_pose(images, 20 * strength, 0.18 * strength, 0.2 * strength, 0.07 * strength, generator)
    view = stroke(view, 0.35 * strength, generator)
    contrast = uniform(images, 1 - 0.3 * strength, 1 + 0.3 * strength, generator)[:, None, None, None]
    return random_square((view * contrast).clamp(0, 1), 0.35 * strength, generator)
