"""The still picture of Train: every recorded curve, over the healthy one."""

from tests.widgets.train_checks import made


def test_each_fault_has_its_square_in_both_forms():
    figure = made()
    still = figure.still()
    assert still.count(">broken: no shortcut<") == 2 and still.count(">healthy<") == 2
    assert still.count('stroke-width="2.2"') == 10 and still.count('stroke-dasharray="3 3"') == 10
    assert "loss of 8 steps, recorded by torch" in still
