"""Photometric augmentation: colours change, places do not.

Each operation takes an amount, a number or one for each image `[B]`, and returns new images [B, C, H, W] in
[0, 1]. They are PIL's, with torchvision's names for the factors: 0 removes (black, grey, or smoothed), 1
changes nothing, more than 1 exaggerates. Most of them blend:

    result = factor image + (1 - factor) other,    clamped to [0, 1]

    other:   black (brightness) · the image's mean grey (contrast) · its grey version (saturation) ·
             its smoothed version (sharpness)

`steps.varied(brightness, 0.6, 1.4)` draws the amounts; `color_jitter` draws the usual four in random order.

Departures from torchvision

1. `posterize` and `equalize` see an image as PIL does, as 256 levels: 8 bits change nothing. torchvision's
   `posterize` of floating-point images divides [0, 1] into 2^bits levels instead, so that white turns into
   255/256.
2. The hue is turned without computing saturation or value: the largest and the smallest channel stay, the hue
   says how the three share the range between them.

>>> teal = torch.tensor([0.0, 0.5, 0.5]).reshape(1, 3, 1, 1)
>>> hue(teal, 0.5).flatten().tolist()  # half a turn: its opposite
[0.5, 0.0, 0.0]
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from dlbook.augment.steps import dispatch, per_image, uniform
from dlbook.augment.values import require_values

__all__ = [
    "autocontrast",
    "blur",
    "brightness",
    "color_jitter",
    "contrast",
    "equalize",
    "gamma",
    "grayscale",
    "hue",
    "invert",
    "posterize",
    "saturation",
    "sharpness",
    "solarize",
]

Amount = float | Tensor
COLORS = (1, 3)


def brightness(images: Tensor, factor: Amount) -> Tensor:
    """Blend with black; factor >= 0."""
    require_values(images)
    return (images * _factor(factor, images)).clamp_(0, 1)


def contrast(images: Tensor, factor: Amount) -> Tensor:
    """Blend with the mean of each image's grey version; factor >= 0; 1 or 3 channels."""
    require_values(images, COLORS)
    mean = _luma(images.mean(dim=(2, 3), keepdim=True))  # the mean of the grey is the grey of the means
    return _blend(mean, images, factor)


def saturation(images: Tensor, factor: Amount) -> Tensor:
    """Blend with the grey version; factor >= 0; a grey image stays."""
    require_values(images, COLORS)
    return images.clone() if images.shape[1] == 1 else _blend(_luma(images), images, factor)


def sharpness(images: Tensor, factor: Amount) -> Tensor:
    """Blend with a smoothed version (3x3, weights 1 but 5 in the middle, over 13); factor >= 0. The outermost
    pixels stay.
    """
    require_values(images)
    if min(images.shape[-2:]) < 3:
        return images.clone()
    inner = images[..., 1:-1, 1:-1]
    rows = images[..., :-2, :] + images[..., 1:-1, :] + images[..., 2:, :]
    smooth = (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:] + 4 * inner) / 13
    changed = images.clone()
    changed[..., 1:-1, 1:-1] = _blend(smooth, inner, factor)
    return changed


def _blend(other: Tensor, images: Tensor, factor: Amount) -> Tensor:
    return torch.lerp(other.expand_as(images), images, _factor(factor, images)).clamp_(0, 1)


def _factor(factor: Amount, images: Tensor) -> Tensor:
    if not isinstance(factor, Tensor) and factor < 0:
        raise ValueError(f"expected a factor >= 0, got {factor}; 1 changes nothing, 0 removes")
    return per_image(factor, images)


