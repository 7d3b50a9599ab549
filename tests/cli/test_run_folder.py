"""Where a path inside a run is given to a command, the command that it prints is the one that works."""

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from dlbook.cli.run_folder import require_folder

ASKED = {  # what is typed, and what is printed
    (
        "evaluate",
        "my run/checkpoints/best.ckpt",
        "data.workers=0",
        "--json",
    ): "evaluate 'my run' data.workers=0 --json --checkpoint best",
    ("evaluate", "./my run//checkpoints/step-00000024.ckpt"): "evaluate 'my run' --checkpoint last",
    ("evaluate", "my run/config.yaml", "--part", "train"): "evaluate 'my run' --part train",
    ("predict", "x.png", "--run", "my run/checkpoints/best.ckpt"): "predict x.png --run 'my run' "
    "--checkpoint best",
    ("predict", "x.png", "--run=my run/checkpoints"): "predict x.png '--run=my run'",
    ("export", "my run/checkpoints/best.ckpt", "a.pt2", "--checkpoint", "last"): "export 'my run' a.pt2 "
    "--checkpoint last",
}


@pytest.mark.parametrize("words", ASKED, ids=" ".join)
def test_the_command_that_is_printed_is_the_same_one_with_the_folder(run, trained, words):
    shutil.copytree(trained[0], "my run")
    shutil.copy(Path(__file__).resolve().parents[2] / "data/photographs/cat.jpg", "x.png")
    code, out, err = run(*words)
    assert (code, out) == (2, "") and err.startswith("dlbook: ") and len(err.splitlines()) == 1
    command = err[err.index("give the folder: ") + len("give the folder: ") :].strip()
    assert command == f"dlbook {ASKED[words]}"
    assert run(*shlex.split(command)[1:])[0] == 0


def test_train_says_how_to_go_on(run, trained):
    shutil.copytree(trained[0], "my run")
    told = "expected the folder of a run, got a checkpoint in one; give the folder; dlbook train 'my run' "
    expected = f"dlbook: my run/checkpoints/best.ckpt: {told}--resume goes on with that run\n"
    assert run("train", "my run/checkpoints/best.ckpt") == (2, "", expected)
    code, _, err = run("train", "my run/config.yaml")
    assert code == 2 and "holds a run already" in err


def test_home_is_found_in_the_words(monkeypatch, tmp_path):
    """A quoted ~ reaches the command as it is."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    (tmp_path / "run/config.yaml").touch()
    for word in ("~/run/config.yaml", "--run=~/run/config.yaml"):
        monkeypatch.setattr(sys, "argv", ["dlbook", "predict", word, "x=~/run/config.yaml"])
        with pytest.raises(ValueError, match="give the folder: dlbook predict .*run 'x=~/run/config.yaml'$"):
            require_folder(tmp_path / "run/config.yaml")
    require_folder(tmp_path / "run")
