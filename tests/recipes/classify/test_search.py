"""The search: spaces that say what is wrong, one study for many processes, resuming, pruning, and no look at
the test images.
"""

import inspect
import multiprocessing
import sys
import textwrap

import optuna
import pytest
import torch

from dlbook.recipes.classify import run as classify_run
from dlbook.recipes.classify import search as classify_search
from dlbook.recipes.classify.build import build
from dlbook.recipes.classify.config import ClassifyConfig, resolve
from dlbook.recipes.classify.search import default_storage, search
from dlbook.recipes.classify.space import Choice, Range, parse, require_valid, with_values
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
    return resolve(ClassifyConfig, content, overrides)


def kept(folder, name="search"):
    return optuna.load_study(study_name=name, storage=default_storage(folder / "run")).trials


@pytest.fixture
def figures(monkeypatch):
    """Instead of training: the accuracies that a function of the rate gives, one an evaluation."""

    def put(function):
        monkeypatch.setattr(
            classify_search, "_evaluations", lambda setup: enumerate(function(setup.config.optimizer.lr), 1)
        )

    return put


@pytest.mark.parametrize(
    ("text", "space"),
    [
        ("optimizer.lr=log:1e-4..1e-1", Range("optimizer.lr", 1e-4, 0.1, True, False)),
        ("optimizer.lr=0..1", Range("optimizer.lr", 0.0, 1.0, False, False)),
        ("data.batch_size=log:8..64", Range("data.batch_size", 8, 64, True, True)),
        ("trainer.clip_norm=1..5", Range("trainer.clip_norm", 1.0, 5.0, False, False)),
        ("trainer.patience=1..5", Range("trainer.patience", 1, 5, False, True)),
        ("optimizer.name=sgd, adamw", Choice("optimizer.name", ("sgd", "adamw"))),
        ("trainer.ema_decay=null,1e-1", Choice("trainer.ema_decay", (None, 0.1))),
        ("optimizer.betas=[0.9,0.99],[0.8,0.9]", Choice("optimizer.betas", ([0.9, 0.99], [0.8, 0.9]))),
    ],
)
def test_spaces(tmp_path, text, space):
    assert parse(text) == space
    values = {
        space.suggest(
            optuna.trial.FixedTrial({space.key: end if not isinstance(end, list) else str(end)})
        ).__repr__()
        for end in space.ends()
    }
    assert values == {repr(end) for end in space.ends()}


@pytest.mark.parametrize(
    ("spaces", "told"),
    [
        (["optimizer.lr"], "expected KEY=low..high, KEY=log:low..high or KEY=a,b,c"),
        (["optimizer.lr=1e-3..x"], "expected KEY=low..high"),
        (["optimizer.lr=log:0..1"], "low below high and above 0 for log:"),
        (["optimizer.lr=2..1"], "low below high, got 2.0 and 1.0"),
        (["optimizer.lr=0.1"], "two or more different values"),
        (["optimizer.Lr=1..2"], "did you mean 'lr'"),
        (["optimiser.lr=1..2"], "did you mean 'optimizer'"),
        (["optimizer.lr=-1..2"], "optimizer.lr: expected more than 0, got -1.0"),
        (["optimizer.name=sgd,adm"], "did you mean 'adam'"),
        (["trainer.epochs=1.5..3"], "whole numbers for trainer.epochs"),
        (["seed=1,2"], "leaves the images"),
        (["data.name=mnist5k,color_shapes"], "leaves the images"),
        (["output.folder=a,b"], "leaves the images"),
        (["optimizer.lr.x=1,2"], "lr is a value"),
        (["optimizer=1,2"], "a section with keys of its own"),
        ([], "one --space or more"),
        (["optimizer.lr=1..2", "optimizer.lr=1..2"], "each key once"),
        (["model.name=convnet_digits,convnet_digit"], "did you mean convnet_digits"),
        (
            ["schedule.warmup_epochs=1..4", "trainer.epochs=3..20"],
            "warmup_epochs below trainer.epochs=3, got 4",
        ),
    ],
)
def test_bad_spaces_are_told_before_anything_is_trained_or_written(tmp_path, spaces, told):
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        search(config(tmp_path), [parse(text) for text in spaces], trials=1)
    assert list(tmp_path.iterdir()) == []


