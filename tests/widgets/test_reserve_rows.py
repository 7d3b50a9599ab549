"""The place that is kept for a diagram: it grows with its rows, the blocks that are open, and words that wrap."""

from types import SimpleNamespace as Block

from dlbook.widgets import Diagram
from dlbook.widgets.reserve import NARROW, WIDE


def block(name, *children, detail="", parameters=10):
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
        inputs=(-1,),
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
