"""Crops: at random places for training, at ten fixed places for testing.

*Pad and crop* is the usual augmentation of small images (He et al. 2015, arXiv:1512.03385, section 4.2: 4
pixels of zeros around 32).
*Random resized crop* is that of large ones (Szegedy et al. 2014, arXiv:1409.4842, section 6: 8 to 100 % of
the area, aspect ratio 3/4 to 4/3). *Ten crops* are AlexNet's test-time views: four corners, the centre, and
their mirror images; the probabilities are averaged.

Resizing is linear and separable, so each image's resized crop is two matrix products, rows R and columns C:
R image C^T. Each row of R holds the weights of a triangle that is as wide as an output pixel, or as an input
pixel where the crop is enlarged: torchvision's bilinear interpolation with antialiasing, here with a box of
its own for each image. On a CPU torch's own kernel does it, image by image.

>>> ten_crop(torch.rand(2, 3, 32, 32), size=24).shape
torch.Size([2, 10, 3, 24, 24])
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from dlbook.checks import require_images

__all__ = [
    "average_probs",
    "crop",
    "draw_boxes",
    "five_crop",
    "random_crop",
    "random_resized_crop",
    "resized_crop",
    "ten_crop",
]

ATTEMPTS = 10


def crop(images: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]) -> Tensor:
    """The part of height and width `size` that begins at row `top` [B] and column `left` [B], int64, of each
    image.

    Raises:
        ValueError: the part is larger than the images.
    """
    require_images(images)
    _check_fits(images, size)
    every = images.unfold(2, size[0], 1).unfold(
        3, size[1], 1
    )  # all crops there are, as a view: [B, C, places, places, h, w]
    return every[torch.arange(len(images), device=images.device), :, top, left]


def random_crop(
    images: Tensor,
    generator: Generator | None = None,
    padding: int = 4,
    size: tuple[int, int] | None = None,
    padding_mode: str = "constant",
) -> Tensor:
    """Pad each side, then cut at a place that is uniform over all that fit.

    Args:
        images: `[B, C, H, W]`.
        padding: pixels added at each side, >= 0.
        size: height and width of the result; None takes the images'.
        padding_mode: "constant" for zeros, "reflect" (FixMatch) or "replicate".

    Raises:
        ValueError: a negative padding, or a size that does not fit.
    """
    require_images(images)
    if padding < 0:
        raise ValueError(f"expected padding >= 0, got {padding}; the usual one is 4 for 32 pixels")
    size = size or (images.shape[2], images.shape[3])
    padded = F.pad(images, (padding,) * 4, mode=padding_mode)
    _check_fits(padded, size)
    top, left = (
        torch.randint(whole - part + 1, (len(images),), generator=generator, device=images.device)
        for whole, part in zip(padded.shape[2:], size, strict=True)
    )
    return crop(padded, top, left, size)


def _check_fits(images: Tensor, size: tuple[int, int]) -> None:
    if not (1 <= size[0] <= images.shape[2] and 1 <= size[1] <= images.shape[3]):
        raise ValueError(
            f"expected a crop within {tuple(images.shape[2:])}, got {tuple(size)}; make it smaller "
            "or pad more"
        )


def draw_boxes(
    images: Tensor,
    generator: Generator | None = None,
    area: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
) -> Tensor:
    """top, left, height, width, int64 `[B, 4]`: the first of ten draws that fits, else the largest box of a
    fitting ratio in the middle.

    Args:
        images: `[B, C, H, W]`.
        area: smallest and largest share of the image, in (0, 1]; uniform.
        ratio: smallest and largest width over height, > 0; log-uniform.

    Raises:
        ValueError: an argument out of range.
    """
    require_images(images)
    if not (0 < area[0] <= area[1] <= 1 and 0 < ratio[0] <= ratio[1]):
        raise ValueError(
            f"expected 0 < area <= 1 and 0 < ratio, smallest first, got {area} and {ratio}; the "
            "usual ones are (0.08, 1), (3/4, 4/3)"
        )
    high, wide = images.shape[2:]
    shape = (4, len(images), ATTEMPTS)
    first, second, down, right = torch.rand(
        shape, generator=generator, device=images.device, dtype=torch.float64
    )
    pixels = high * wide * (area[0] + (area[1] - area[0]) * first)
    aspect = torch.exp(math.log(ratio[0]) + (math.log(ratio[1]) - math.log(ratio[0])) * second)
    width, height = (pixels * aspect).sqrt().round().long(), (pixels / aspect).sqrt().round().long()
    fits = (width > 0) & (width <= wide) & (height > 0) & (height <= high)
    top, left = (down * (high - height + 1)).long(), (right * (wide - width + 1)).long()
    boxes = torch.stack([top, left, height, width], dim=2)  # [B, 10, 4]
    chosen = boxes[
        torch.arange(len(images), device=images.device), fits.int().argmax(dim=1)
    ]  # the first that fits
    tall, broad = min(high, round(wide / ratio[0])), min(wide, round(high * ratio[1]))
    middle = torch.tensor([(high - tall) // 2, (wide - broad) // 2, tall, broad], device=images.device)
    return torch.where(fits.any(dim=1, keepdim=True), chosen, middle)


def resized_crop(images: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut a box out of each image and resize it, bilinear with antialiasing.

    Args:
        images: `[B, C, H, W]`.
        boxes: top, left, height, width, `[B, 4]`, within the images.
        size: height and width of the result.

    Returns:
        `[B, C, *size]`.

    Raises:
        ValueError: boxes of another shape.
    """
    require_images(images)
    if boxes.shape != (len(images), 4):
        raise ValueError(
            f"expected boxes [{len(images)}, 4], got {tuple(boxes.shape)}; one top, left, height, "
            "width an image"
        )
    resize = _by_interpolation if images.device.type == "cpu" else _by_matrices
    return resize(images, boxes, size).clamp_(0, 1)


