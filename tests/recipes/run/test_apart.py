"""A run among pictures is refused before anything is written; beside them, or in its own folder, not."""

import os
from pathlib import Path

import pytest
from PIL import Image

from dlbook.recipes.run import apart as module
from dlbook.recipes.run.apart import first_picture, require_apart
from dlbook.recipes.run.build import build
from dlbook.recipes.run.sections import Data
from dlbook.recipes.run.train import train
from dlbook.recipes.search import parse, search
from tests.recipes.run.small_run import config
from tests.seeded import edited

DIGITS = Data(name="mnist5k")


@pytest.fixture
def pets(tmp_path, monkeypatch):
    """pets/{train,test}/cat/1.jpg in the working directory, and its section of a configuration."""
    monkeypatch.chdir(tmp_path)
    for part in ("train", "test"):
        Path("pets", part, "cat").mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(f"pets/{part}/cat/1.jpg")
    return Data(name="image_folder", root="pets")


def check_apart(require, pets) -> None:
    images = "got {0}, one within the images in pets/{1}; name another by output.folder=FOLDER"
    holds = "got {0}, a folder of pictures, such as {1}; name"
    for folder, data, told in (
        ("pets/train/run", pets, images.format("pets/train/run", "train")),
        ("pets/train", pets, images.format("pets/train", "train")),
        ("pets/test/cat/a/b", pets, images.format("pets/test/cat/a/b", "test")),
        (Path("pets/val").absolute(), pets, "one within the images in pets/val"),
        ("pets", pets, holds.format("pets", "pets/test/cat/1.jpg")),
        ("pets", DIGITS, holds.format("pets", "pets/test/cat/1.jpg")),
        ("pets/train/cat", DIGITS, holds.format("pets/train/cat", "pets/train/cat/1.jpg")),
    ):
        with pytest.raises(ValueError, match=f"^output.folder: expected a folder without .*{told}"):
            require(folder, data)
    for free in ("run", "pets/run", "pets/training", "pets/train/../run"):
        require(free, pets)
    require("pets/train/run", DIGITS)


def test_a_run_among_pictures_is_refused(pets):
    check_apart(require_apart, pets)


FAULTS = {
    "as text": ("own.is_relative_to(root / part)", "str(own).startswith(str(root / part))"),
    "not resolved": ("folder.resolve()", "folder.absolute()"),
    "the parts alone": ("if (picture := first_picture(folder)) is not None", "if picture := None"),
    "one level too few": ("DEEPEST = 3", "DEEPEST = 1"),
    "its own images alone": ('if data.name == "image_folder"', "if False"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault, pets):
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        check_apart(edited(module, *FAULTS[fault])["require_apart"], pets)


def test_the_pictures_of_runs_do_not_count(pets):
    for name in ("runs/a/evaluation/test", "runs/b/sheets", "runs/b/checkpoints", ".cache"):
        Path(name).mkdir(parents=True)
        Path(name, "1.PNG").touch()
    Path("runs/b/config.yaml").touch()
    assert first_picture(Path("runs")) is None and first_picture(Path(".cache")) == Path(".cache/1.PNG")
    require_apart("runs/b", DIGITS)  # goes on where it began, whatever lies there
    Path("runs/z.txt").touch()
    assert first_picture(Path("runs")) is None
    Path("runs/z.tiff").touch()
    assert first_picture(Path("runs")) == Path("runs/z.tiff")


@pytest.mark.parametrize(
    "begin", [train, lambda setup: search(setup.config, [parse("optimizer.lr=0..1")], 1)]
)
def test_nothing_is_written_among_pictures(pets, tmp_path, begin):
    setup = build(config(Path("pets"), "output.folder=pets"))
    before = sorted(Path(home, name) for home, _, names in os.walk(".") for name in names)
    with pytest.raises(ValueError, match="nothing was changed"):
        begin(setup)
    assert sorted(Path(home, name) for home, _, names in os.walk(".") for name in names) == before
