"""Batches of several views of each image, for self-supervised methods. Labels are not given.

    two_views     "first", "second"                                   SimCLR, MoCo, BYOL, SimSiam, ...
    multi_crop    "global_1", "global_2", "local_1", "local_2", ...   SwAV, DINO

Of pictures in folders each view is a crop of the file, which is decoded once. Images in memory are cropped as
a batch. The views are those of `dlbook.augment.views`, of `data.image_size` pixels for folders, else of the
images' size; local views have three sevenths of it, as 96 pixels are of 224.
"""

from dlbook.augment.views import Part, multi_crop_parts, two_view_parts
from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.data import Splits
from dlbook.train.pools import Pool, View

__all__ = ["multi_crop", "two_views"]


def two_views(config: RunConfig, splits: Splits, share: int) -> list[Pool]:
    """Make one pool with SimCLR's two views.

    Args:
        config: names the data and the size of a batch of all processes.
        splits: the images of the run.
        share: processes that share a batch, >= 1.
    """
    return [_pool(config, splits, share, two_view_parts(splits.preparation.size[0]))]


def multi_crop(config: RunConfig, splits: Splits, share: int) -> list[Pool]:
    """Make one pool with DINO's two global and six local views.

    Args:
        config: names the data and the size of a batch of all processes.
        splits: the images of the run.
        share: processes that share a batch, >= 1.
    """
    size = splits.preparation.size[0]
    return [_pool(config, splits, share, multi_crop_parts(size, max(3, round(size * 3 / 7))))]


def _pool(config: RunConfig, splits: Splits, share: int, parts: dict[str, Part]) -> Pool:
    views = {name: View(*part) for name, part in parts.items()}
    return Pool(splits.train, config.data.batch_size // share, views, labels=None)
