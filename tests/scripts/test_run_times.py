"""Recorded run times in words; the estimate of a build, by them and by how fast this machine was so far."""

import doctest
import json

import pytest
import run_times
from run_times import UNKNOWN, run_time, seconds_left

RECORDED = {"a": 100.0, "b": 50.0, "c": 10.0}


@pytest.mark.parametrize(
    "waiting, running, done, workers, left",
    [
        (["a", "b", "c"], {}, {}, 1, 160),
        (["a", "b", "c"], {}, {}, 2, 100),  # never less than the longest chapter
        (["b", "c"], {"a": 30.0}, {}, 2, 70),
        (["b"], {}, {"a": 300.0}, 1, 150),  # a third as fast as the recorded machine
        ([], {"c": 25.0}, {}, 1, 0),  # longer than recorded: no time is left, and none below zero
        (["new"], {}, {}, 1, 50),  # without a record: as long as the middle one
        ([], {}, {"a": 100.0}, 2, 0),
    ],
)
def test_seconds_left(waiting, running, done, workers, left):
    assert seconds_left(RECORDED, waiting, running, done, workers) == pytest.approx(left)


def test_without_any_record_it_is_a_guess():
    assert seconds_left({}, ["a"], {}, {}, 1) == UNKNOWN


def test_a_run_time_is_that_of_the_page_s_own_record(tmp_path):
    record = {
        "processor_seconds": 44.6,
        "peak_mebibytes": 812,
        "cores": 2,
        "processor": "AMD",
        "date": "2026-11-28",
    }
    (tmp_path / "times.json").write_text(json.dumps({"chapters": {"a/resnet": record}}))
    assert run_time(tmp_path / "times.json", "a/resnet").startswith("45 processor seconds and 812 MiB")
    assert run_time(tmp_path / "times.json", "b/resnet") == "not recorded yet"
    assert run_time(tmp_path / "none.json", "a/resnet") == "not recorded yet"


def test_doctests():
    result = doctest.testmod(run_times)
    assert result.attempted and not result.failed
