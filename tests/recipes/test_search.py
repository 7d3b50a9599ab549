"""The search: spaces that say what is wrong, one study for many processes, continuing, pruning, and no look
at the test images.
"""

import multiprocessing
import sys

import optuna
import pytest
import torch

from dlbook.recipes import search as module
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig, resolve
from dlbook.recipes.run.train import train
from dlbook.recipes.search import Space, default_storage, parse, search
from dlbook.train import configuration
from dlbook.train.trainer import NonFiniteLoss

pytestmark = pytest.mark.forks
FORK = multiprocessing.get_context("fork")
RATE = parse("optimizer.lr=log:1e-3..1e-1")


def config(folder, *overrides):
    content = {
        "model": {"name": "convnet_digits"},
        "data": {"name": "mnist5k", "limit": 40, "batch_size": 20},
        "trainer": {"epochs": 1},
        "output": {"folder": str(folder / "run"), "tensorboard": False},
    }
    return resolve(RunConfig, content, overrides)


def kept(folder, name="search"):
    journal = optuna.storages.journal.JournalFileBackend(str(default_storage(folder / "run")))
    return optuna.load_study(study_name=name, storage=optuna.storages.JournalStorage(journal)).trials


@pytest.fixture
def figures(monkeypatch):
    """Instead of training: the accuracies that a function of the rate gives, one an evaluation."""

    def put(function):
        monkeypatch.setattr(
            module,
            "evaluations",
            lambda setup: ({"accuracy": value} for value in function(setup.config.optimizer.lr)),
        )

    return put


@pytest.mark.parametrize(
    ("text", "space"),
    [
        ("optimizer.lr=log:1e-4..1e-1", Space("optimizer.lr", (1e-4, 0.1), True, True)),
        ("optimizer.lr=0..1", Space("optimizer.lr", (0, 1), True)),
        ("data.batch_size=log:8..64", Space("data.batch_size", (8, 64), True, True)),
        ("optimizer.name=sgd, adamw", Space("optimizer.name", ("sgd", "adamw"))),
        ("method.ema_decay=null,1e-1", Space("method.ema_decay", (None, 0.1))),
        ("optimizer.betas=[0.9,0.99],[0.8,0.9]", Space("optimizer.betas", ([0.9, 0.99], [0.8, 0.9]))),
    ],
)
def test_spaces(text, space):
    assert parse(text) == space


@pytest.mark.parametrize(
    ("text", "whole"),
    [("optimizer.lr=1..2", False), ("trainer.clip_norm=1..5", False), ("trainer.patience=1..5", True)],
)
def test_whole_numbers_where_the_schema_takes_no_others(tmp_path, text, whole):
    assert parse(text).is_whole(config(tmp_path)) is whole


@pytest.mark.parametrize(
    "text", ["=1,2", "a.b", "a.b=", "a.b=1,1", "a.b=log:1,2", "a.b=1..2..3", "a.b=1..1", "a.b=true..2"]
)
def test_what_is_no_space(text):
    with pytest.raises(ValueError, match="expected a key and two or more different values"):
        parse(text)


@pytest.mark.parametrize(
    ("spaces", "told"),
    [
        (
            ["optimizer.lr"],
            "expected a key and two or more different values, .*; write KEY=low..high, KEY=log:low..high or",
        ),
        (["optimizer.lr=1e-3..x"], "two numbers, low below high, .*; write KEY=low..high"),
        (["optimizer.lr=log:0..1"], "low below high, and above 0 for log:"),
        (["optimizer.lr=2..1"], "low below high"),
        (["optimizer.lr=0.1"], "two or more different values"),
        (["optimizer.Lr=1..2"], "did you mean 'lr'"),
        (["optimiser.lr=1..2"], "did you mean 'optimizer'"),
        (["optimizer.lr=-1..2"], "optimizer.lr: expected greater than 0, got -1"),
        (["optimizer.name=sgd,adm"], "did you mean 'adam'"),
        (["trainer.epochs=1.5..3"], "trainer.epochs: expected a valid integer"),
        (["seed=1,2"], "expected a key other than seed, data.. and output.., got"),
        (["data.name=mnist5k,color_shapes"], "expected a key other than seed, data.. and output.., got"),
        (["output.folder=a,b"], "expected a key other than seed, data.. and output.., got"),
        ([], "one --space or more"),
        (["optimizer.lr=1..2", "optimizer.lr=1..2"], "each key once"),
        (["model.name=convnet_digits,convnet_digit"], "did you mean convnet_digits"),
        (
            ["schedule.warmup_epochs=1..4", "trainer.epochs=3..20"],
            "warmup_epochs: expected less than trainer.epochs=3, got 4",
        ),
    ],
)
def test_bad_spaces_are_told_before_anything_is_trained_or_written(tmp_path, spaces, told):
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        search(config(tmp_path), [parse(text) for text in spaces], trials=1)
    assert list(tmp_path.iterdir()) == []


