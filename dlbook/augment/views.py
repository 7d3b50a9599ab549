"""Several views of each image: pairs for contrastive and semi-supervised learning, multi-crop for
self-distillation.

- `two_views`: SimCLR (Chen et al. 2020, arXiv:2002.05709, appendix A): random resized crop, flip, colour
  jitter, grey, blur; twice.
- `multi_crop`: SwAV (Caron et al. 2020, arXiv:2006.09882, section 3.2) and DINO (Caron et al. 2021,
  arXiv:2104.14294, section 3.1): two global views of a large part of the image, and several local ones, small
  and of a small part. Which parts each method takes:

      SwAV      global 14 to 100 % of the area at 224 pixels, local 5 to 14 % at 96
      DINO      global 40 to 100 %                        , local 5 to 40 %

- `weak_strong`: the two views of FixMatch, by default those of `augment` for digits.

Departures from the papers

1. Crops are resized bilinearly with antialiasing; SimCLR's and DINO's code is bicubic.
2. The blur reaches over a tenth of the side, as SimCLR says; DINO's has no such limit.
3. Colours are normalised by whoever trains: the views stay in [0, 1].

Each view is a pair: a `Crop`, which may be taken from a picture file or from a batch, and a step that follows
on the batch. `two_view_parts` and `multi_crop_parts` give the pairs by name, for pictures in folders;
`two_views` and `multi_crop` apply them to images in memory.

>>> import torch
>>> images, generator = torch.rand(2, 3, 64, 64), Generator().manual_seed(0)
>>> views = multi_crop(images, generator, global_size=32, local_size=16, local_views=4)
>>> [tuple(view.shape[2:]) for view in views]
[(32, 32), (32, 32), (16, 16), (16, 16), (16, 16), (16, 16)]
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Generator, Tensor

from dlbook.augment import digits as augment
from dlbook.augment.crops import random_resized_crop
from dlbook.augment.geometric import random_flip
from dlbook.augment.photometric import blur, color_jitter, grayscale, solarize
from dlbook.augment.steps import Step, compose, sometimes, varied
from dlbook.augment.values import require_values

__all__ = [
    "Crop",
    "multi_crop",
    "multi_crop_parts",
    "simclr",
    "simclr_part",
    "two_view_parts",
    "two_views",
    "weak_strong",
]

Area = tuple[float, float]


@dataclass(frozen=True)
class Crop:
    """A random resized crop: a square of `size` pixels from a random part of the image.

    Called with a batch, it cuts the batch. `dlbook.data.image_folder` reads its numbers and cuts the file.

    Args:
        size: height and width of the result.
        area: smallest and largest share of the image, in (0, 1].
    """

    size: int
    area: Area = (0.08, 1.0)

    def __call__(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """Cut each image of `[B, C, H, W]` at a place of its own: `[B, C, size, size]`."""
        return random_resized_crop(images, generator, size=(self.size, self.size), area=self.area)


Part = tuple[Crop, Step]


def _random_blur(probability: float, size: int) -> Step:
    """Sigma uniform in [0.1, 2], over a tenth of the side and at least three pixels."""
    kernel_size = max(3, size // 10 // 2 * 2 + 1)
    return sometimes(varied(partial(blur, kernel_size=kernel_size), 0.1, 2.0), probability)


def _distort(
    jitter: tuple[float, float, float, float], blur_probability: float, size: int, solarized: float = 0.0
) -> Step:
    """Flip, then colours."""
    brightness, contrast, saturation, hue = jitter
    return compose(
        random_flip,
        sometimes(
            partial(color_jitter, brightness=brightness, contrast=contrast, saturation=saturation, hue=hue),
            0.8,
        ),
        sometimes(lambda images, generator: grayscale(images), 0.2),
        _random_blur(blur_probability, size),
        sometimes(lambda images, generator: solarize(images, 0.5), solarized),
    )


def simclr_part(
    size: int, strength: float = 1.0, area: Area = (0.08, 1.0), blur_probability: float = 0.5
) -> Part:
    """SimCLR's distortion as a crop and a step.

    Args:
        size: height and width of the result.
        strength: s of the colours: jitter 0.8 s for brightness, contrast and saturation, 0.2 s for hue; in
            [0, 2.5]. 0.5 for CIFAR-10.
        area: smallest and largest share of the image in the crop.
        blur_probability: 0.5 in the paper for ImageNet, 0 for CIFAR-10.

    Raises:
        ValueError: an argument out of range.
    """
    if not 0 <= strength <= 2.5:
        raise ValueError(f"expected 0 <= strength <= 2.5, got {strength}; 1 is ImageNet's, 0.5 CIFAR-10's")
    jitter = (0.8 * strength, 0.8 * strength, 0.8 * strength, 0.2 * strength)
    return Crop(size, area), _distort(jitter, blur_probability, size)


def simclr(size: int, **how: Any) -> Step:
    """SimCLR's distortion as one step that gives images of `size` pixels; the rest as in `simclr_part`."""
    return compose(*simclr_part(size, **how))


