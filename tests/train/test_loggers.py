"""What TensorBoard's own reader finds in the files of a run, also of one that was killed and resumed; Weights
& Biases, absent and as a stand-in.
"""

import sys
import types

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dlbook.recipes.run import train as run_module
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig, resolve
from dlbook.recipes.run.train import train
from dlbook.train.loggers import TensorBoard, make_loggers


def read(folder):
    """Tag -> {step: value}; a step that stands twice shows up as a failure here."""
    events = EventAccumulator(str(folder / "tensorboard"), purge_orphaned_data=True)
    events.Reload()
    found = {}
    for tag in events.Tags()["scalars"]:
        points = [(event.step, event.value) for event in events.Scalars(tag)]
        assert len(points) == len(dict(points)), (tag, points)
        found[tag] = dict(points)
    return found


def config(folder, *overrides):
    content = {
        "model": {"name": "convnet_digits"},
        "data": {"name": "mnist5k", "limit": 60, "batch_size": 20},
        "trainer": {"epochs": 4},
        "output": {"folder": str(folder)},
    }
    return resolve(RunConfig, content, overrides)


def test_a_killed_and_resumed_log_reads_as_one(tmp_path):
    first = TensorBoard(tmp_path)
    for step in range(1, 9):  # killed after step 8; its last checkpoint is of step 5
        first.write(step, {"train/loss": 1.0 / step, "train/rate": 0.1})
    first.close()
    second = TensorBoard(tmp_path, step=5)
    for step in range(6, 11):
        second.write(step, {"train/loss": 10.0 + step, "train/rate": 0.2})
    second.close()
    loss = read(tmp_path)["train/loss"]
    assert list(loss) == list(range(1, 11))
    assert [loss[step] for step in (5, 6, 8, 10)] == pytest.approx([0.2, 16.0, 18.0, 20.0])


def test_the_files_of_a_run_hold_its_figures(tmp_path):
    setup = build(config(tmp_path / "run"))
    best = train(setup)
    found = read(tmp_path / "run")
    assert {
        "train/loss",
        "train/accuracy",
        "train/rate",
        "validation/accuracy",
        "validation/loss",
    } <= found.keys()
    assert list(found["validation/accuracy"]) == [3, 6, 9, 12]
    assert found["validation/accuracy"][best["step"]] == pytest.approx(best["accuracy"], rel=1e-6)
    assert [found["train/loss"][step] for step in range(1, 13)] == pytest.approx(
        setup.trainer.curve("loss").tolist(), rel=1e-6
    )
    assert [found["train/rate"][step] for step in (1, 12)] == pytest.approx(
        [setup.trainer.rate_at(0), setup.trainer.rate_at(11)], rel=1e-5
    )


def test_the_files_of_a_resumed_run_are_those_of_one_that_was_not(tmp_path, monkeypatch):
    train(build(config(tmp_path / "whole")))

    class Killed(Exception):
        pass

    log = run_module._log

    def killed(loggers, setup, before, figures):
        log(loggers, setup, before, figures)
        if setup.trainer.step == 9:  # written to TensorBoard, but the checkpoint is lost
            raise Killed

    monkeypatch.setattr(run_module, "_log", killed)
    with pytest.raises(Killed):
        train(build(config(tmp_path / "run")))
    monkeypatch.undo()
    (tmp_path / "run/checkpoints/step-00000009.ckpt").unlink()
    train(build(config(tmp_path / "run")), resume=True)
    assert read(tmp_path / "run") == read(tmp_path / "whole")


def test_without_weights_and_biases_a_sentence_and_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ValueError,
        match="output.wandb: expected the package wandb, got an environment without it; pip install wandb",
    ):
        train(build(config(tmp_path / "run", "output.wandb=true")))
    assert not (tmp_path / "run").exists()


def test_what_weights_and_biases_is_told(tmp_path, monkeypatch):
    """A stand-in with wandb's names: offline unless WANDB_MODE says otherwise, every figure with its step."""
    told = []
    run = types.SimpleNamespace(
        log=lambda scalars, step: told.append((step, scalars)), finish=lambda: told.append("finish")
    )
    module = types.ModuleType("wandb")
    module.__spec__ = types.SimpleNamespace(name="wandb")
    module.init = lambda **options: told.append(options) or run
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    (logger,) = make_loggers(tmp_path, {"seed": 0}, tensorboard=False, wandb=True)
    logger.write(3, {"train/loss": 0.5})
    logger.close()
    assert (
        told[0]["mode"] == "offline" and told[0]["dir"] == str(tmp_path) and told[0]["config"] == {"seed": 0}
    )
    assert told[1:] == [(3, {"train/loss": 0.5}), "finish"]


def test_no_logger_unless_asked(tmp_path):
    assert make_loggers(tmp_path, {}, tensorboard=False) == [] and not list(tmp_path.iterdir())