def test_rules_between_two_keys_may_be_kept_by_both(tmp_path):
    require_valid(config(tmp_path), [parse("trainer.epochs=5..9"), parse("schedule.warmup_epochs=1..4")])
    assert with_values(config(tmp_path), {"trainer.epochs": 7, "optimizer.lr": 0.3}).trainer.epochs == 7


def test_the_winner_trains_and_reaches_what_the_search_saw(tmp_path):
    lines = []
    found = search(
        config(tmp_path, "trainer.epochs=2"), [RATE, parse("optimizer.name=sgd,adamw")], 3, say=lines.append
    )
    assert (found.complete, found.pruned, found.failed, len(lines)) == (3, 0, 0, 3)
    winner = configuration.load(ClassifyConfig, found.file)
    assert (
        winner.optimizer.lr == found.parameters["optimizer.lr"]
        and winner.optimizer.name == found.parameters["optimizer.name"]
    )
    assert (
        classify_run.train(build(winner))["accuracy"]
        == found.value
        == max(trial.value for trial in kept(tmp_path))
    )


def test_the_test_images_are_never_looked_at(tmp_path, monkeypatch):
    load = classify_search.load

    class Forbidden(torch.utils.data.Dataset):
        def __getattr__(self, name):
            raise AssertionError(f"the test images were asked for {name}")

    def without_test(*args):
        splits = load(*args)
        return type(splits)(splits.train, splits.validation, Forbidden(), splits.classes, splits.in_channels)

    monkeypatch.setattr(classify_search, "load", without_test)
    assert search(config(tmp_path), [RATE], 2).complete == 2


def suggested(trials):
    return [trial.params["optimizer.lr"] for trial in trials]


def check_seeded(folder, run=search):
    """Equal seeds: equal suggestions, in one go or in two; another seed: others; no value twice. Past the ten
    random ones of TPE.
    """
    for name, parts in (("whole", (13,)), ("parts", (4, 12, 13))):
        for until in parts:
            run(config(folder), [RATE], until, study=name)
    run(config(folder, "seed=1"), [RATE], 13, study="other")
    whole, parts, other = (suggested(kept(folder, name)) for name in ("whole", "parts", "other"))
    assert whole == parts and not set(whole) & set(other) and len(set(whole)) == 13


def test_equal_seeds_give_equal_suggestions_and_a_resumed_study_goes_on(tmp_path, figures):
    figures(lambda rate: [50 - abs(rate - 0.02)])
    check_seeded(tmp_path)


def test_a_sampler_seeded_once_a_process_is_caught(tmp_path, figures, monkeypatch):
    figures(lambda rate: [50 - abs(rate - 0.02)])
    monkeypatch.setattr(
        classify_search, "_seeded_sampler", lambda optuna, seed: optuna.samplers.TPESampler(seed=seed)
    )
    with pytest.raises(AssertionError):
        check_seeded(tmp_path)


def test_pruned_by_the_median_of_the_others(tmp_path, figures, monkeypatch):
    asked = []

    def curve(rate):
        good = len(asked) < 5
        asked.append(rate)
        return iter([60, 70, 80] if good else [50, 40, 90])

    figures(curve)
    found = search(config(tmp_path), [RATE], 7)
    assert (found.complete, found.pruned) == (
        5,
        2,
    ) and found.value == 80  # what pruned trials would have reached is not known
    assert [len(trial.intermediate_values) for trial in kept(tmp_path)] == [3, 3, 3, 3, 3, 1, 1]


def test_the_best_evaluation_counts(tmp_path, figures):
    figures(lambda rate: [30, 90, 60])
    assert search(config(tmp_path), [RATE], 1).value == 90


def seeded(old, new):
    """The search with one line of its objective changed."""
    source = textwrap.dedent(inspect.getsource(classify_search._objective))
    assert source.count(old) == 1
    scope = dict(vars(classify_search))
    exec(compile(source.replace(old, new), "<seeded fault>", "exec"), scope)
    return scope["_objective"]


