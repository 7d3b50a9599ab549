"""A run's folder: what is kept, what a broken checkpoint or a full disk does to it, what resuming fixes."""

import errno
import json
import os
import types
import warnings

import filelock
import pytest
import torch

from dlbook.train import Trainer, checkpoint
from dlbook.train import run as module
from dlbook.train.run import Run, RunError, load_weights, locked
from tests.seeded import edited
from tests.train.trainer_checks import everything, make

ACCURACY = {2: 50.0, 4: 80.0, 6: 70.0, 8: 75.0}


def trained(folder, until=8, run=None):
    """A run with an evaluation every two steps; gives trainer and run."""
    run = run or Run(folder)
    trainer = make(Trainer)
    for step in range(2, until + 1, 2):
        torch.manual_seed(step)
        trainer.fit(step)
        run.save(trainer, {"accuracy": ACCURACY[step], "loss": 1.0 / step})
    return trainer, run


def names(run):
    return sorted(path.name for path in run.checkpoints.iterdir())


def test_two_newest_and_the_best_are_kept(tmp_path):
    _, run = trained(tmp_path / "run")
    assert names(run) == ["best.ckpt", "step-00000006.ckpt", "step-00000008.ckpt"]
    assert checkpoint.load(run.checkpoints / "best.ckpt")["trainer"]["step"] == 4
    rows = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert rows == [{"step": step, "accuracy": value, "loss": 1 / step} for step, value in ACCURACY.items()]


def check_best(best) -> None:
    """The largest, neither the last nor the first; of equal ones the first; nothing before any evaluation."""
    run = types.SimpleNamespace(metric="accuracy", history=[])
    assert best(run) == {}
    for step, value in enumerate((50.0, 80.0, 70.0, 80.0, 60.0)):
        run.history.append({"step": step, "accuracy": value, "loss": -value})
    assert best(run)["step"] == 1


BEST = "return max(self.history, key=lambda row: row[self.metric], default={})"
BEST_FAULTS = {
    "the last": "return self.history[-1] if self.history else {}",
    "the last of equals": BEST.replace("self.history,", "reversed(self.history),"),
    "the smallest": BEST.replace("max", "min"),
}


def test_the_best_is_the_first_largest():
    check_best(Run.best)


@pytest.mark.parametrize("fault", BEST_FAULTS)
def test_the_check_sees_another_best(fault):
    broken = edited(module, BEST, BEST_FAULTS[fault])["Run"]
    with pytest.raises(AssertionError):
        check_best(broken.best)


def resumed(folder):
    run, trainer = Run(folder, resume=True), make(Trainer)
    return run.resume(trainer), trainer, run


def test_resume_is_exact(tmp_path):
    before, _ = trained(tmp_path / "run")
    step, after, run = resumed(tmp_path / "run")
    expected, got = everything(before), everything(after)
    assert step == 8 and all(torch.equal(expected[name], got[name]) for name in expected)
    assert run.best()["step"] == 4 and len(run.history) == 4


