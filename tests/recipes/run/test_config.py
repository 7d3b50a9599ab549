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


@pytest.mark.parametrize(
    ("override", "told"),
    [
        (
            "method.name=fixmtch",
            r"method\.name: expected one of .*, got 'fixmtch'; did you mean 'fixmatch'\?$",
        ),
        ("method.thresold=1", r"method\.thresold: expected one of .*, got 'thresold'; fix its name"),
        (
            "method.label_smoothin=1",
            r"method\.label_smoothin: expected .*; did you mean 'label_smoothing'\?$",
        ),
    ],
)
def test_faults_of_the_method_are_said_of_its_key(tmp_path, override, told):
    with pytest.raises(ConfigurationError, match=f"^{told}"):
        config(tmp_path, override)