@pytest.mark.parametrize(
    ("old", "new", "test"),
    [
        ("best = max(best, value)", "best = value", test_the_best_evaluation_counts),
        ("trial.report(value, number)", "trial.report(value, 1)", test_pruned_by_the_median_of_the_others),
        ("if trial.should_prune():", "if False:", test_pruned_by_the_median_of_the_others),
    ],
)
def test_seeded_faults_are_caught(tmp_path, figures, monkeypatch, old, new, test):
    monkeypatch.setattr(classify_search, "_objective", seeded(old, new))
    with pytest.raises((AssertionError, KeyError)):
        test(tmp_path, figures, *([monkeypatch] if "median" in test.__name__ else []))


def test_trials_that_cannot_be_trained_are_recorded_and_the_search_goes_on(tmp_path, figures):
    def curve(rate):
        if rate > 0.03:
            raise NonFiniteLoss(3, 3, float("nan"))
        if rate < 0.003:
            raise ValueError("too small for this test")
        return iter([50 + rate])

    figures(curve)
    lines = []
    found = search(config(tmp_path), [RATE], 12, say=lines.append)
    assert (
        found.complete
        and found.pruned
        and found.failed
        and found.complete + found.pruned + found.failed == 12
    )
    whys = {trial.state.name: trial.user_attrs.get("why") for trial in kept(tmp_path)}
    assert (
        "finite loss" in whys["PRUNED"]
        and whys["FAIL"] == "too small for this test"
        and whys["COMPLETE"] is None
    )
    assert any("too small" in line for line in lines)


def test_a_rate_that_explodes_is_no_crash(tmp_path):
    with pytest.raises(
        ValueError, match="none of 2 trials came to an end; the last: step .* expected a finite loss"
    ):
        search(config(tmp_path), [parse("optimizer.lr=1e38,1e37")], 2)


def test_our_own_errors_are_not_swallowed_and_do_not_count(tmp_path, figures):
    figures(lambda rate: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        search(config(tmp_path), [RATE], 2)
    figures(lambda rate: [50])
    assert search(config(tmp_path), [RATE], 2).complete == 2


def work(folder, barrier, trials):
    torch.set_num_threads(1)
    barrier.wait()  # all make the database at once
    search(config(folder), [RATE], trials)


def test_processes_share_one_study(tmp_path):
    barrier = FORK.Barrier(2)
    workers = [FORK.Process(target=work, args=(tmp_path, barrier, 8)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    trials = kept(tmp_path)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert 8 <= len(trials) <= 9 and all(
        trial.state.name in ("COMPLETE", "PRUNED") for trial in trials
    )  # at most one more, begun at once
    assert len(set(suggested(trials))) == len(trials)
    assert (tmp_path / "search/search/best.yaml").is_file() and not list(tmp_path.glob("*.lock"))


def test_a_study_is_gone_on_with_as_it_was_begun(tmp_path, figures):
    figures(lambda rate: [50])
    search(config(tmp_path), [RATE], 1)
    assert search(config(tmp_path, "output.wandb=false"), [RATE], 1).complete == 1  # nothing left to do
    with pytest.raises(
        ValueError,
        match=r"begun otherwise: trainer.epochs was 1, now 2; go on with that, or choose another --study",
    ):
        search(config(tmp_path, "trainer.epochs=2"), [RATE], 2)
    with pytest.raises(ValueError, match=r"optimizer.lr was Range"):
        search(config(tmp_path), [parse("optimizer.lr=1e-3..1")], 2)
    assert search(config(tmp_path, "trainer.epochs=2"), [RATE], 1, study="another").complete == 1


def test_what_a_search_cannot_do(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="data.validation: expected more than 0"):
        search(config(tmp_path, "data.validation=0"), [RATE], 1)
    with pytest.raises(ValueError, match="expected one trial or more, got 0"):
        search(config(tmp_path), [RATE], 0)
    with pytest.raises(ValueError, match="expected a storage such as sqlite:///"):
        search(config(tmp_path), [RATE], 1, storage="runs/search.db")
    (tmp_path / "text.db").write_text("no database at all, but some text " * 40)
    with pytest.raises(ValueError, match="expected a database that Optuna can open"):
        search(config(tmp_path), [RATE], 1, storage=f"sqlite:///{tmp_path / 'text.db'}")
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'dlbook\[search\]'"):
        search(config(tmp_path), [RATE], 1)
