"""Geometric augmentation: flips, rotation, translation, shear, affine and perspective maps.

The deterministic functions (`flip`, `rotate`, `translate`, `shear`, `affine`, `perspective`) take a number,
or one for each image `[B]`; the `random_*` functions draw these numbers from a generator. Directions and
units are torchvision's: degrees, pixels, x to the right and y downwards. A map says where each pixel of the
*result* is taken from, so it is the inverse of what happens to the picture:

    input = M^-1 (output - translation),    M = scale R(angle) Shear_y Shear_x

Both are measured from the image's centre.

Between pixels the image is interpolated ("bilinear") or the closest pixel taken ("nearest"); outside stands
`fill`.

>>> arrow = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 0.5], [0.0, 0.0, 0.0]])[None, None]
>>> rotate(arrow, 90.0)[0, 0].round(decimals=3).tolist()  # anticlockwise, so that the head points up
[[0.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from dlbook.augment.steps import coin, per_image, uniform
from dlbook.checks import require_images, require_in, require_one_of

__all__ = [
    "affine",
    "flip",
    "perspective",
    "random_affine",
    "random_flip",
    "random_perspective",
    "random_rotation",
    "random_shear",
    "random_translation",
    "rotate",
    "shear",
    "translate",
    "warp",
]

Amount = float | Tensor
MODES = ("nearest", "bilinear")


def flip(images: Tensor, chosen: Tensor, vertical: bool = False) -> Tensor:
    """Mirror the images where `chosen` [B] is true: left to right, or upside down."""
    require_images(images)
    return torch.where(chosen[:, None, None, None], images.flip(-2 if vertical else -1), images)


def random_flip(
    images: Tensor, generator: Generator | None = None, probability: float = 0.5, vertical: bool = False
) -> Tensor:
    """Mirror each image with this probability.

    Raises:
        ValueError: the probability lies outside [0, 1].
    """
    require_images(images)
    return flip(images, coin(images, probability, generator), vertical)


def affine(
    images: Tensor,
    degrees: Amount = 0.0,
    right: Amount = 0.0,
    down: Amount = 0.0,
    scale: Amount = 1.0,
    shear_x: Amount = 0.0,
    shear_y: Amount = 0.0,
    centre: str = "middle",
    mode: str = "bilinear",
    fill: float = 0.0,
) -> Tensor:
    """Shear, turn, scale about the centre, then move: torchvision's `affine`.

    Args:
        images: `[B, C, H, W]`.
        degrees: clockwise angle.
        right, down: translation in pixels.
        scale: factor of both sides, > 0.
        shear_x, shear_y: angles in degrees.
        centre: "middle", or "corner" for the top left corner of the image, about which AutoAugment shears.
        mode: "bilinear" or "nearest".
        fill: value outside the image.

    Raises:
        ValueError: other images, an amount that is neither a number nor `[B]`, an unknown mode or centre.
    """
    require_images(images)
    require_one_of("centre", centre, ("middle", "corner"), "translate by `right` and `down` for any other")
    x, y = (-0.5 * side if centre == "corner" else 0.0 for side in (images.shape[3], images.shape[2]))
    # In double precision: nearest pixels change at ties, and these numbers are few.
    turn, slant_x, slant_y = (torch.deg2rad(_flat(amount, images)) for amount in (degrees, shear_x, shear_y))
    right, down, scale = (_flat(amount, images) for amount in (right, down, scale))
    inverse = _inverse(turn, scale, slant_x, slant_y, right + x, down + y)
    inverse[:, :, 2] += torch.tensor([x, y], dtype=inverse.dtype, device=inverse.device)
    return warp(images, inverse.to(images.dtype).expand(len(images), -1, -1), mode, fill)


def _inverse(
    turn: Tensor, scale: Tensor, slant_x: Tensor, slant_y: Tensor, right: Tensor, down: Tensor
) -> Tensor:
    """Invert "shear, turn, scale, then move by (right, down)": [B, 2, 3]; angles in radians."""
    cos, sin = torch.cos(turn - slant_y) / torch.cos(slant_y), torch.sin(turn - slant_y) / torch.cos(slant_y)
    tan = torch.tan(slant_x)
    # The inverse of [[cos, -cos tan - sin turn], [sin, -sin tan + cos turn]], whose determinant is 1.
    xx, xy = (torch.cos(turn) - sin * tan) / scale, (torch.sin(turn) + cos * tan) / scale
    yx, yy = -sin / scale, cos / scale
    shift_x, shift_y = -xx * right - xy * down, -yx * right - yy * down
    return torch.stack([xx, xy, shift_x, yx, yy, shift_y], dim=1).reshape(-1, 2, 3)


def _flat(amount: Amount, images: Tensor) -> Tensor:
    if isinstance(amount, Tensor):
        return per_image(amount, images).flatten().double().expand(len(images))
    return torch.full((len(images),), amount, dtype=torch.float64, device=images.device)


def warp(images: Tensor, inverse: Tensor, mode: str = "bilinear", fill: float = 0.0) -> Tensor:
    """Take the pixel at (x, y) of the result from `inverse` (x, y, 1), both in pixels from the centre.

    Args:
        images: `[B, C, H, W]`.
        inverse: `[B, 2, 3]`, or `[B, 3, 3]` for a projective map.
        mode, fill: as in `affine`.

    Raises:
        ValueError: an unknown mode.
    """
    require_one_of("mode", mode, MODES)
    height, width = images.shape[-2:]
    # Sums instead of a matrix product: half the work, and a GPU's TF32 cannot touch it.
    columns = torch.arange(width, device=images.device, dtype=images.dtype) - 0.5 * (width - 1)
    rows = torch.arange(height, device=images.device, dtype=images.dtype) - 0.5 * (height - 1)
    in_x, in_y, constant = inverse.unbind(dim=2)  # [B, 2 or 3] each
    places = (in_x[:, :, None] * columns + constant[:, :, None])[:, :, None] + (in_y[:, :, None] * rows)[
        ..., None
    ]  # [B, 2 or 3, H, W]
    x, y = places[:, 0] * (2 / width), places[:, 1] * (2 / height)  # the grid spans [-1, 1]
    if inverse.shape[1] == 3:
        x, y = x / places[:, 2], y / places[:, 2]
    shifted = images - fill if fill else images  # grid_sample knows zeros outside
    sampled = F.grid_sample(
        shifted, torch.stack([x, y], dim=-1), mode=mode, padding_mode="zeros", align_corners=False
    )
    return (sampled + fill if fill else sampled).clamp_(0, 1)  # weights add to 1 but for rounding


def rotate(images: Tensor, degrees: Amount, mode: str = "bilinear", fill: float = 0.0) -> Tensor:
    """Turn about the centre, anticlockwise, as torchvision's `rotate` does (its `affine` turns clockwise)."""
    return affine(images, -degrees, mode=mode, fill=fill)