def _luma(images: Tensor) -> Tensor:
    """ITU-R 601's grey `[B, 1, H, W]` with torchvision's digits: they add to 0.9999."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.split(1, dim=1)
    return 0.2989 * red + 0.587 * green + 0.114 * blue


def grayscale(images: Tensor) -> Tensor:
    """Make the grey version with as many channels as before; 1 or 3 channels."""
    require_values(images, COLORS)
    return _luma(images).expand_as(images).clone()


def invert(images: Tensor) -> Tensor:
    """Make the negative."""
    require_values(images)
    return 1 - images


def solarize(images: Tensor, threshold: Amount) -> Tensor:
    """Make the negative of the pixels that are at least `threshold`."""
    require_values(images)
    return torch.where(images >= per_image(threshold, images), 1 - images, images)


def gamma(images: Tensor, exponent: Amount) -> Tensor:
    """Raise to a power: images ** exponent; exponent >= 0, above 1 darkens."""
    require_values(images)
    if not isinstance(exponent, Tensor) and exponent < 0:
        raise ValueError(f"expected an exponent >= 0, got {exponent}; 1 changes nothing, 2 darkens")
    return images ** per_image(exponent, images)


def hue(images: Tensor, turns: Amount) -> Tensor:
    """Turn the hue by a part of the colour circle; a grey image stays.

    Args:
        images: `[B, C, H, W]`, 1 or 3 channels.
        turns: any real number, or one for each image; 1 is a whole turn.
    """
    require_values(images, COLORS)
    if images.shape[1] == 1:
        return images.clone()
    low, high = torch.aminmax(images, dim=1, keepdim=True)
    span = high - low
    red, green, blue = images.split(1, dim=1)
    sector = torch.where(high == red, green - blue, torch.where(high == green, blue - red, red - green))
    start = torch.where(high == red, 0.0, torch.where(high == green, 2.0, 4.0)).to(images.dtype)
    angle = (
        sector / torch.where(span > 0, span, 1.0) + start + 6 * per_image(turns, images)
    )  # red 0, green 2, blue 4, of 6
    # Each channel is the largest within one sixth of its own place on the circle, the smallest beyond two,
    # and linear between.
    place = torch.tensor([5.0, 3.0, 1.0], dtype=images.dtype, device=images.device).reshape(1, 3, 1, 1)
    away = (place + angle).remainder(6)
    return high - span * torch.minimum(away, 4 - away).clamp_(0, 1)


def posterize(images: Tensor, bits: Amount) -> Tensor:
    """Keep the highest `bits` of the 8 bits of each value; whole, from 0 to 8, which only rounds."""
    require_values(images)
    if not isinstance(bits, Tensor) and bits not in range(9):
        raise ValueError(f"expected a whole number of bits from 0 to 8, got {bits}; 8 keeps everything")
    step = torch.exp2(8 - per_image(bits, images)).round()
    return _levels(images).div_(step).floor_().mul_(step).div_(255)


def _levels(images: Tensor) -> Tensor:
    """Give the values as PIL has them, 0, 1, ..., 255, each for an equal part of [0, 1]."""
    return (images * (256 - 1e-3)).floor_().clamp_(0, 255)


def autocontrast(images: Tensor) -> Tensor:
    """Stretch each channel so that its smallest value is 0 and its largest 1; a constant channel stays."""
    require_values(images)
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    flat = low == high
    return ((images - low.masked_fill(flat, 0.0)) / (high - low).masked_fill(flat, 1.0)).clamp_(0, 1)


def equalize(images: Tensor) -> Tensor:
    """Change the values of each channel so that about as many pixels have each of the 256 levels: PIL's
    histogram equalisation.

    With n_v pixels of level v, N in all and m the largest level there is: step = floor((N - n_m) / 255), and
    v becomes floor((n_0 + ... + n_(v-1) + floor(step / 2)) / step), at most 255; where step is 0 the channel
    stays.
    """
    require_values(images)
    level = _levels(images).long().flatten(2).flatten(0, 1)  # [BC, HW]
    planes, size = level.shape
    base = 256 * torch.arange(planes, device=images.device)[:, None]
    count = torch.bincount((level + base).flatten(), minlength=256 * planes).reshape(planes, 256)
    largest = level.amax(1, keepdim=True)
    step = (size - count.gather(1, largest)) // 255
    below = count.cumsum(1) - count
    table = ((below + step // 2) // step.clamp(min=1)).clamp_(max=255).to(images.dtype) / 255
    table = torch.where(step > 0, table, torch.arange(256, device=images.device, dtype=images.dtype) / 255)
    return table.gather(1, level).reshape(images.shape)


def blur(images: Tensor, sigma: Amount, kernel_size: int = 9) -> Tensor:
    """Gaussian blur with reflected borders.

    Args:
        images: `[B, C, H, W]`.
        sigma: standard deviation in pixels, > 0.
        kernel_size: number of weights along each axis, odd; SimCLR takes a tenth of the side. Half of it must
            be less than the side.

    Raises:
        ValueError: other images, or an argument out of range.
    """
    require_values(images)
    half = kernel_size // 2
    if kernel_size < 1 or kernel_size % 2 == 0 or half >= min(images.shape[-2:]):
        size = tuple(images.shape[-2:])
        raise ValueError(
            f"expected an odd kernel_size below twice the side, got {kernel_size} for {size}; take "
            "a tenth of the side"
        )
    if not isinstance(sigma, Tensor) and sigma <= 0:
        raise ValueError(f"expected sigma > 0 pixels, got {sigma}; leave the call out for no blur")
    distance = torch.arange(-half, half + 1, device=images.device, dtype=images.dtype)
    weights = torch.softmax(-0.5 * (distance / per_image(sigma, images)) ** 2, dim=-1).expand(
        len(images), -1, -1, -1
    )
    padded = F.pad(images, (half,) * 4, mode="reflect")
    for axis in (2, 3):  # a Gaussian is separable: rows, then columns
        length = images.shape[axis]
        total = padded.narrow(axis, 0, length) * weights[..., 0, None]
        for k in range(1, kernel_size):
            total.addcmul_(padded.narrow(axis, k, length), weights[..., k, None])
        padded = total
    return padded.clamp_(0, 1)


def color_jitter(
    images: Tensor,
    generator: Generator | None = None,
    brightness: float = 0.4,
    contrast: float = 0.4,
    saturation: float = 0.4,
    hue: float = 0.1,
) -> Tensor:
    """Change brightness, contrast, saturation and hue, in an order of its own for each image (ColorJitter).

    Args:
        images: `[B, C, H, W]`, 1 or 3 channels.
        brightness, contrast, saturation: the factor is uniform in [max(0, 1 - x), 1 + x], x >= 0.
        hue: uniform in [-x, x], 0 <= x <= 0.5 of a turn.

    Raises:
        ValueError: other images, or an argument out of range.
    """
    require_values(images, COLORS)
    spread = (brightness, contrast, saturation)
    if min(spread) < 0 or not 0 <= hue <= 0.5:
        raise ValueError(
            "expected brightness, contrast, saturation >= 0 and 0 <= hue <= 0.5, got "
            f"{(*spread, hue)}; 0 switches one off"
        )
    amounts = [uniform(images, max(0.0, 1 - amount), 1 + amount, generator) for amount in spread]
    amounts.append(uniform(images, -hue, hue, generator))
    order = torch.rand((len(images), 4), generator=generator, device=images.device).argsort(dim=1)
    changes = [lambda some, at, f=f, a=a: f(some, a[at]) for f, a in zip(JITTER, amounts, strict=True)]
    for turn in order.unbind(dim=1):
        images = dispatch(images, turn, changes)
    return images


JITTER = (brightness, contrast, saturation, hue)
