"""Recorded runs: checked when written and when read, and written whole or not at all."""

import json

import pytest

from dlbook import book
from dlbook.book import recorded_runs

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
        ValueError,
        match=f"big.json: expected a recorded run, got .*'{field}'.*python -m dlbook.book.record big",
    ):
        book.recorded("big")


def test_missing_unknown_truncated_and_misnamed(place):
    with pytest.raises(ValueError, match="does not exist; there is none; "):
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
    with pytest.raises(ValueError, match="expected JSON, got other text"):
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
