"""Batches of labelled images hold those whose labels may be seen, and no others."""

import torch

from dlbook.recipes.classify.pools import images
from dlbook.recipes.run.data import load
from tests.recipes.run.small_run import config


def test_all_training_images_or_the_few_whose_labels_are_kept(tmp_path):
    run = config(tmp_path, "data.limit=null")
    splits = load(run.data, run.seed)
    (everything,) = images(run, splits, share=2)
    assert everything.dataset is splits.train and everything.size == 10
    (few,) = images(config(tmp_path, "data.labels_per_class=3", "data.limit=null"), splits, share=1)
    assert torch.bincount(few.dataset.labels).tolist() == [3] * 10 and few.size == 20
