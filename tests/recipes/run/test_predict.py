"""Prediction names the largest probabilities first; the pictures' preparation is tested in test_network."""

import pytest
import torch
from PIL import Image

from dlbook.data import mnist5k
from dlbook.recipes.run.build import build
from dlbook.recipes.run.evaluate import evaluate_run
from dlbook.recipes.run.predict import from_run
from dlbook.recipes.run.train import train
from dlbook.train.run import RunError
from tests.recipes.run.small_run import config

SEMI = ("method.name=fixmatch", "data.labels_per_class=2", "data.unlabelled_batch_size=30")


@pytest.mark.parametrize("method", [(), (*SEMI, "augment.policy=shift")], ids=["digits", "fixmatch"])
def test_a_digit_from_a_file_is_the_digit_of_the_set(tmp_path, method):
    setup = build(config(tmp_path, "trainer.epochs=1", *method))
    train(setup)
    test, model = mnist5k("test"), setup.method.evaluated.eval()
    Image.fromarray((255 * test.images[5, 0]).round().byte().numpy()).save(tmp_path / "5.png")
    with torch.no_grad():
        probs = model(test.images[5:6]).softmax(1)[0]
    found = from_run(tmp_path / "run")(tmp_path / "5.png", 3)
    values, places = probs.topk(3)
    assert list(found) == [test.classes[place] for place in places]
    assert list(found.values()) == pytest.approx(values.tolist(), abs=1e-6)
    with torch.no_grad():
        right = (model(test.images).argmax(1) == test.labels).double().mean().item()
    assert evaluate_run(tmp_path / "run", "test")["accuracy"] == pytest.approx(100 * right)


def test_no_run(tmp_path):
    with pytest.raises(RunError, match="train it first"):
        from_run(tmp_path)