def test_the_winner_trains_and_reaches_what_the_search_saw(tmp_path):
    lines = []
    study, file = search(
        config(tmp_path, "trainer.epochs=2"), [RATE, parse("optimizer.name=sgd,adamw")], 3, say=lines.append
    )
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 3 and len(lines) == 3
    winner = configuration.load(RunConfig, file)
    assert winner.optimizer.lr == study.best_params["optimizer.lr"]
    assert f'"{winner.optimizer.name}"' == study.best_params["optimizer.name"]
    best = max(trial.value for trial in kept(tmp_path))
    assert train(build(winner))["accuracy"] == study.best_value == best


def test_the_test_images_are_never_looked_at(tmp_path, monkeypatch):
    load = module.load

    class Forbidden(torch.utils.data.Dataset):
        def __getattr__(self, name):
            raise AssertionError(f"the test images were asked for {name}")

    def without_test(*args):
        splits = load(*args)
        return type(splits)(splits.train, splits.validation, Forbidden(), splits.classes, splits.preparation)

    monkeypatch.setattr(module, "load", without_test)
    search(config(tmp_path), [RATE], 2)
    assert len(kept(tmp_path)) == 2


def suggested(trials):
    return [trial.params["optimizer.lr"] for trial in trials]


def test_a_continued_study_suggests_what_the_whole_one_does(tmp_path, figures):
    figures(lambda rate: [50 + rate])
    search(config(tmp_path / "whole"), [RATE], 14)
    for trials in (3, 9, 14):
        search(config(tmp_path / "parts"), [RATE], trials)
    whole, parts = (suggested(kept(tmp_path / name)) for name in ("whole", "parts"))
    assert whole == parts and len(set(whole)) == 14
    search(config(tmp_path / "other", "seed=1"), [RATE], 3)
    assert not set(suggested(kept(tmp_path / "other"))) & set(whole)


def test_pruned_by_the_median_of_the_others(tmp_path, figures):
    curves = iter([[50, 60, 70]] * module.STARTUP + [[40, 80, 90], [49, 90, 90]])
    figures(lambda rate: next(curves))
    study, _ = search(config(tmp_path), [RATE], module.STARTUP + 2)
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE"] * module.STARTUP + ["PRUNED"] * 2
    assert [len(trial.intermediate_values) for trial in study.trials][-2:] == [1, 1]


def test_the_best_evaluation_counts(tmp_path, figures):
    figures(lambda rate: [30, 90, 60])
    assert search(config(tmp_path), [RATE], 1)[0].best_value == 90


def test_trials_that_cannot_be_trained_are_recorded_and_the_search_goes_on(tmp_path, figures):
    def curve(rate):
        if rate > 0.015:
            raise NonFiniteLoss(3, 3, float("nan"))
        if rate < 0.003:
            raise ValueError("too small for this test")
        return iter([50 + rate])

    figures(curve)
    lines = []
    search(config(tmp_path), [RATE], 12, say=lines.append)
    whys = {(trial.state.name, trial.user_attrs["why"][:40]) for trial in kept(tmp_path)}
    assert len(kept(tmp_path)) == 12 and ("COMPLETE", "") in whys
    assert ("FAIL", "too small for this test") in whys
    assert any(state == "PRUNED" and "finite loss" in why for state, why in whys)
    assert any("too small" in line for line in lines)


def test_a_rate_that_explodes_is_no_crash(tmp_path):
    with pytest.raises(ValueError, match="got none of 2, the last because: step .* expected a finite loss"):
        search(config(tmp_path), [parse("optimizer.lr=1e38,1e37")], 2)