def translate(
    images: Tensor, right: Amount, down: Amount, mode: str = "bilinear", fill: float = 0.0
) -> Tensor:
    """Move by pixels."""
    return affine(images, right=right, down=down, mode=mode, fill=fill)


def shear(
    images: Tensor, along_x: Amount = 0.0, along_y: Amount = 0.0, mode: str = "bilinear", fill: float = 0.0
) -> Tensor:
    """Slant by these angles in degrees about the centre."""
    return affine(images, shear_x=along_x, shear_y=along_y, mode=mode, fill=fill)


def random_rotation(
    images: Tensor, generator: Generator | None = None, degrees: float = 15.0, **how: str | float
) -> Tensor:
    """Turn by an angle that is uniform in [-degrees, degrees].

    Args:
        how: `mode` and `fill` of `affine`.
    """
    require_images(images)
    return rotate(images, uniform(images, -degrees, degrees, generator), **how)


def random_translation(
    images: Tensor, generator: Generator | None = None, fraction: float = 0.1, **how: str | float
) -> Tensor:
    """Move by up to a fraction of the width and of the height, both uniform.

    Raises:
        ValueError: the fraction lies outside [0, 1].
    """
    return random_affine(images, generator, degrees=0.0, fraction=fraction, **how)


def random_shear(
    images: Tensor, generator: Generator | None = None, degrees: float = 10.0, **how: str | float
) -> Tensor:
    """Slant along x and along y by angles that are uniform in [-degrees, degrees]."""
    require_images(images)
    along_x, along_y = (uniform(images, -degrees, degrees, generator) for _ in range(2))
    return shear(images, along_x, along_y, **how)


