"""A run that a signal, a failing evaluation or a full disk ends: what is kept, what is said, and that it ends
with the bits of the run that nothing ended when it goes on from there.
"""

import errno
import multiprocessing
import os
import signal
import time

import pytest

from dlbook.recipes.run import train as module
from dlbook.recipes.run.build import build
from dlbook.recipes.run.train import train
from dlbook.train import checkpoint
from dlbook.train.interrupt import Interrupted
from dlbook.train.run import RunError
from tests.recipes.run.small_run import assert_same, config
from tests.seeded import edited

pytestmark = pytest.mark.forks
OPTIONS = ("method.ema_decay=0.9", "augment.policy=shift", "data.validation=0.01")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of two epochs of six steps that nothing ends."""
    folder = tmp_path_factory.mktemp("whole")
    train(build(config(folder, *OPTIONS)))
    return folder / "run"


def ending(folder, function, at, *more):
    """A run in which `function` is called when batch `at` is asked for."""
    setup = build(config(folder, *OPTIONS, *more))
    batches = setup.trainer.batches
    setup.trainer.batches = lambda number: (function() if number == at else None) or batches(number)
    return setup


def assert_ends_as(whole, folder, train=train):
    """Going on ends with the same bits; gives the lines that it says."""
    lines = []
    train(build(config(folder, *OPTIONS)), resume=True, say=lines.append)
    for name in ("step-00000012.ckpt", "best.ckpt"):
        files = [run / "checkpoints" / name for run in (whole, folder / "run")]
        assert_same(*map(checkpoint.load, files))
        assert files[0].read_bytes() == files[1].read_bytes()
    assert (folder / "run/metrics.jsonl").read_text() == (whole / "metrics.jsonl").read_text()
    return lines


SIGNALS = {
    "Ctrl-C before the first evaluation": (signal.SIGINT, 2, 3),
    "SIGTERM in the first step": (signal.SIGTERM, 0, 1),
    "SIGTERM in the last step of an epoch": (signal.SIGTERM, 5, 6),
    "SIGTERM in the second epoch": (signal.SIGTERM, 8, 9),
    "Ctrl-C in the last step": (signal.SIGINT, 11, 12),
}


@pytest.mark.parametrize("when", SIGNALS)
def test_a_signal_loses_no_step(whole, tmp_path, when):
    sign, at, kept = SIGNALS[when]
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Interrupted) as ended:
        train(ending(tmp_path, lambda: signal.raise_signal(sign), at))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    name = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}[sign]
    told = f"kept up to step {kept} of 12; go on by dlbook train {tmp_path / 'run'} --resume"
    assert str(ended.value) == f"stopped by {name}; {told}" and ended.value.sign == sign
    told = f"goes on at step {kept} of 12" if kept < 12 else "all 12 steps are done already"
    assert assert_ends_as(whole, tmp_path)[0] == told


def test_a_signal_that_workers_get_too_loses_no_step(whole, tmp_path):
    """As of a terminal's Ctrl-C, which workers leave to the process that trains, and of Slurm, which ends
    them: the step that is being computed comes to its end.
    """

    def all_get_it():
        (worker,) = multiprocessing.active_children()
        os.kill(worker.pid, signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        os.kill(worker.pid, signal.SIGKILL)  # a SIGTERM of its parent would be another case for torch
        time.sleep(0.3)  # its death is told to this process

    setup = ending(tmp_path, lambda: None, -1, "data.workers=1")
    take = setup.trainer._take_step
    setup.trainer._take_step = lambda scalars: (setup.trainer.step == 3 and all_get_it()) or take(scalars)
    with pytest.raises(Interrupted, match="kept up to step 4 of 12"):
        train(setup)
    assert_ends_as(whole, tmp_path)


def test_a_second_signal_ends_at_once(tmp_path):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("went on")

    with pytest.raises(Interrupted, match="stopped by Ctrl-C; no step was kept; start again by the same"):
        train(ending(tmp_path, twice, 3))
    train(build(config(tmp_path, *OPTIONS)))  # the folder is free


def test_a_signal_while_nothing_is_trained_ends_at_once(whole, tmp_path, monkeypatch):
    def stopped(*given):
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("went on")

    with monkeypatch.context() as patch, pytest.raises(Interrupted, match="kept up to step 6 of 12"):
        patch.setattr(module, "evaluate_setup", stopped)
        train(build(config(tmp_path, *OPTIONS)))
    assert_ends_as(whole, tmp_path)


def check_evaluation(module, whole, folder, monkeypatch) -> None:
    """An evaluation that fails, such as at an unreadable picture, loses no step."""

    def unreadable(setup):
        raise ValueError("unreadable")

    with monkeypatch.context() as patch, pytest.raises(ValueError, match="unreadable"):
        patch.setitem(module, "evaluate_setup", unreadable)
        module["train"](build(config(folder, *OPTIONS)))
    assert [path.name for path in (folder / "run/checkpoints").iterdir()] == ["step-00000006.ckpt"]
    assert_ends_as(whole, folder, module["train"])


EVALUATION_FAULTS = {
    "kept after the evaluation only": ("            trained()\n", "            pass\n"),
    "no evaluation after going on": (
        'told = max((row["step"] for row in history), default=0)',
        "told = trainer.step",
    ),
}


def test_a_failed_evaluation_loses_no_step(whole, tmp_path, monkeypatch):
    check_evaluation(vars(module), whole, tmp_path, monkeypatch)


@pytest.mark.parametrize("fault", EVALUATION_FAULTS)
def test_the_check_sees_the_fault(fault, whole, tmp_path, monkeypatch):
    with pytest.raises(AssertionError):
        check_evaluation(edited(module, *EVALUATION_FAULTS[fault]), whole, tmp_path, monkeypatch)


def test_a_full_disk_names_the_file_and_the_way_on(whole, tmp_path, monkeypatch):
    setup = build(config(tmp_path, *OPTIONS))

    def full(descriptor):
        if setup.trainer.step == 12:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left on device") as ended:
        patch.setattr(os, "fsync", full)
        train(setup)
    command = f"dlbook train {tmp_path / 'run'} --resume"
    assert f"make room, then: kept up to step 6 of 12; go on by {command}: " in str(ended.value)
    assert "step-00000012.ckpt" in ended.value.filename
    assert_ends_as(whole, tmp_path)


def test_resume_says_that_there_is_nothing_to_resume(tmp_path):
    lines = []
    train(build(config(tmp_path, "trainer.epochs=1")), resume=True, say=lines.append)
    assert lines[0] == f"nothing to resume in {tmp_path / 'run'}: begins at step 0 of 6"


def test_more_epochs_are_another_run_and_the_way_is_named(whole, tmp_path):
    with pytest.raises(
        RunError, match="trainer.epochs was 2, now 4; the rates of all its steps depend"
    ) as told:
        longer = ["trainer.epochs=4", f"output.folder={whole}"]
        train(build(config(tmp_path, *OPTIONS, *longer)), resume=True)
    start = f"dlbook train {whole} model.weights={whole} trainer.epochs=4 output.folder={whole}-longer"
    assert str(told.value).endswith(start)


def test_two_do_not_train_one_run(tmp_path):
    def another():
        with pytest.raises(RunError, match="got one that another process is training"):
            train(build(config(tmp_path, *OPTIONS)), resume=True)

    assert train(ending(tmp_path, another, 7))["step"] > 0


def test_no_weights_of_a_loss_that_is_no_number_are_kept(tmp_path):
    """On a GPU the loss is looked at in some steps only, and a signal may come between them."""
    setup = ending(tmp_path, lambda: signal.raise_signal(signal.SIGTERM), 3)
    append = setup.trainer.log.append
    setup.trainer.log.append = lambda name, value: append(name, value * float("nan"))
    with pytest.raises(FloatingPointError, match="step 3: expected a finite loss, got nan on batch 3"):
        train(setup)
    assert not list((tmp_path / "run/checkpoints").iterdir())
