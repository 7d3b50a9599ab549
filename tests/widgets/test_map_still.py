"""The still picture of Map: the last look, crosses for wrong labels, the counts."""

from tests.widgets.map_checks import made


def test_last_look_is_drawn_in_both_forms():
    still = made().still()
    assert still.count(">2 of 3 have a label; ✗ 0 of them are wrong<") == 2
    assert still.count("M-5 -5 5 5") == 0 and still.count('fill="#4fd1a5"') == 4


def test_a_wrong_label_is_a_cross():
    still = made(states=[[0, 0, 0], [0, 0, 0], [0, 1, 2]]).still()
    assert still.count("M-5 -5 5 5") == 2 and "✗ 1 of them" in still