def random_affine(
    images: Tensor,
    generator: Generator | None = None,
    degrees: float = 15.0,
    fraction: float = 0.1,
    scale: tuple[float, float] = (1.0, 1.0),
    shear: float = 0.0,
    **how: str | float,
) -> Tensor:
    """Map each image by an affine map of its own.

    Args:
        images: `[B, C, H, W]`.
        degrees: the angle is uniform in [-degrees, degrees].
        fraction: the translation is uniform within this share of the width and of the height, in [0, 1].
        scale: smallest and largest factor, both > 0; uniform.
        shear: the slant along x is uniform in [-shear, shear], in degrees.
        how: `mode` and `fill` of `affine`.

    Raises:
        ValueError: an argument out of range.
    """
    require_images(images)
    require_in("fraction", fraction, 0, 1, fix="it is a share, not a percentage")
    if not 0 < scale[0] <= scale[1]:
        raise ValueError(
            f"expected scale as (smallest, largest) with 0 < smallest <= largest, got {scale}; (1, "
            "1) keeps the size"
        )
    height, width = images.shape[-2:]
    turn = uniform(images, -degrees, degrees, generator)
    right = uniform(images, -fraction * width, fraction * width, generator)
    down = uniform(images, -fraction * height, fraction * height, generator)
    factor, slant = uniform(images, *scale, generator), uniform(images, -shear, shear, generator)
    return affine(images, turn, right, down, factor, slant, **how)


def perspective(
    images: Tensor, start: Tensor, end: Tensor, mode: str = "bilinear", fill: float = 0.0
) -> Tensor:
    """Map each image so that four points go to four others: torchvision's `perspective`.

    Args:
        images: `[B, C, H, W]`.
        start, end: `[B, 4, 2]`, (x, y) in pixels from the top left corner of the image: where the points are,
            and where they go.
        mode, fill: as in `affine`.

    Raises:
        ValueError: other shapes.
    """
    require_images(images)
    if start.shape != (len(images), 4, 2) or end.shape != start.shape:
        raise ValueError(
            f"expected points [{len(images)}, 4, 2], got {tuple(start.shape)} and "
            f"{tuple(end.shape)}; four corners (x, y) an image"
        )
    centre = torch.tensor(
        [images.shape[3] / 2, images.shape[2] / 2], dtype=torch.float64, device=images.device
    )
    (u, v), (x, y) = ((points.to(centre) - centre).unbind(-1) for points in (end, start))
    one, zero = torch.ones_like(u), torch.zeros_like(u)
    # x = (a u + b v + c) / (g u + h v + 1), and y likewise: two equations for each point, linear in the eight
    # unknowns.
    first = torch.stack([u, v, one, zero, zero, zero, -u * x, -v * x], dim=-1)
    second = torch.stack([zero, zero, zero, u, v, one, -u * y, -v * y], dim=-1)
    solved = torch.linalg.solve(torch.cat([first, second], dim=1), torch.cat([x, y], dim=1))
    inverse = torch.cat([solved, torch.ones_like(solved[:, :1])], dim=1).reshape(-1, 3, 3)
    return warp(images, inverse.to(images.dtype), mode, fill)


def random_perspective(
    images: Tensor, generator: Generator | None = None, distortion: float = 0.5, **how: str | float
) -> Tensor:
    """Move each corner inwards by up to `distortion` of half the side, both ways uniform.

    Raises:
        ValueError: `distortion` lies outside [0, 1].
    """
    require_images(images)
    require_in("distortion", distortion, 0, 1, fix="it is a share, not a percentage")
    size = torch.tensor([images.shape[3], images.shape[2]], dtype=images.dtype, device=images.device)
    corners = torch.tensor([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=images.dtype, device=images.device)
    inwards = torch.rand((len(images), 4, 2), generator=generator, dtype=images.dtype, device=images.device)
    moved = corners + 0.5 * distortion * inwards * (1 - 2 * corners)
    return perspective(images, (corners * size).expand_as(moved), moved * size, **how)
