"""A run is evaluated from its folder, wherever its images are now."""

import pytest

from dlbook.recipes.run.build import build
from dlbook.recipes.run.evaluate import evaluate_run
from dlbook.recipes.run.train import train
from dlbook.train.run import RunError
from tests.recipes.run.small_run import config


def test_a_missing_run_and_part(tmp_path):
    with pytest.raises(RunError, match="train it first: dlbook train CONFIG"):
        evaluate_run(tmp_path)
    train(build(config(tmp_path)))
    with pytest.raises(ValueError, match="expected one of test, validation, train, got 'tset'"):
        evaluate_run(tmp_path / "run", "tset")