def two_view_parts(size: int, **how: Any) -> dict[str, Part]:
    """SimCLR's two views, "first" and "second", each a crop and a step; the rest as in `simclr_part`."""
    return {"first": simclr_part(size, **how), "second": simclr_part(size, **how)}


def two_views(
    images: Tensor, generator: Generator | None = None, size: int | None = None, **how: Any
) -> tuple[Tensor, Tensor]:
    """Two independent views of each image by `simclr`, each `[B, C, size, size]`; size None: the images'
    height. The rest as in `simclr_part`.
    """
    require_values(images, (1, 3))
    step = simclr(size or images.shape[2], **how)
    return step(images, generator), step(images, generator)


def multi_crop_parts(
    global_size: int = 224,
    local_size: int = 96,
    local_views: int = 6,
    global_area: Area = (0.4, 1.0),
    local_area: Area = (0.05, 0.4),
) -> dict[str, Part]:
    """Two global views, then the local ones, with DINO's colours: the first global view is always blurred,
    the second seldom but solarised.

    Args:
        global_size, local_size: height and width of the views, at least 3.
        local_views: how many; 0 leaves the global ones. DINO's code has 8 by default, its paper 10 for the
            best results.
        global_area, local_area: smallest and largest share of the image.

    Returns:
        Name -> crop and step: "global_1", "global_2", "local_1", ...

    Raises:
        ValueError: an argument out of range.
    """
    if min(global_size, local_size) < 3 or local_views < 0:
        raise ValueError(
            f"expected sizes >= 3 and local_views >= 0, got {global_size}, {local_size}, "
            f"{local_views}; DINO has 224, 96 and 6 to 10"
        )
    jitter = (0.4, 0.4, 0.2, 0.1)
    large, small = Crop(global_size, global_area), Crop(local_size, local_area)
    parts = {
        "global_1": (large, _distort(jitter, 1.0, global_size)),
        "global_2": (large, _distort(jitter, 0.1, global_size, solarized=0.2)),
    }
    local = (small, _distort(jitter, 0.5, local_size))
    return parts | {f"local_{number}": local for number in range(1, local_views + 1)}


def multi_crop(
    images: Tensor,
    generator: Generator | None = None,
    global_size: int = 224,
    local_size: int = 96,
    local_views: int = 6,
    **areas: Area,
) -> list[Tensor]:
    """The views of `multi_crop_parts` of images `[B, C, H, W]`, C 1 or 3.

    Returns:
        List of `[B, C, global_size, global_size]` twice and of `[B, C, local_size, local_size]`.

    Raises:
        ValueError: an argument out of range.
    """
    require_values(images, (1, 3))
    parts = multi_crop_parts(global_size, local_size, local_views, **areas)
    return [compose(*part)(images, generator) for part in parts.values()]


def weak_strong(
    images: Tensor,
    generator: Generator | None = None,
    weak: Step = augment.weak,
    strong: Step = augment.strong,
) -> tuple[Tensor, Tensor]:
    """A weak and a strong view of each image, independent of each other.

    The defaults are for digits. For small natural images: `weak=compose(random_flip, random_crop)`, and
    `strong` the same followed by `rand_augment` and `cutout`.
    """
    require_values(images)
    return weak(images, generator), strong(images, generator)
