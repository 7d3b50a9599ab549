"""The names and kinds of operations agree with what torch calls them."""

import pytest
import torch

from dlbook.measure import operations as module
from dlbook.measure.operations import JOINS, KINDS, NAMES, VIEWS
from tests.seeded import edited


def wrong(names: dict) -> list[str]:
    """Names that torch does not have, and operations that stand in two kinds or are views as well."""
    found = [f"torch has no {name}" for name in names["NAMES"] if not hasattr(torch.ops.aten, name)]
    found += [f"torch has no view {name}" for name in names["VIEWS"] if not hasattr(torch.ops.aten, name)]
    kinds = [operation for operations in names["KINDS"].values() for operation in operations]
    found += [f"{name} stands twice" for name in {name for name in kinds if kinds.count(name) > 1}]
    return found + [f"{name} is a view and has a kind" for name in set(kinds) & names["VIEWS"]]


def test_names_are_torchs():
    assert wrong(vars(module)) == []
    assert set(JOINS).isdisjoint(VIEWS) and set(JOINS).isdisjoint(NAMES) and "convolution" in KINDS


FAULTS = {
    ('"addmm": "linear"', '"adddmm": "linear"'),
    ('"linear": ("linear",)', '"linear": ("linear", "relu")'),
    ('"linear": ("linear",)', '"linear": ("linear", "view")'),
}


@pytest.mark.parametrize("edit", sorted(FAULTS))
def test_faults_are_seen(edit):
    assert wrong(edited(module, *edit))
