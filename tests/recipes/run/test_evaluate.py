"""A run is evaluated from its folder, wherever its images are now; which network is asked, and on what."""

import pytest

from dlbook.recipes.run import evaluate as module
from dlbook.recipes.run.build import Setup, build
from dlbook.recipes.run.evaluate import evaluate_run
from dlbook.recipes.run.train import train
from dlbook.train.run import RunError
from tests.oracles.seeded import edited
from tests.recipes.run.small_run import config


def test_a_missing_run_and_part(tmp_path):
    with pytest.raises(RunError, match="train it first: dlbook train CONFIG"):
        evaluate_run(tmp_path)
    train(build(config(tmp_path)))
    with pytest.raises(ValueError, match="expected one of test, validation, train, got 'tset'"):
        evaluate_run(tmp_path / "run", "tset")


def check_network(module, tmp_path, monkeypatch) -> None:
    """The network is asked that the method names: here the average of the weights, not the trained ones."""
    setup, asked = build(config(tmp_path, "method.ema_decay=0.9")), set()
    for name, network in (("trained", setup.method.model), ("average", setup.method.ema.module)):
        network.register_forward_pre_hook(lambda *told, name=name: asked.add(name))
    module["evaluate_setup"](setup)
    assert asked == {"average"}


def check_neighbours(module, tmp_path, monkeypatch) -> None:
    """Features are compared with those of training images, of the first 5,000 where there are more; asked
    are images of another part, never the known ones.
    """
    asked = []
    monkeypatch.setattr(Setup, "answers", "features")
    monkeypatch.setitem(module, "evaluation_batches", lambda dataset, **how: dataset)
    monkeypatch.setitem(module, "neighbour_accuracy", lambda *told: asked.append(told) or 0.0)
    assert module["MOST_NEIGHBOURS"] == 5000
    setup = build(config(tmp_path, "method.ema_decay=0.9"))  # of 120 training images
    for part in ("validation", "test"):
        for most in (119, 120, 121):
            monkeypatch.setitem(module, "MOST_NEIGHBOURS", most)
            module["evaluate_setup"](setup, part)
            model, known, questions = asked.pop()
            assert model is setup.method.evaluated and questions is getattr(setup.splits, part)
            assert known.dataset is setup.splits.train
            assert list(known.indices) == list(range(min(most, 120)))
    with pytest.raises(ValueError, match="expected test or validation .*, got train"):
        module["evaluate_setup"](setup, "train")  # each image would be its own nearest
    with pytest.raises(ValueError, match="expected more than 0 for a method without labels, got 0"):
        module["evaluate_setup"](build(config(tmp_path, "data.validation=0")))


FAULTS = {
    "the trained network": (check_network, "        setup.method.evaluated,", "        setup.method.model,"),
    "neighbours of the trained network": (
        check_neighbours,
        "        setup.method.evaluated,",
        "        setup.method.model,",
    ),
    "validation images as neighbours": (
        check_neighbours,
        "Subset(splits.train, range(min(MOST_NEIGHBOURS, len(splits.train))))",
        "Subset(splits.validation, range(min(MOST_NEIGHBOURS, len(splits.train))))",
    ),
    "training images asked of validation images": (
        check_neighbours,
        "model, evaluation_batches(known, **how), evaluation_batches(chosen, **how)",
        "model, evaluation_batches(chosen, **how), evaluation_batches(known, **how)",
    ),
    "one neighbour too few": (
        check_neighbours,
        "range(min(MOST_NEIGHBOURS,",
        "range(min(MOST_NEIGHBOURS - 1,",
    ),
    "training images are their own nearest": (check_neighbours, "if chosen is splits.train:", "if False:"),
}


@pytest.mark.parametrize("check", [check_network, check_neighbours])
def test_the_right_network_and_images(check, tmp_path, monkeypatch):
    check(vars(module), tmp_path, monkeypatch)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault, tmp_path, monkeypatch):
    check, old, new = FAULTS[fault]
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(edited(module, old, new), tmp_path, monkeypatch)
