"""Batches of labelled images: "images", "labels" and "indices".

The section `augment` says what happens to a batch; see `dlbook.recipes.classify.augment`.
"""

from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.data import Splits, labelled
from dlbook.train.pools import Pool

__all__ = ["images"]


def images(config: RunConfig, splits: Splits, share: int) -> list[Pool]:
    """Make one pool: the labelled training images.

    Args:
        config: names the data and the size of a batch of all processes.
        splits: the images of the run.
        share: processes that share a batch, >= 1.
    """
    train = labelled(splits.train, config.data.labels_per_class, config.seed)
    return [Pool(train, config.data.batch_size // share)]
