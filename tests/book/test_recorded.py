"""Recorded runs: checked when written and when read, written whole or not at all, and made by one command."""

import json

import pytest

from dlbook import book
from dlbook.book import record, recorded_runs

RUN = {
    "name": "big",
    "commit": "0123456789abcdef",
    "device": "NVIDIA H200",
    "versions": {"torch": "2.14.1"},
    "seed": 0,
    "seconds": 3600,
    "date": "2026-05-01T12:00:00+00:00",
    "results": {"error": {"mean": 0.25, "each": [0.2, 0.3]}, "rows": 3},
}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder of recorded runs."""
    folder = tmp_path / "recorded"
    monkeypatch.setattr(recorded_runs, "folder", lambda: folder)
    return folder


def test_what_is_written_is_read(place):
    assert recorded_runs.write(RUN) == place / "big.json"
    assert book.recorded("big") == RUN
    assert [file.name for file in place.iterdir()] == ["big.json"]


def test_the_table_says_where_it_comes_from():
    recorded_runs.write(RUN)
    html = book.show_recorded("big").html()
    assert "big: recorded 2026-05-01 on NVIDIA H200, commit 0123456, torch 2.14.1, seed 0, 3,600 s" in html
    assert "error.mean" in html and "0.2, 0.3" in html


FAULTS = {
    "commit": "not hex",
    "versions": {"python": "3.11"},
    "seconds": -1,
    "date": "yesterday",
    "results": {},
    "seed": "zero",
    "device": 3,
}


@pytest.mark.parametrize("field", FAULTS)
def test_a_bad_field_is_told_by_name(place, field):
    run = RUN | {field: FAULTS[field]}
    with pytest.raises(ValueError, match=f"'{field}'"):
        recorded_runs.write(run)
    place.mkdir()
    (place / "big.json").write_text(json.dumps(run))
    with pytest.raises(
        ValueError, match=f"big.json is not a recorded run: .*'{field}'.*python -m dlbook.book.record big"
    ):
        book.recorded("big")


def test_missing_unknown_truncated_and_misnamed(place):
    with pytest.raises(ValueError, match="does not exist .there: none.*; "):
        book.recorded("big")
    for run, told in (
        ({k: v for k, v in RUN.items() if k != "seed"}, "'seed' is missing"),
        (RUN | {"extra": 1}, "'extra' is not known"),
        ([], "JSON object"),
    ):
        with pytest.raises(ValueError, match=told):
            recorded_runs.write(run)
    place.mkdir()
    (place / "big.json").write_text(json.dumps(RUN)[:50])
    with pytest.raises(ValueError, match="is not JSON"):
        book.recorded("big")
    (place / "big.json").write_text(json.dumps(RUN | {"name": "small"}))
    with pytest.raises(ValueError, match="'small', the file says 'big'"):
        book.recorded("big")


@pytest.mark.parametrize("name", ["../big", "big.json", "", "Big", 3])
def test_names_that_are_paths_are_refused(name):
    with pytest.raises(ValueError, match="name of a recorded run"):
        book.recorded(name)


def test_an_interrupted_write_leaves_the_old_file(place, monkeypatch):
    recorded_runs.write(RUN)

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dlbook.files.os.replace", broken)
    with pytest.raises(KeyboardInterrupt):
        recorded_runs.write(RUN | {"seconds": 1})
    assert book.recorded("big")["seconds"] == 3600 and len(list(place.iterdir())) == 1


def test_nan_is_not_written(place):
    with pytest.raises(ValueError, match="JSON|not"):
        recorded_runs.write(RUN | {"results": {"error": float("nan")}})
    assert not place.exists() or not list(place.iterdir())


def test_the_command_runs_an_experiment(place, tmp_path, monkeypatch, capsys):
    (tmp_path / "big.py").write_text("SEED = [0, 1]\ndef run():\n    return {'sum': 1 + 1}\n")
    monkeypatch.setattr(record, "commit", lambda: "0123456789")
    monkeypatch.setattr(
        record, "perform", lambda name, words, perform=record.perform: perform(name, tmp_path, words)
    )
    assert record.main(["big"]) == 0
    run = book.recorded("big")
    assert (
        run["results"] == {"sum": 2}
        and run["seed"] == [0, 1]
        and run["device"].startswith("CPU")
        and run["versions"]["torch"]
    )
    assert record.main(["small"]) == 1 and "there: big" in capsys.readouterr().err
    (tmp_path / "small.py").write_text("def run():\n    return {'sum': 2}\n")
    assert record.main(["small"]) == 1 and "lacks" in capsys.readouterr().err
    assert record.main([]) == 2
    assert (
        record.main(["big", "--rows", "a"]) == 1
        and "takes no options, got --rows a" in capsys.readouterr().err
    )
    (tmp_path / "asked.py").write_text(
        "SEED = 0\narguments = tuple\ndef run(options):\n    return {'options': list(options)}\n"
    )
    assert record.main(["asked", "--rows", "a"]) == 0 and book.recorded("asked")["results"] == {
        "options": ["--rows", "a"]
    }


def test_the_commit_says_when_the_tree_differs(tmp_path):
    import subprocess

    def git(*words):
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.org", *words],
            check=True,
            capture_output=True,
        )

    with pytest.raises(ValueError, match="no commit"):
        record.commit(tmp_path)
    git("init")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-m", "one")
    clean = record.commit(tmp_path)
    assert len(clean) == 40
    (tmp_path / "file").write_text("2")
    assert record.commit(tmp_path) == clean + "-dirty"
