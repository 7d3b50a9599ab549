"""A run folder is complete: its network is opened, asked and measured where its training images are not."""

import json
import shutil

import pytest
import torch
from PIL import Image

from dlbook.data import photograph
from dlbook.data.image_folder import ImageFolder
from dlbook.data.picture_file import read_picture
from dlbook.recipes.run import network
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig, resolve
from dlbook.recipes.run.evaluate import evaluate_run
from dlbook.recipes.run.network import open_network
from dlbook.recipes.run.predict import from_run
from dlbook.recipes.run.train import train
from dlbook.train.run import RunError
from tests.recipes.run.small_run import config
from tests.seeded import edited


def pictures(folder, count=8):
    """Crops of two photographs of unequal sides: root/{train,test}/{cat,cup}."""
    generator = torch.Generator().manual_seed(0)
    for part in ("train", "test"):
        for name, source in (("cat", "cat"), ("cup", "espresso")):
            (folder / part / name).mkdir(parents=True)
            whole = photograph(source)
            for number in range(count):
                top, left = (
                    int(torch.randint(0, side - 80, (), generator=generator)) for side in whole.shape[1:]
                )
                crop = whole[:, top : top + 60, left : left + 50 + 3 * number]
                Image.fromarray(crop.permute(1, 2, 0).numpy()).save(folder / part / name / f"{number}.png")
    return folder


def picture_run(tmp_path, *overrides):
    content = {
        "model": {"name": "convnet_digits"},
        "data": {
            "name": "image_folder",
            "root": str(tmp_path / "pictures"),
            "batch_size": 4,
            "image_size": 32,
        },
        "trainer": {"epochs": 2},
        "output": {"folder": str(tmp_path / "run"), "tensorboard": False},
    }
    return resolve(RunConfig, content, overrides)


@pytest.fixture
def run(tmp_path):
    pictures(tmp_path / "pictures")
    train(build(picture_run(tmp_path, "method.ema_decay=0.5")))
    return tmp_path / "run"


def test_predict_answers_the_same_without_the_training_images(run, tmp_path):
    asked = tmp_path / "asked.png"
    shutil.copy(tmp_path / "pictures/test/cup/3.png", asked)
    before = from_run(run)(asked, 2)
    shutil.rmtree(tmp_path / "pictures")
    assert from_run(run)(asked, 2) == before and set(before) == {"cat", "cup"}


def test_evaluation_says_what_is_missing_and_takes_the_new_place(run, tmp_path):
    expected = evaluate_run(run)
    (tmp_path / "pictures").rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError, match=r"pictures/train: .* data\.root=FOLDER"):
        evaluate_run(run)
    assert evaluate_run(run, "test", [f"data.root={tmp_path / 'moved'}", "trainer.device=cpu"]) == expected
    with pytest.raises(ValueError, match="expected an override of data.root"):
        evaluate_run(run, "test", ["data.image_size=64"])


def test_prediction_and_evaluation_prepare_a_picture_alike(run, tmp_path):
    network, folder = open_network(run), ImageFolder(tmp_path / "pictures/test", 32)
    for index, file in enumerate(folder.files):
        assert torch.equal(network.preparation(read_picture(file)), folder[index][0])
        with torch.no_grad():
            probs = network.model(folder[index][0][None])[0].softmax(0).tolist()
        assert from_run(run)(file, 2) == dict(sorted(zip(network.classes, probs), key=lambda item: -item[1]))


def test_renamed_classes_are_refused(run, tmp_path):
    for part in ("train", "test"):
        (tmp_path / "pictures" / part / "cat").rename(tmp_path / "pictures" / part / "zebra")
    with pytest.raises(RunError, match="expected images of the classes cat, cup, got cup, zebra"):
        evaluate_run(run)


def test_resuming_after_pictures_were_removed_is_refused_with_both_counts(run, tmp_path):
    begun = json.loads((run / "network.json").read_text())["training_images"]["examples"]
    for file in (tmp_path / "pictures/train/cat").glob("[0-4].png"):
        file.unlink()
    with pytest.raises(
        RunError, match=f"expected the {begun} training images that the run began with, got 9;"
    ):
        train(build(picture_run(tmp_path, "method.ema_decay=0.5", "trainer.epochs=2")), resume=True)


