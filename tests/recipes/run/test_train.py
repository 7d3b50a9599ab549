"""A run: the folder it leaves, when it stops, and what it refuses to go on with."""

import pytest

from dlbook.recipes.run import evaluate
from dlbook.recipes.run import train as module
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.evaluate import evaluate_run
from dlbook.recipes.run.train import train
from dlbook.train.batches import evaluation_batches
from dlbook.train.configuration import load as load_file
from dlbook.train.run import RunError
from tests.recipes.run.small_run import config
from tests.seeded import edited


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


def check_split(module, tmp_path, monkeypatch) -> None:
    """A run is steered by the validation images; test images, and those of training, are never asked."""
    asked = []
    monkeypatch.setitem(
        module,
        "evaluation_batches",
        lambda data, **how: asked.append(data) or evaluation_batches(data, **how),
    )
    setup = build(config(tmp_path))
    assert len({len(s) for s in (setup.splits.train, setup.splits.validation, setup.splits.test)}) == 3
    module["evaluate_setup"](setup)
    assert [data is setup.splits.validation for data in asked] == [True]
    whole = build(config(tmp_path, "data.validation=0"))
    module["evaluate_setup"](whole)  # nothing is held out: the training images, not the test images
    assert asked[1] is whole.splits.train


SPLIT_FAULTS = {
    "test images": ('part: str = "validation") ->', 'part: str = "test") ->'),
    "test images where nothing is held out": (
        "return chosen if len(chosen) else splits.train",
        "return chosen if len(chosen) else splits.test",
    ),
}


def test_a_run_is_steered_by_the_validation_images(tmp_path, monkeypatch):
    check_split(vars(evaluate), tmp_path, monkeypatch)


@pytest.mark.parametrize("fault", SPLIT_FAULTS)
def test_the_check_sees_another_split(fault, tmp_path, monkeypatch):
    broken = edited(evaluate, *SPLIT_FAULTS[fault])
    with pytest.raises(AssertionError):
        check_split(broken, tmp_path, monkeypatch)


class Kept:
    """A logger that knows whether it was closed."""

    closed = False

    def write(self, step, scalars):
        pass

    def close(self):
        self.closed = True


def check_loggers(module, folder, monkeypatch) -> None:
    """Curves are flushed whatever ends the run: Ctrl-C in the middle, or an error that nobody expects."""
    for number, error in enumerate((KeyboardInterrupt, ZeroDivisionError)):
        kept = Kept()
        monkeypatch.setitem(module, "make_loggers", lambda *arguments, kept=kept: [kept])
        setup = build(config(folder / str(number)))
        batches = setup.trainer.batches

        def stop(step, batches=batches, error=error):
            if step == 8:
                raise error
            return batches(step)

        setup.trainer.batches = stop
        with pytest.raises(error):
            module["train"](setup)
        assert kept.closed and setup.trainer.step == 8


def test_loggers_are_closed_whatever_ends_the_run(tmp_path, monkeypatch):
    check_loggers(vars(module), tmp_path, monkeypatch)


def test_the_check_sees_a_logger_that_stays_open(tmp_path, monkeypatch):
    old = "    finally:\n        for logger in loggers:"
    broken = edited(
        module, old, "    except ValueError:\n        raise\n    else:\n        for logger in loggers:"
    )
    with pytest.raises(AssertionError):
        check_loggers(broken, tmp_path, monkeypatch)
