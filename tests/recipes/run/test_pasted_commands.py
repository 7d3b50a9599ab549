"""Commands that messages print can be pasted into a shell, wherever the run is kept."""

import json
import shutil
from pathlib import Path
from shlex import quote

import pytest

from dlbook.recipes.run.build import build
from dlbook.recipes.run.evaluate import evaluate_run
from dlbook.recipes.run.network import open_network
from dlbook.recipes.run.predict import from_run
from dlbook.recipes.run.train import train
from dlbook.train.interrupt import Interrupted
from dlbook.train.run import Run
from tests.recipes.run.small_run import config

NAME = "my runs/a'b $HOME"  # a shell would make three words of it, or wait for another quote
RUN = quote(NAME)
AGAIN, LONGER = (quote(f"{NAME}-{end}") for end in ("again", "longer"))


def at_home(*overrides):
    return config(Path(), f"output.folder={json.dumps(NAME)}", *overrides)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    train(build(config(folder.parent)))
    return folder


@pytest.fixture
def run(whole, tmp_path, monkeypatch):
    """A run of twelve steps in NAME; its checkpoints are best, step 6 and step 12."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(whole, NAME)
    return Path(NAME)


def edit(file, old, new):
    text = file.read_text()
    assert text.count(old) == 1, (old, text)
    file.write_text(text.replace(old, new))


def said(function, *given):
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        function(*given)
    return str(error.value)


def cut(*paths):
    for path in paths:
        path.write_bytes(path.read_bytes()[:5000])


def test_of_a_run_that_is_not_there():
    for function in (evaluate_run, open_network, from_run):
        assert said(function, NAME).endswith(f"dlbook train CONFIG output.folder={RUN}")


def test_of_damaged_checkpoints(run):
    best, before, last = sorted(run.glob("checkpoints/*.ckpt"))
    shutil.copytree(run, "kept")
    cut(best)
    told = f"--checkpoint last, or in a new run by model.weights={quote(str(last))}"
    assert said(open_network, NAME).endswith(told)
    cut(last)
    assert said(open_network, NAME).endswith(f"dlbook train {RUN} --resume")
    cut(before)
    assert said(open_network, NAME).endswith(f"dlbook train {RUN} output.folder={AGAIN}")
    for path in (best, before, last):
        path.rename(path.with_suffix(".broken"))
    anew = f"another folder: dlbook train {RUN} output.folder={AGAIN}"
    assert said(Run(NAME, resume=True).resume, None).endswith(anew)
    shutil.rmtree(run)
    shutil.move("kept", run)
    cut(last)
    assert said(open_network, NAME, "cpu", "last").endswith(f"in a new run by model.weights={RUN}")


def test_of_what_a_run_lacks(run):
    edit(run / "network.json", '"answers": "classes"', '"answers": "features"')
    assert said(from_run, NAME).endswith(f"dlbook train CONFIG model.weights={RUN}")
    (run / "network.json").rename(run / "network.txt")
    assert said(open_network, NAME).endswith(f"dlbook train {RUN} --resume writes it")
    (run / "network.txt").rename(run / "network.json")
    edit(run / "config.yaml", "name: mnist5k", "name: cifar10")
    edit(run / "config.yaml", "root: null", "root: nowhere")
    assert said(evaluate_run, NAME).endswith(f"dlbook evaluate {RUN} data.root=FOLDER")


def test_of_a_run_that_goes_on(run, monkeypatch):
    told = said(lambda: train(build(at_home("trainer.epochs=3")), resume=True))
    words = f"{RUN} model.weights={RUN} trainer.epochs=3 output.folder={LONGER}"
    assert told.endswith(f"dlbook train {words}")
    shutil.rmtree(run)
    setup = build(at_home())

    def stop(signals, step):
        if step == 6:
            raise Interrupted(15)

    monkeypatch.setattr("dlbook.recipes.run.train.Signals.asked", stop)
    with pytest.raises(Interrupted) as ended:
        train(setup)
    assert str(ended.value).endswith(f"dlbook train {RUN} --resume")
