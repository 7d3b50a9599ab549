"""Sweep's Python side: the numbers are the tape's, the steps are counted, errors explain themselves."""

import pytest
import torch

from dlbook.nn.autodiff import Variable, reverse_sweep, tape
from dlbook.widgets import Cell, Sweep, cells_of, sweep
from dlbook.widgets.reserve import NARROW, WIDE
from tests.widgets.sweep_checks import TEXTS, cross_entropy, every_rule, lens


def check_rules():
    """Values and adjoints of all nodes are the tape's."""
    figure, _, output = every_rule()
    values, adjoints = figure.values_and_adjoints()
    nodes, expected = tape(output), reverse_sweep(output)
    assert {cell.op for cell in figure.cells} == {"", *sweep.RULES}
    for cell, node in zip(figure.cells, nodes, strict=True):
        assert values[cell.name] == pytest.approx(node.value.item(), rel=1e-12)
        assert adjoints[cell.name] == pytest.approx(expected[node].item(), rel=1e-12)


def test_values_and_adjoints_are_the_tapes():
    check_rules()


@pytest.mark.parametrize("op", sweep.RULES)
def test_a_wrong_rule_is_caught(op, monkeypatch):
    rule = sweep.RULES[op]
    wrong = lambda *operands: (rule(*operands)[0], tuple(1.01 * slope for slope in rule(*operands)[1]))
    monkeypatch.setitem(sweep.RULES, op, wrong)
    with pytest.raises(AssertionError):
        check_rules()


def test_the_cross_entropy_hands_back_probabilities_less_the_label():
    figure, _, _ = cross_entropy()
    figure.values = {"z1": 0.0, "z2": 2.0}
    _, adjoints = figure.values_and_adjoints()
    probs = torch.softmax(torch.tensor([0.0, 2.0, 0.0], dtype=torch.float64), 0) - torch.tensor([1.0, 0, 0])
    assert [adjoints[name] for name in ("z1", "z2", "z3")] == pytest.approx(probs.tolist())


def test_steps_of_each_way():
    figure = lens(4)
    assert [figure.last(way) for way in ("paths", "reverse", "forward")] == [16, 16, 8]
    figure, _, _ = cross_entropy()
    assert [figure.last(way) for way in ("paths", "reverse", "forward")] == [4, 14, 21]
    assert lens(step=-1).step == 8 and lens(step=3).step == 3
    figure.step = 99
    assert figure.step == 14
    figure.values = {"way": "path by path"}
    figure.step = 99
    assert figure.step == 4


def test_nodes_without_a_name_are_counted():
    x = Variable(2.0)
    cells = cells_of(tape((x * 3 - 1).exp()), {x: "x"})
    assert [(cell.name, cell.op, cell.constant) for cell in cells] == [
        ("x", "", None),
        ("v1", "c ×", 3.0),
        ("v2", "+ c", -1.0),
        ("v3", "exp", None),
    ]


def test_a_standing_graph_is_higher():
    figure = lens(6)
    assert figure.height(NARROW) > figure.height(WIDE) + 300


X = Cell("x", start=1.0)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Sweep(**TEXTS, cells=[X, Cell("y", "sin", ("x",))]), "expected an operation of"),
        (lambda: Sweep(**TEXTS, cells=[X, Cell("y", "×", ("x", "z"))]), "on earlier cells, got '×' on"),
        (lambda: Sweep(**TEXTS, cells=[Cell("x")]), "expected a start for an input"),
        (lambda: Sweep(**TEXTS, cells=[X, X]), "'x' twice"),
        (lambda: Sweep(**TEXTS, cells=[X]), "end with the output"),
        (
            lambda: Sweep(**TEXTS, cells=[X, Cell("w", start=1.0), Cell("y", "exp", ("x",))]),
            r"unused \['w'\]",
        ),
        (lambda: lens(ways=("sideways",)), "expected some of .* got .'sideways'."),
        (lambda: lens(10), "at most 512 paths, got 1024"),
        (lambda: cells_of([Variable([1.0, 2.0])]), r"nodes of one number, got shape \(2,\)"),
        (lambda: cells_of(tape(Variable(2.0) ** 2)), "got '\\^2'"),
    ],
)
def test_errors(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()
