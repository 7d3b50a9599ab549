"""What the zoo says of speed: the better peer counts, and the recorded run is of every row that a library
shares.
"""

import pytest

from dlbook import book, zoo
from dlbook.zoo.comparison import MEASURES
from tests.oracles.peers import PEERS


def peer(*ratios):
    return {
        "ratio": dict(zip(MEASURES, ratios, strict=True)),
        "interval": {"forward": [0.8, 1.25], "training step": [0.9, 1.5]},
    }


ROWS = {
    "small_net": {
        "input": [2, 3, 8, 8],
        "models": {
            "ours": {"median": {"forward": 0.004, "training step": 0.02}},
            "a/small": peer(0.9, 1.2, 1.0, 0.5),
            "b/small": peer(1.1, 1.0, 0.75, 1.0),
        },
    }
}


def test_the_better_peer_counts_measure_by_measure():
    assert zoo.ratios_to_best_peer(ROWS["small_net"]) == dict(
        zip(MEASURES, (1.1, 1.2, 1.0, 1.0), strict=True)
    )


def test_the_table_has_a_line_a_peer_and_milliseconds_of_one_image():
    shown = zoo.speed(ROWS)
    assert shown.rows[0] == (
        "small_net",
        "a/small",
        "2.0",
        "10.0",
        "0.90 (0.80–1.25)",
        "1.20 (0.90–1.50)",
        "1.00",
        "0.50",
    )
    assert [line[1] for line in shown.rows] == ["a/small", "b/small"]


def test_the_recorded_run_is_whole():
    """Every shared row, no other; each median within its interval."""
    rows = book.recorded("zoo")["results"]["rows"]
    assert set(rows) == set(PEERS)
    for name, result in rows.items():
        assert PEERS[name] in result["models"], name
        for model in zoo.peers(result).values():
            for measure, (low, high) in model["interval"].items():
                assert low <= model["ratio"][measure] <= high, name


def test_the_page_says_that_convnext_alone_is_far_from_one():
    far = {
        name
        for name, result in book.recorded("zoo")["results"]["rows"].items()
        if not 0.9 < zoo.ratios_to_best_peer(result)["forward"] < 1.1
    }
    assert far and all(name.startswith("convnext_") for name in far)


@pytest.mark.parametrize("measure", ["forward memory", "training memory"])
def test_no_row_was_recorded_with_more_memory_than_its_peers(measure):
    above = {
        name: zoo.ratios_to_best_peer(result)[measure]
        for name, result in book.recorded("zoo")["results"]["rows"].items()
    }
    assert {name: ratio for name, ratio in above.items() if ratio > 1.001} == {}