@pytest.mark.parametrize("harm", ["cut", "altered", "emptied"])
def test_a_broken_checkpoint_is_named_and_the_one_before_used(tmp_path, harm):
    trained(tmp_path / "run")
    newest = tmp_path / "run/checkpoints/step-00000008.ckpt"
    content = bytearray(newest.read_bytes())
    content[-100] ^= 1
    newest.write_bytes({"cut": content[: len(content) // 2], "altered": content, "emptied": b""}[harm])
    with pytest.warns(
        UserWarning, match=r"step-00000008\.ckpt: .*; renamed .*8\.broken; trying step-00000006\.ckpt"
    ):
        step, _, run = resumed(tmp_path / "run")
    assert step == 6 and [row["step"] for row in run.history] == [2, 4, 6]
    assert len((run.folder / "metrics.jsonl").read_text().splitlines()) == 3


def test_where_only_the_best_is_whole_the_run_goes_on_from_it(tmp_path):
    expected = everything(trained(tmp_path / "short", until=4)[0])
    _, run = trained(tmp_path / "run")
    for path in run.files():
        path.write_bytes(b"x")
    with pytest.warns(UserWarning, match=r"step-00000006\.ckpt: .*; trying best\.ckpt"):
        step, after, run = resumed(tmp_path / "run")
    got = everything(after)
    assert step == 4 and all(torch.equal(expected[name], got[name]) for name in expected)
    assert [row["step"] for row in run.history] == [2, 4] and run.begun()


def test_all_broken_is_an_error_not_a_new_start(tmp_path):
    _, run = trained(tmp_path / "run")
    for path in (*run.files(), run.checkpoints / "best.ckpt"):
        path.write_bytes(b"x")
    told = rf"got 3 broken ones; start again .*: dlbook train {run.folder} output.folder={run.folder}-again$"
    with pytest.warns(UserWarning, match="trying no other"), pytest.raises(RunError, match=told):
        resumed(tmp_path / "run")
    with pytest.raises(RunError, match=told):  # nor the second time, when they have other names
        resumed(tmp_path / "run")


@pytest.mark.parametrize("harm", ["cut", "lost"])
def test_a_damaged_best_is_restored_where_its_step_is_kept_and_told_where_not(tmp_path, harm):
    for until, folder in ((4, tmp_path / "kept"), (8, tmp_path / "gone")):
        _, run = trained(folder, until=until)
        best = run.checkpoints / "best.ckpt"
        best.write_bytes(best.read_bytes()[:-9])
        if harm == "lost":
            best.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resumed(tmp_path / "kept")
    assert checkpoint.load(tmp_path / "kept/checkpoints/best.ckpt")["trainer"]["step"] == 4
    with pytest.warns(UserWarning, match=r"best\.ckpt.*(cut short|is missing); .* by --checkpoint last"):
        resumed(tmp_path / "gone")


def test_half_a_checkpoint_does_not_block_a_folder(tmp_path):
    """Killed while the first one was written: its temporary file is no run."""
    run = Run(tmp_path / "run")
    (run.checkpoints / "step-00000002.ckpt.1a2b.partial").touch()
    assert not Run(tmp_path / "run").begun()


def test_a_run_is_trained_by_one_process_at_a_time(tmp_path):
    with locked(tmp_path / "run"):
        told = "run: expected a run that nobody trains, got one that another process is training; stop it"
        with pytest.raises(RunError, match=told), locked(tmp_path / "run"):
            pass
        with locked(tmp_path / "other"):
            pass
    with locked(tmp_path / "run"):
        pass


def check_freed(locked, folder, monkeypatch) -> None:
    """However the block ends; locks are kept, so that no garbage collector frees one. Each is in its run."""
    kept, make = [], filelock.FileLock

    def made(*given, **more):
        kept.append(make(*given, **more))
        return kept[-1]

    monkeypatch.setattr(filelock, "FileLock", made)
    for error in (KeyError, KeyboardInterrupt):
        with pytest.raises(error), locked(folder):
            raise error
        with locked(folder), locked(folder.with_name("other")):
            assert (folder / ".lock").is_file()
    assert len(kept) == 6


LOCK_FAULTS = {
    "never": ("        lock.release()", "        pass"),
    "where nothing went wrong": ("    finally:\n        lock.release()", "    except OSError:\n        pass"),
    "beside the folder": ('folder / ".lock"', 'folder.parent / ".lock"'),
}


def test_a_run_is_free_again_however_its_training_ended(tmp_path, monkeypatch):
    check_freed(locked, tmp_path / "run", monkeypatch)


@pytest.mark.parametrize("fault", LOCK_FAULTS)
def test_the_check_sees_another_lock(fault, tmp_path, monkeypatch):
    broken = edited(module, *LOCK_FAULTS[fault])
    with pytest.raises((AssertionError, broken["RunError"])):
        check_freed(broken["locked"], tmp_path / "run", monkeypatch)


@pytest.mark.parametrize("place", ["a", "a/b/run", "b"])
def test_a_folder_that_takes_no_run_is_told_with_its_key(tmp_path, place):
    (tmp_path / "a").touch()
    (tmp_path / "b").mkdir()
    (tmp_path / "b/checkpoints").touch()
    told = (
        f"^output.folder: expected a folder that can be made and written to, got {tmp_path / place} .*; name"
    )
    with pytest.raises(ValueError, match=told), locked(tmp_path / place):
        Run(tmp_path / place)
    with pytest.raises(ValueError, match=told):
        Run(tmp_path / place)


def test_a_folder_that_may_not_be_written_to_is_told_with_its_key(tmp_path, monkeypatch):
    def forbidden(*given, **more):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / ".lock"))

    told = (
        rf"^output.folder: .* got {tmp_path} \({tmp_path}/.lock: Permission denied\); name another by output"
    )
    monkeypatch.setattr(module.filelock.FileLock, "acquire", forbidden)
    with pytest.raises(ValueError, match=told), locked(tmp_path):
        pass


def test_a_full_disk_loses_no_earlier_checkpoint(tmp_path, monkeypatch):
    trainer, run = trained(tmp_path / "run", until=6)
    kept = {path.name: path.read_bytes() for path in run.checkpoints.iterdir()}

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        run.save(trainer, {"accuracy": 99.0})
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in run.checkpoints.iterdir()} == kept
    assert resumed(tmp_path / "run")[0] == 6


def test_killed_between_checkpoint_and_best(tmp_path, monkeypatch):
    """The checkpoint is whole, best.ckpt and the figures are not there yet: resuming completes both."""
    trainer, run = trained(tmp_path / "run", until=2)
    trainer.fit(4)
    monkeypatch.setattr(Run, "_settle", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run.save(trainer, {"accuracy": 80.0})
    monkeypatch.undo()
    assert checkpoint.load(run.checkpoints / "best.ckpt")["trainer"]["step"] == 2
    resumed(tmp_path / "run")
    assert checkpoint.load(run.checkpoints / "best.ckpt")["trainer"]["step"] == 4
    assert len((run.folder / "metrics.jsonl").read_text().splitlines()) == 2


def test_a_taken_folder_is_refused_untouched(tmp_path):
    _, run = trained(tmp_path / "run")
    before = names(run)
    with pytest.raises(RunError, match="holds a run already"):
        Run(tmp_path / "run")
    assert names(run) == before


def test_nothing_to_resume_is_step_zero(tmp_path):
    assert resumed(tmp_path / "new")[0] == 0


def test_weights_and_metric(tmp_path):
    trainer, run = trained(tmp_path / "run", until=4)
    weights = load_weights(run.checkpoints / "best.ckpt")
    assert all(torch.equal(weights[name], value) for name, value in trainer.method.state_dict().items())
    with pytest.raises(ValueError, match="'accuracy' among the figures"):
        run.save(trainer, {"loss": 1.0})
