"""A run is evaluated from its folder, wherever its images are now; which network is asked, and on what."""

import shutil

import pytest
import torch

from dlbook.recipes.run import evaluate as module
from dlbook.recipes.run.build import Setup, build
from dlbook.recipes.run.evaluate import evaluate_run
from dlbook.recipes.run.train import train
from dlbook.train.checkpoint import CheckpointError
from dlbook.train.run import Notice, RunError
from tests.recipes.run.small_run import config
from tests.recipes.run.test_network import picture_run, pictures
from tests.seeded import edited


def test_a_missing_run_and_part(tmp_path):
    with pytest.raises(RunError, match="train it first: dlbook train CONFIG"):
        evaluate_run(tmp_path)
    train(build(config(tmp_path)))
    with pytest.raises(ValueError, match="expected one of test, validation, train, got 'tset'"):
        evaluate_run(tmp_path / "run", "tset")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small run on a folder of pictures with train and test, in pictures and run."""
    folder = tmp_path_factory.mktemp("trained")
    pictures(folder / "pictures")
    train(build(picture_run(folder, "data.validation=0.25", "trainer.epochs=3")))
    return folder


@pytest.fixture
def copied(trained, tmp_path):
    """A copy of it, of which only the copied pictures are there."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path / "run", [f"data.root={tmp_path / 'pictures'}"]


def test_a_run_of_another_machine_is_evaluated_on_what_this_one_has(copied):
    run, moved = copied
    expected = evaluate_run(run, "test", moved)
    there = [not torch.cuda.is_available() and "cuda", not torch.backends.mps.is_available() and "mps"]
    for device in filter(None, there):
        file = run / "config.yaml"
        file.write_text(file.read_text().replace("device: auto", f"device: {device}"))
        assert f"device: {device}" in file.read_text()
        assert evaluate_run(run, "test", moved) == expected
        with pytest.raises(
            ValueError, match="set trainer.device=cpu or auto"
        ):  # what is asked for, is refused
            evaluate_run(run, "test", [*moved, f"trainer.device={device}"])
        file.write_text(file.read_text().replace(f"device: {device}", "device: auto"))


@pytest.mark.parametrize("becomes", [None, "val"])
def test_without_test_images_it_is_said_whose_figures_these_are(copied, becomes):
    run, moved = copied
    folder = run.parent / "pictures"
    if becomes:
        (folder / "test").rename(folder / becomes)
    else:
        shutil.rmtree(folder / "test")
    expected = evaluate_run(run, "validation", moved)
    with pytest.warns(Notice, match="no test images: these are the figures of the validation images"):
        assert module.answer_run(run, "test", moved)[::4] == (expected, "validation")


def test_images_that_were_trained_on_are_no_validation_images(copied):
    """One more picture, and another share would be held out; own folders are what they are."""
    run, moved = copied
    folder = run.parent / "pictures"
    expected = evaluate_run(run, "test", moved)
    shutil.copy(folder / "train/cat/3.png", folder / "train/cat/0extra.png")
    for part in ("validation", "train"):
        with pytest.raises(RunError, match="expected the 12 training images that the run began with, got 13"):
            evaluate_run(run, part, moved)
    assert evaluate_run(run, "test", moved) == expected
    shutil.copytree(folder / "test", folder / "val")
    assert evaluate_run(run, "validation", moved) == expected


def test_the_newest_weights_where_the_best_are_damaged_or_not_there_yet(copied):
    run, moved = copied
    best, last = run / "checkpoints/best.ckpt", run / "checkpoints/step-00000009.ckpt"
    kept = best.read_bytes()
    shutil.copy(last, best)
    expected = evaluate_run(run, "test", moved)
    best.write_bytes(kept[:5000])
    with pytest.raises(
        CheckpointError, match="best.ckpt: .*: cut short.; take the last .* --checkpoint last"
    ):
        evaluate_run(run, "test", moved)
    assert evaluate_run(run, "test", moved, "last") == expected
    best.unlink()
    with pytest.raises(
        RunError, match="dlbook train .*run --resume, or take the last weights by --checkpoint last"
    ):
        evaluate_run(run, "test", moved)
    assert evaluate_run(run, "test", moved, "last") == expected
    best.write_bytes(kept)
    last.write_bytes(kept[:5000])
    with pytest.raises(
        CheckpointError, match="step-00000009.ckpt: .* take the best weights by --checkpoint best"
    ):
        evaluate_run(run, "test", moved, "last")
    with pytest.raises(ValueError, match="expected the checkpoint best or last, got 'newest'"):
        evaluate_run(run, "test", moved, "newest")


@pytest.mark.parametrize("lost", ["damaged", "missing", "set aside"])
def test_where_no_checkpoint_is_whole_nobody_is_sent_to_the_other(copied, lost):
    """Neither message names a checkpoint that does not help; the command that they name does."""
    run, moved = copied
    before, last = sorted(run.glob("checkpoints/step-*.ckpt"))
    for path in (run / "checkpoints/best.ckpt", last):
        path.write_bytes(path.read_bytes()[:5000])
    resume = f"; go on from one before it by dlbook train {run} --resume"
    anew = f"; no other one is whole, so train it anew by dlbook train {run} output.folder={run}-again"
    for told in (resume, anew):
        for which in ("best", "last"):
            with pytest.raises((CheckpointError, RunError)) as error:
                evaluate_run(run, "test", moved, which)
            assert str(error.value).endswith(told)
        before.write_bytes(b"x")
        for path in run.glob("checkpoints/*.ckpt"):
            if lost == "missing" and path == run / "checkpoints/best.ckpt":
                path.unlink()
            elif lost == "set aside":  # by --resume
                path.rename(path.with_suffix(".broken"))


def test_an_override_that_nothing_reads_is_refused(tmp_path):
    train(build(config(tmp_path, "trainer.epochs=1")))
    for part in ("test", "validation"):
        with pytest.raises(ValueError, match="data.root: expected to be left out, got elsewhere; this set"):
            evaluate_run(tmp_path / "run", part, ["data.root=elsewhere"])
    file = tmp_path / "run/config.yaml"  # set by nobody now: it was so when the run began
    file.write_text(file.read_text().replace("root: null", "root: elsewhere"))
    assert evaluate_run(tmp_path / "run", "test", ["data.workers=0"])["loss"] > 0


def test_a_path_inside_a_run_is_told(copied):
    run, moved = copied
    for path in ("checkpoints/best.ckpt", "checkpoints", "config.yaml"):
        with pytest.raises(
            ValueError, match=f"{path}: expected the folder of a run, got .*; give {run}, and"
        ):
            evaluate_run(run / path, "test", moved)


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
