"""What a run says: before its first step, after each evaluation, and why it stopped."""

import re

import pytest
import torch

from dlbook.recipes.run import progress as module
from dlbook.recipes.run.build import build
from dlbook.recipes.run.evaluate import evaluate_run
from dlbook.recipes.run.train import train
from tests.recipes.run.small_run import config


def told(folder, *overrides):
    lines = []
    setup = build(config(folder, "trainer.device=cpu", *overrides))
    train(setup, say=lines.append)
    return setup, lines


def test_the_beginning_names_images_network_device_length_and_folder(tmp_path):
    folder = tmp_path / "run"
    setup, lines = told(tmp_path, "trainer.epochs=1", "data.limit=40")
    assert lines[:3] == [
        "mnist5k: 40 training images, 400 for validation, 1,000 for testing; 10 classes",
        "convnet_digits: 29,434 parameters; on cpu",
        f"1 epoch of 2 steps; kept in {folder}",
    ]
    mean = setup.trainer.log["loss"].mean().item()
    assert lines[3].startswith(f"epoch 1 of 1  step 2 of 2  training loss {mean:.4g}  validation loss ")
    assert "left" not in lines[3] and len(lines) == 4


def test_a_training_loss_is_the_mean_since_the_last_evaluation_and_the_time_is_what_is_left(
    tmp_path, monkeypatch
):
    setup = build(config(tmp_path))
    monkeypatch.setattr(module.time, "monotonic", iter([0.0, 30.0, 60.0]).__next__)
    course = module.ProgressLines(setup)
    for loss in [1.0] * 6 + [3.0] * 6:
        setup.trainer.log.append("loss", torch.tensor(loss))
    setup.trainer.step = 6
    assert course.evaluated({"accuracy": 50.0}, 0).endswith("validation accuracy 50  30 s left")
    setup.trainer.step = 12
    assert "epoch 2 of 2  step 12 of 12  training loss 3  " in course.evaluated({"accuracy": 50.0}, 6)


def test_figures_of_the_training_images_are_said_to_be_such(tmp_path):
    _, lines = told(tmp_path, "trainer.epochs=1", "data.limit=40", "data.validation=0")
    assert lines[3].startswith("data.validation=0 holds nothing out: all figures")
    assert (
        re.search(r"  training loss \S+  training images loss", lines[4])
        and "validation loss" not in lines[4]
    )
    with pytest.raises(
        ValueError, match="expected one of test, train, got 'validation'; the run has no other"
    ):
        evaluate_run(tmp_path / "run", "validation")


def test_patience_says_why_it_stopped(tmp_path):
    _, lines = told(tmp_path, "trainer.epochs=30", "trainer.patience=2", "optimizer.lr=1e-12")
    assert lines[-1] == "stopped at step 18 of 180: trainer.patience=2, no evaluation since step 6 was better"


def test_frozen_parameters_are_not_counted_as_trained(tmp_path):
    setup = build(config(tmp_path))
    for weight in setup.method.model.features.parameters():
        weight.requires_grad_(False)
    assert "29,434 parameters, 5,770 of them trained; on " in module.ProgressLines(setup).begin(tmp_path)[1]


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (6000, "1.7 h")])
def test_times_as_people_say_them(seconds, words):
    assert module.lasting(seconds) == words