def test_our_own_errors_are_raised_and_a_stopped_trial_does_not_count(tmp_path, figures):
    figures(lambda rate: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        search(config(tmp_path), [RATE], 2)
    figures(lambda rate: [50])
    lines = []
    study, _ = search(config(tmp_path), [RATE], 2, say=lines.append)
    assert [line.partition("  ")[0] for line in lines] == ["trial 2: 1 of 2 ended", "trial 3: 2 of 2 ended"]
    assert [trial.state.name for trial in study.trials] == ["RUNNING", "COMPLETE", "COMPLETE"]


def work(folder, barrier, trials):
    torch.set_num_threads(1)
    barrier.wait()  # both make the journal at once
    search(config(folder), [RATE], trials)


def test_processes_share_one_study(tmp_path):
    barrier = FORK.Barrier(2)
    workers = [FORK.Process(target=work, args=(tmp_path, barrier, 6)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    trials = kept(tmp_path)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert 6 <= len(trials) <= 7  # at most one more, begun at once
    assert all(trial.state.name in ("COMPLETE", "PRUNED") for trial in trials)
    assert len(set(suggested(trials))) == len(trials)


def test_a_study_is_continued_as_it_was_begun(tmp_path, figures):
    figures(lambda rate: [50])
    search(config(tmp_path), [RATE], 1)
    search(config(tmp_path, "output.wandb=false"), [RATE], 1)  # nothing left to do
    assert len(kept(tmp_path)) == 1
    with pytest.raises(
        ValueError, match=r"trainer.epochs was 1, now 2; give the old ones again, or .* --study"
    ):
        search(config(tmp_path, "trainer.epochs=2"), [RATE], 2)
    began = r"study 'search': expected the configuration and spaces that it began with, got "
    rate = "optimizer.lr was 'log:0.001..0.1', now "
    for words, told in (
        (["optimizer.lr=1e-3..1"], rf"{rate}'0.001..1'; give"),
        (["optimizer.lr=1e-3,1e-1"], rf"{rate}'0.001,0.1'; give"),
        (["optimizer.name=sgd,adamw"], rf"optimizer.name was 'sgd', now 'sgd,adamw'; {rate}0.1; give"),
    ):
        with pytest.raises(ValueError, match=f"^{began}{told}"):
            search(config(tmp_path), [parse(text) for text in words], 2)
    search(config(tmp_path, "trainer.epochs=2"), [RATE], 1, name="another")
    assert len(kept(tmp_path, "another")) == 1


def test_a_study_of_an_earlier_version_is_continued(tmp_path, figures):
    """It kept a space as Python writes it."""
    figures(lambda rate: [50])
    study, _ = search(config(tmp_path), [RATE], 1)
    begun = study.user_attrs["begun"]
    assert begun["optimizer.lr"] == str(RATE)
    study.set_user_attr("begun", begun | {"optimizer.lr": repr(RATE)})
    search(config(tmp_path), [RATE], 2)
    assert len(kept(tmp_path)) == 2


@pytest.mark.parametrize(
    "text", ["log:0.001..0.1", "0..1", "sgd,adamw", "null,0.1", "[0.9, 0.99],[0.8, 0.9]", "true,false"]
)
def test_a_space_is_said_in_the_words_that_make_it(text):
    assert str(parse(f"a.b={text}")) == text


def test_a_folder_that_takes_no_study_is_told(tmp_path, figures):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="^--storage: expected .*file is a file.; name another file"):
        search(config(tmp_path), [RATE], 1, storage=tmp_path / "file/a.journal")
    with pytest.raises(
        ValueError, match="^output.folder: expected .*file is a file.; name another by output"
    ):
        search(config(tmp_path, f"output.folder={tmp_path}/file/run"), [RATE], 1)


def test_what_a_search_cannot_do(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="data.validation: expected more than 0"):
        search(config(tmp_path, "data.validation=0"), [RATE], 1)
    with pytest.raises(ValueError, match="expected one trial or more"):
        search(config(tmp_path), [RATE], 0)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install '\.\[search\]'"):
        search(config(tmp_path), [RATE], 1)
