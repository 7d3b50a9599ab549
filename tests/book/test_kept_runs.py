"""Finished runs are kept under the hash of what decides them, and are not computed again."""

import json

import pytest

from dlbook.book import kept_runs
from dlbook.book.kept_runs import KeptRuns, key_of

FIRST, SECOND = {"network": "a", "rate": 0.1, "seed": 0}, {"network": "a", "rate": 0.1, "seed": 1}


def never():
    raise AssertionError("a kept run was computed again")


def check_kept(path):
    """Two runs of different seeds stay two runs, also for whoever opens the file later."""
    kept = KeptRuns(path, {"commit": "0123456"})
    assert kept.result(FIRST, lambda: {"accuracy": 1.0}) == {"accuracy": 1.0} and not kept.has(SECOND)
    assert kept.result(SECOND, lambda: {"accuracy": 2.0}) == {"accuracy": 2.0}
    again = KeptRuns(path)
    assert again.has(FIRST) and again.has(dict(reversed(FIRST.items())))
    assert [again.result(each, never)["accuracy"] for each in (FIRST, SECOND)] == [1.0, 2.0]
    assert not again.has(FIRST | {"rate": 0.2})
    entry = json.loads(path.read_text("utf8"))[key_of(SECOND)]
    assert entry["definition"] == SECOND and entry["commit"] == "0123456" and entry["date"]


def test_runs_are_kept(tmp_path):
    check_kept(tmp_path / "deep" / "runs.json")


def test_seeded_fault_a_key_without_the_seed_is_caught(tmp_path, monkeypatch):
    def forgetful(definition, key_of=key_of):
        return key_of({name: value for name, value in definition.items() if name != "seed"})

    monkeypatch.setattr(kept_runs, "key_of", forgetful)
    with pytest.raises(AssertionError):
        check_kept(tmp_path / "runs.json")


def test_an_unfinished_run_leaves_what_was_kept(tmp_path):
    kept = KeptRuns(tmp_path / "runs.json")
    kept.result(FIRST, lambda: {"accuracy": 1.0})
    before = kept.path.read_bytes()
    with pytest.raises(AssertionError):
        kept.result(SECOND, never)
    with pytest.raises(ValueError, match="JSON compliant"):
        kept.result(SECOND, lambda: {"accuracy": float("nan")})
    assert not kept.has(SECOND)
    assert kept.path.read_bytes() == before and [f.name for f in tmp_path.iterdir()] == ["runs.json"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"a": 1}', '{"0123456789abcdef": {"definition": {"seed": 0}, "result": {}}}', '{"a": {}}'],
)
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "runs.json").write_text(text)
    with pytest.raises(ValueError, match=r"runs.json: expected finished runs.*got .*; give the file"):
        KeptRuns(tmp_path / "runs.json")


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").touch()
    kept = KeptRuns(tmp_path / "file" / "runs.json")
    with pytest.raises(ValueError, match="the file of kept runs: expected a folder"):
        kept.result(FIRST, lambda: {"accuracy": 1.0})
