"""The bundled configurations are valid, and found by name."""

import pytest

from dlbook.recipes.bundled_configs import about, find, locate, names
from dlbook.recipes.run.config import RunConfig
from dlbook.train.configuration import load as load_file


def test_bundled_configurations_are_valid():
    assert set(names()) >= {"cifar10", "digits", "image_folder", "imagenet", "shapes"}
    for name in names():
        assert isinstance(load_file(RunConfig, find(name)), RunConfig)
    with pytest.raises(ValueError, match="did you mean 'digits'"):
        find("digit")


def test_a_folder_of_pictures_is_told_how_to_train_on_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my pets" / "train").mkdir(parents=True)
    told = "got a folder of pictures, with train; for these: dlbook train image_folder data.root='my pets'$"
    with pytest.raises(ValueError, match=told):
        locate("my pets")
    (tmp_path / "my pets" / "config.yaml").touch()
    assert locate("my pets")[1] == []


def test_each_says_what_it_is_for():
    assert about("shapes").startswith("Drawn shapes in colour, 32 x 32: ")
    assert all(len(about(name)) > 30 for name in names())


def test_a_run_names_its_configuration_and_its_folder_is_where_it_lies(tmp_path, monkeypatch):
    run = tmp_path / "my: run"
    (run / "checkpoints").mkdir(parents=True)
    file = run / "config.yaml"
    file.write_text(find("digits").read_text("utf8"))
    for name in (run, str(run), file):
        found, own = locate(name)
        assert found == file and load_file(RunConfig, found, own).output.folder == str(run)
    copy = tmp_path / "config.yaml"  # is no run's own
    copy.write_text(file.read_text())
    assert locate(copy) == (copy, []) and locate("digits") == (find("digits"), [])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()  # images, or a run in a folder of runs: the bundled one is meant
    assert find("digits").suffix == ".yaml" and find("./digits").is_file() is False
