"""A row of a trace says what it mainly computes, and walks over all rows below it."""

import pytest

from dlbook.measure import node
from dlbook.measure.node import Node
from dlbook.measure.operations import KINDS


def tree():
    return Node("root", "Net", children=[Node("a", "A", children=[Node("a.b", "B")]), Node("c", "C")])


def check_walk(walked):
    assert [row.name for row in walked] == ["root", "a", "a.b", "c"]  # each before what is below it


def test_walk():
    check_walk(tree().walk())


def test_the_check_catches_a_walk_by_levels():
    rows, todo = [], [tree()]
    while todo:
        rows.append(todo.pop(0))
        todo += rows[-1].children
    with pytest.raises(AssertionError):
        check_walk(rows)


def test_the_kind_is_the_first_of_the_list_not_the_first_operation():
    (first, of_first), (second, of_second), *_ = KINDS.items()
    both = Node("block", "Block", children=[Node("", "x", operations=[next(iter(of_second))])])
    assert both.kind() == second
    both.children.append(Node("", "y", operations=[next(iter(of_first))]))
    assert both.kind() == first


def test_a_join_is_one_whatever_it_adds_and_an_unknown_operation_is_other():
    assert Node("", "add", join="+", operations=["convolution"]).kind() == "join"
    assert Node("", "strange", operations=["no operation of torch"]).kind() == "other"


def test_the_parents_input_is_no_row():
    assert node.INPUT not in range(len(tree().children))