def test_opening_a_checkpoint_in_place_of_its_run_is_told(run):
    with pytest.raises(ValueError, match="expected the folder of a run, got a checkpoint in one; give"):
        open_network(run / "checkpoints/best.ckpt")


def test_nothing_is_built_to_look_at_a_picture(run, tmp_path, monkeypatch):
    def forbidden(*given, **more):
        raise AssertionError("a trainer, an optimizer or the data were asked for")

    shutil.rmtree(tmp_path / "pictures/train")
    for name in ("dlbook.train.trainer.Trainer.__init__", "torch.optim.Optimizer.__init__"):
        monkeypatch.setattr(name, forbidden)
    monkeypatch.setattr("dlbook.recipes.run.data.load", forbidden)
    assert from_run(run)(tmp_path / "pictures/test/cup/3.png", 1)


def test_the_weights_are_those_of_the_best_evaluation(tmp_path):
    for number, override in enumerate(("method.ema_decay=0.5", "method.ema_decay=null")):
        setup = build(config(tmp_path / str(number), override, "trainer.epochs=1"))
        train(setup)
        opened = open_network(tmp_path / str(number) / "run", "cpu").model.state_dict()
        expected = setup.method.evaluated.state_dict()
        assert opened.keys() == expected.keys()
        assert all(torch.equal(value, opened[name]) for name, value in expected.items())


def test_a_folder_without_checkpoint_is_no_run_and_does_not_block(tmp_path):
    with pytest.raises(FloatingPointError):
        train(build(config(tmp_path, "optimizer.lr=1e38", "schedule.name=constant")))
    assert (tmp_path / "run/config.yaml").is_file()
    with pytest.raises(RunError, match="train it first"):
        open_network(tmp_path / "run")
    assert train(build(config(tmp_path)))["step"] > 0


def test_a_damaged_description_is_told(run):
    (run / "network.json").write_text("{")
    with pytest.raises(RunError, match=r"network\.json: expected JSON"):
        open_network(run)
    for text in ("{}", "[]"):
        (run / "network.json").write_text(text)
        with pytest.raises(RunError, match="got one without model, num_classes"):
            open_network(run)
    (run / "network.json").unlink()
    with pytest.raises(RunError, match=r"network\.json: expected the description"):
        open_network(run)


def check_place(module, folder, monkeypatch) -> None:
    """The weights are those below the place of the evaluated network, by their names inside it: a place ends
    at a dot, and is taken off once (a `Normalised` network has a `model` inside `model`).
    """
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints/best.ckpt").touch()
    names = ("model.fc.bias", "model.model.fc.bias", "model_2.fc.bias", "ema.model.fc.bias", "model")
    monkeypatch.setitem(module, "load_weights", lambda file: {name: name for name in names})
    for place in ("model", "ema.model"):
        (folder / "network.json").write_text(json.dumps(dict.fromkeys(network.KEYS) | {"weights": place}))
        found = module["network_weights"](folder)
        if place == "model":
            assert found == {"fc.bias": "model.fc.bias", "model.fc.bias": "model.model.fc.bias"}
        else:
            assert found == {"fc.bias": "ema.model.fc.bias"}


PLACE_FAULTS = {
    "a prefix without its dot": ("""["weights"] + ".\"""", """["weights"]"""),
    "anywhere in the name": ("if key.startswith(prefix)", "if prefix in key"),
    "taken off everywhere": ("key.removeprefix(prefix)", 'key.replace(prefix, "")'),
}


def test_the_weights_below_a_place(tmp_path, monkeypatch):
    check_place(vars(network), tmp_path, monkeypatch)


@pytest.mark.parametrize("fault", PLACE_FAULTS)
def test_the_check_sees_another_place(fault, tmp_path, monkeypatch):
    with pytest.raises(AssertionError):
        check_place(edited(network, *PLACE_FAULTS[fault]), tmp_path, monkeypatch)


def check_evaluation(module, run) -> None:
    """An opened network is in evaluation mode, every part of it."""
    assert not any(part.training for part in module["open_network"](run).model.modules())


def test_an_opened_network_is_in_evaluation_mode(run):
    check_evaluation(vars(network), run)
    with pytest.raises(AssertionError):
        check_evaluation(edited(network, "model.to(device).eval()", "model.to(device)"), run)
