"""The commands that the command itself prints can be pasted into a shell."""

import shlex
from pathlib import Path
from types import SimpleNamespace

NAME = "my runs/a'b $HOME"


def test_train_names_its_folder(run, monkeypatch):
    monkeypatch.setattr("dlbook.cli.train._trained", lambda config, resume: "best at step 1")
    code, out, _ = run("train", "digits", f'output.folder="{NAME}"')
    assert code == 0
    assert shlex.split(out.rpartition("curves: ")[2]) == ["tensorboard", "--logdir", NAME]
    assert shlex.split(out.splitlines()[1].partition(";")[0])[2:] == [NAME]


def test_search_names_its_winner(run, monkeypatch):
    kept = SimpleNamespace(trials=[], best_trial=SimpleNamespace(number=0), best_value=50.0)
    monkeypatch.setattr(
        "dlbook.recipes.search.search", lambda *given, **more: (kept, Path(NAME, "best.yaml"))
    )
    code, out, _ = run("search", "digits", "--space", "optimizer.lr=0..1")
    assert code == 0
    assert shlex.split(out.rpartition("train it: ")[2]) == ["dlbook", "train", f"{NAME}/best.yaml"]
