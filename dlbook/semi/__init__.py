"""Semi-supervised methods, one file a method, and the batch that they share.

A `SemiBatch` is made by `dlbook.recipes.semi.pools`: a few labelled images, and many unlabelled ones, each of
those in the views that the method asks for. Which images are labelled is chosen once for a run.
"""

from typing import TypedDict

from torch import Tensor

__all__ = ["SemiBatch"]


class SemiBatch(TypedDict, total=False):
    """What a semi-supervised method is given in each step; a method reads the entries that it needs."""

    labelled: Tensor  # [B, C, H, W], weak views of labelled images
    labels: Tensor  # [B], their classes
    weak: Tensor  # [mu B, C, H, W], weak views of unlabelled images
    strong: Tensor  # [mu B, C, H, W], strong views of the same images in the same order
    first: Tensor  # [mu B, C, H, W], views of unlabelled images from one distribution ...
    second: Tensor  # ... and a second view of the same images
    indices: Tensor  # [mu B], the place of each unlabelled image in its data set
