"""Batches of labelled images: "images", "labels" and "indices".

The section `augment` says what happens to a batch; see `dlbook.recipes.classify.augment`.
"""

from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.data import Splits, labelled
from dlbook.train.pools import Pool

__all__ = ["images"]


def images(config: RunConfig, splits: Splits, share: int) -> list[Pool]:
    """One pool: the labelled training images. share: how many processes share a batch."""
    train = labelled(splits.train, config.data.labels_per_class, config.seed)
    return [Pool(train, config.data.batch_size // share)]
