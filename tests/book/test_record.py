"""One command runs an experiment and keeps its result with its provenance."""

import subprocess

import pytest

from dlbook import book
from dlbook.book import record, recorded_runs


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder of recorded runs."""
    folder = tmp_path / "recorded"
    monkeypatch.setattr(recorded_runs, "folder", lambda: folder)
    return folder


def test_the_command_runs_an_experiment(place, tmp_path, monkeypatch, capsys):
    (tmp_path / "big.py").write_text("SEED = [0, 1]\ndef run():\n    return {'sum': 1 + 1}\n")
    monkeypatch.setattr(record, "commit", lambda: "0123456789")
    monkeypatch.setattr(
        record, "perform", lambda name, words, perform=record.perform: perform(name, [tmp_path], words)
    )
    assert record.main(["big"]) == 0
    run = book.recorded("big")
    assert (
        run["results"] == {"sum": 2}
        and run["seed"] == [0, 1]
        and run["device"].startswith("CPU")
        and run["versions"]["torch"]
    )
    assert record.main(["small"]) == 1 and "there is big" in capsys.readouterr().err
    (tmp_path / "small.py").write_text("def run():\n    return {'sum': 2}\n")
    assert record.main(["small"]) == 1 and "SEED, got" in capsys.readouterr().err
    assert record.main([]) == 2
    assert (
        record.main(["big", "--rows", "a"]) == 1
        and "expected no options, got --rows a" in capsys.readouterr().err
    )
    (tmp_path / "asked.py").write_text(
        "SEED = 0\narguments = tuple\ndef run(options):\n    return {'options': list(options)}\n"
    )
    assert record.main(["asked", "--rows", "a"]) == 0 and book.recorded("asked")["results"] == {
        "options": ["--rows", "a"]
    }


def test_experiments_come_before_benchmarks(tmp_path):
    folders = [tmp_path / "experiments", tmp_path / "benchmarks"]
    for folder in folders:
        folder.mkdir()
    (folders[1] / "speed.py").touch()
    assert record.script_of("speed", folders) == folders[1] / "speed.py"
    (folders[0] / "speed.py").touch()
    assert record.script_of("speed", folders) == folders[0] / "speed.py"
    (folders[0] / "cells.py").touch()
    with pytest.raises(ValueError, match=f"{folders[0]} or {folders[1]}, got 'none'; there is cells, speed"):
        record.script_of("none", folders)
    with pytest.raises(ValueError, match="expected the name of a recorded run"):
        record.script_of("../speed", folders)


def test_the_house_has_both_folders():
    assert record.script_of("lineage").parent.name == "experiments"
    assert record.script_of("zoo").parent.name == "benchmarks"


def test_the_commit_says_when_the_tree_differs(tmp_path):
    def git(*words):
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.org", *words],
            check=True,
            capture_output=True,
        )

    with pytest.raises(ValueError, match="expected a git checkout"):
        record.commit(tmp_path)
    git("init")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-m", "one")
    clean = record.commit(tmp_path)
    assert len(clean) == 40
    (tmp_path / "file").write_text("2")
    assert record.commit(tmp_path) == clean + "-dirty"
