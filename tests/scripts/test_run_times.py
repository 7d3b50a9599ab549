"""The estimate of a build: by recorded times, and by how fast this machine was so far."""

import pytest
from run_times import UNKNOWN, seconds_left

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