def _by_interpolation(images: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Image by image, with torch's kernel that knows where the weights are zero: 2 to 10 times as fast on a
    CPU.
    """
    found = images.new_empty(*images.shape[:2], *size)
    for image, result, (top, left, height, width) in zip(images, found, boxes.tolist(), strict=True):
        part = image[None, :, top : top + height, left : left + width]
        result.copy_(F.interpolate(part, size, mode="bilinear", antialias=True)[0])
    return found


def _by_matrices(images: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """All at once, without asking a GPU where the boxes are."""
    top, left, height, width = boxes.to(images.dtype).unbind(dim=1)
    rows = _weights(top, height, images.shape[2], size[0])  # [B, h, H]
    columns = _weights(left, width, images.shape[3], size[1])  # [B, w, W]
    narrow = torch.bmm(images.flatten(1, 2), columns.mT).unflatten(1, images.shape[1:3])  # [B, C, H, w]
    small = torch.bmm(rows, narrow.transpose(1, 2).flatten(2))  # [B, h, Cw]
    return small.unflatten(2, (images.shape[1], size[1])).transpose(1, 2)


def _weights(start: Tensor, length: Tensor, inputs: int, outputs: int) -> Tensor:
    """How much of each of the input pixels goes into each output pixel: `[B, outputs, inputs]`, rows that sum
    to 1.
    """
    factor = length / outputs  # input pixels per output pixel
    centres = (
        start[:, None]
        + (torch.arange(outputs, device=start.device, dtype=start.dtype) + 0.5) * factor[:, None]
    )
    pixels = torch.arange(inputs, device=start.device, dtype=start.dtype) + 0.5
    triangle = 1 - (pixels - centres[..., None]).abs() / factor.clamp(min=1)[:, None, None]
    inside = (pixels > start[:, None]) & (pixels < (start + length)[:, None])  # nothing from outside the box
    weights = triangle.clamp_(min=0) * inside[:, None]
    return weights / weights.sum(dim=2, keepdim=True)


def random_resized_crop(
    images: Tensor,
    generator: Generator | None = None,
    size: tuple[int, int] | None = None,
    area: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
) -> Tensor:
    """A box of its own for each image, resized to `size` (None: the images' size); the other arguments and
    errors as in `draw_boxes`.
    """
    return resized_crop(
        images, draw_boxes(images, generator, area, ratio), size or (images.shape[2], images.shape[3])
    )


def five_crop(images: Tensor, size: int) -> Tensor:
    """The four corners (top left, top right, bottom left, bottom right) and the centre: `[B, 5, C, size,
    size]`.

    Raises:
        ValueError: the crop is larger than the images.
    """
    require_images(images)
    _check_fits(images, (size, size))
    down, right = (side - size for side in images.shape[2:])
    places = [(0, 0), (0, right), (down, 0), (down, right), (round(down / 2), round(right / 2))]
    return torch.stack([images[:, :, top : top + size, left : left + size] for top, left in places], dim=1)


def ten_crop(images: Tensor, size: int) -> Tensor:
    """Cut `five_crop` of the images, then of their mirror images: `[B, 10, C, size, size]`.

    Raises:
        ValueError: as `five_crop`.
    """
    return torch.cat([five_crop(images, size), five_crop(images.flip(-1), size)], dim=1)


def average_probs(model: Callable[[Tensor], Tensor], views: Tensor | Sequence[Tensor]) -> Tensor:
    """Test-time augmentation: the mean over the views of the model's probabilities `[B, K]`.

    Args:
        model: images -> logits `[B, K]`. Put it in evaluation mode first, and turn gradients off.
        views: `[B, V, C, H, W]` such as ten crops, which go through the model at once, or a sequence of
            batches `[B, C, H, W]`, such as one resized to several sizes, which go one by one.

    Raises:
        ValueError: no views, or a tensor of another shape.
    """
    if isinstance(views, Tensor):
        if views.ndim != 5 or not views.shape[1]:
            raise ValueError(
                f"expected views [B, V, C, H, W], got {tuple(views.shape)}; torch.stack(batches, "
                "dim=1) makes them"
            )
        return model(views.flatten(0, 1)).softmax(dim=1).unflatten(0, views.shape[:2]).mean(dim=1)
    if not len(views):
        raise ValueError("expected at least one view, got none; the images themselves are one")
    return torch.stack([model(view).softmax(dim=1) for view in views]).mean(dim=0)
