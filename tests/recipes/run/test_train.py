"""A run: the folder it leaves, when it stops, and what it refuses to go on with."""

import pytest

from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.evaluate import evaluate_run
from dlbook.recipes.run.train import train
from dlbook.train.configuration import load as load_file
from dlbook.train.run import RunError
from tests.recipes.run.small_run import config


def test_a_run_from_its_own_folder_is_the_same_run(tmp_path):
    first = config(tmp_path)
    best = train(build(first))
    again = load_file(RunConfig, tmp_path / "run/config.yaml", [f"output.folder={tmp_path / 'again'}"])
    assert train(build(again)) == best
    assert evaluate_run(tmp_path / "run", "validation") == {k: v for k, v in best.items() if k != "step"}
    test = evaluate_run(tmp_path / "run")
    assert test.keys() == best.keys() - {"step"} and test != evaluate_run(tmp_path / "run", "validation")


def test_patience_stops(tmp_path):
    setup = build(config(tmp_path, "trainer.epochs=30", "trainer.patience=2", "optimizer.lr=1e-12"))
    train(setup)
    assert setup.trainer.step == 3 * 6  # nothing is learnt: one evaluation and two without a new best


def test_resuming_another_configuration_is_refused(tmp_path):
    train(build(config(tmp_path)))
    with pytest.raises(RunError, match=r"optimizer\.lr was 0\.1, now 0\.2"):
        train(build(config(tmp_path, "optimizer.lr=0.2")), resume=True)
    with pytest.raises(RunError, match="holds a run already"):
        train(build(config(tmp_path)))
