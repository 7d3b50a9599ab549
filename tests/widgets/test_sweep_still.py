"""The still picture of Sweep: both forms, with all values and all derivatives."""

from dlbook.widgets.sweep_still import frame
from tests.widgets.sweep_checks import cross_entropy, lens


def test_both_forms_hold_values_and_derivatives():
    figure, _, output = cross_entropy()
    still = figure.still()
    _, adjoints = figure.values_and_adjoints()
    for number in (output.value.item(), adjoints["z2"]):
        assert still.count(f">{number:.3g}</text>") >= 2
    assert still.count("<circle") == 2 * len(figure.cells) and still.count(">exp</text>") == 6
    assert "reverse mode, finished" in still


def test_a_wide_graph_lies_and_a_narrow_one_stands():
    cells = lens(6).spec["cells"]
    lying, _, place, _ = frame(cells, 960)
    assert lying and place(cells[-1])[0] - place(cells[0])[0] > 800
    lying, _, place, height = frame(cells, 380)
    assert not lying and 600 < place(cells[-1])[1] < height


def test_every_node_is_inside_the_picture():
    for figure in (lens(6), cross_entropy()[0]):
        for width in (960, 790, 380, 332):
            _, radius, place, height = frame(figure.spec["cells"], width)
            for cell in figure.spec["cells"]:
                x, y = place(cell)
                assert radius <= x <= width - radius and radius <= y <= height - radius
