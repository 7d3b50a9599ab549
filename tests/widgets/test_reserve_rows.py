"""The place that is kept for a diagram: it grows with its rows, the blocks that are open, and words that wrap."""

from types import SimpleNamespace as Block

import pytest

from dlbook.widgets import Diagram
from dlbook.widgets.reserve import NARROW, WIDE
from dlbook.widgets.reserve_rows import lanes, source_text


def block(name, *children, detail="", parameters=10, inputs=(-1,)):
    return Block(
        name=name,
        type="Conv2d",
        detail=detail,
        kind="",
        input_shape=(3, 8, 8),
        shape=(8, 8, 8),
        parameters=parameters,
        macs=parameters,
        activations=0,
        rf=3,
        rf_first=3,
        inputs=inputs,
        join="",
        note="",
        repeat=1,
        parallel=False,
        children=children,
    )


def test_rows_open_blocks_and_words_that_wrap_need_room():
    few = Diagram(block("", block("a", block("b"), block("c"))))
    more = Diagram(block("", block("a", block("b"), block("c")), block("d")))
    opened = Diagram(few.tree, opened="all")
    wordy = Diagram(block("", block("a", block("b"), block("c"), detail="words " * 60)))
    for width in (WIDE, NARROW):
        assert more.height(width) - few.height(width) > 40
        assert opened.height(width) - few.height(width) > 2 * 40
        assert wordy.height(width) - few.height(width) > 40


def test_a_row_without_costs_is_lower_where_costs_stand_below_each_other():
    costly, free = (Diagram(block("", block("a", parameters=n), parameters=9)) for n in (10, 0))
    assert costly.height(NARROW) > free.height(NARROW)
    assert costly.height(WIDE) == free.height(WIDE)


def branches(count):
    """A level of branches that all read its input, and a join of them all."""
    rows = [block(f"branch{i}") for i in range(count)]
    return [*rows, block("join", inputs=tuple(range(count)))]


@pytest.mark.parametrize(("count", "expected"), [(1, 0), (2, 2), (4, 4), (6, 6), (7, 0)])
def test_lines_that_run_side_by_side_need_a_lane_each_and_too_many_are_not_drawn(count, expected):
    assert lanes(branches(count)) == expected


def test_a_lane_is_used_again_where_its_line_has_ended():
    first = [block("a"), block("b", inputs=(0,)), block("+", inputs=(-1, 1))]
    second = [block("c", inputs=(2,)), block("+", inputs=(2, 3))]
    assert lanes([*first, *second]) == 1


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ((3,), ""),
        ((-1, 3), "from the input, branch3"),
        ((0, 1, 2, 3), "from branch0, branch1, branch2, branch3"),
        ((-1, 0, 1, 2, 3), "from 5: the input … branch3"),
    ],
)
def test_a_row_says_where_it_takes_from(inputs, expected):
    rows = [*(block(f"branch{i}") for i in range(4)), block("join", inputs=inputs)]
    assert source_text(rows, 4) == expected


def test_lanes_and_sources_need_room():
    def height(rows):
        return Diagram(block("", *rows), opened="all").height(NARROW)

    plain = [block(f"branch{i}") for i in range(6)]
    assert height(branches(6)) > height([*plain, block("join")]) + 6 * 19, "the costs of each row wrap"
    wordy = block("join", inputs=(0, 1, 2, 3))
    assert height([*plain[:4], wordy]) >= height([*plain[:4], block("join")]) + 20, "the sources wrap"
