"""Rows by a part of their name, by a pattern, and in an order."""

import pytest

from dlbook.zoo.choice import choose
from dlbook.zoo.rows import entries


def names(*chosen, **how):
    return [entry.name for entry in choose(*chosen, **how)]


def test_a_part_of_the_name_and_a_pattern_of_the_whole():
    every = [entry.name for entry in entries()]
    assert names() == every and names("resnet50") == [name for name in every if "resnet50" in name]
    assert names("resnet50*") == [name for name in every if name.startswith("resnet50")]
    assert names("vgg1[13]") == ["vgg11", "vgg13"]
    assert len(names("resnet50*")) < len(names("resnet50"))


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("name", lambda entry: entry.name),
        ("year", lambda entry: entry.paper.year),
        ("parameters", lambda entry: entry.parameters),
        ("macs", lambda entry: entry.macs),
    ],
)
def test_the_smallest_comes_first_and_none_is_lost(sort, value):
    values = [value(entry) for entry in choose("net", sort=sort)]
    assert values == sorted(value(entry) for entry in choose("net")) and values[0] != values[-1]


def test_what_nobody_means_is_told():
    with pytest.raises(ValueError, match="got 'resent50', which no name matches; did you mean resnet50"):
        choose("resent50")
    with pytest.raises(ValueError, match="got 'x[*]', which no name matches; `dlbook models` lists all"):
        choose("x*")
    with pytest.raises(ValueError, match="--sort: expected one of name, year, parameters, macs, got 'size'"):
        choose(sort="size")
    with pytest.raises(ValueError, match="expected the name of a family, got 'resent'"):
        choose("a", family="resent")
