"""Sections that contradict each other, and hyper-parameters of methods."""

import pytest

from dlbook.train.configuration import ConfigurationError
from tests.recipes.run.small_run import config


def test_sections_check_each_other(tmp_path):
    with pytest.raises(
        ConfigurationError, match="^schedule.warmup_epochs: expected less than trainer.epochs=2, got 2; "
    ):
        config(tmp_path, "schedule.warmup_epochs=2")
    with pytest.raises(ConfigurationError, match="^data.root: expected a folder for data.name=cifar10, got"):
        config(tmp_path, "data.name=cifar10")
