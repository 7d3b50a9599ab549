"""The lookup table: every file of the folder is in it, every row builds, no name stands twice, each is found
by a text search, and what does not fit is refused by every family.
"""

from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import nn

import dlbook.models as models


def test_every_paper_is_in_a_table():
    files = {path.stem for path in Path(models.__file__).parent.glob("*.py")}
    papers = {name for name in files - {"__init__", "backbone"} if not name.endswith("_weights")}
    assert papers == {*models.FAMILIES, *models.BY_THEIR_OWN_RULE}


def test_every_name_stands_as_text_in_its_family_s_file():
    """So that a search for a model's name finds its row."""
    folder = Path(models.__file__).parent
    lines = {family: (folder / f"{family}.py").read_text("utf8") for family in models.FAMILIES}
    assert [name for name, family in models.variants().items() if f'"{name}"' not in lines[family]] == []


def test_no_name_stands_twice():
    tables = [import_module(f"dlbook.models.{family}").VARIANTS for family in models.FAMILIES]
    assert sum(map(len, tables)) == len(models.variants())


@pytest.mark.parametrize("name", models.variants())
def test_every_row_builds_with_ten_classes(name):
    with torch.device("meta"):
        model = models.create(name, num_classes=10)
    assert isinstance(model, nn.Module) and any(True for _ in model.parameters())


def test_nearest_names():
    with pytest.raises(
        ValueError, match="expected the name of a variant, got 'resnet5O'; did you mean resnet50"
    ):
        models.create("resnet5O")
    with pytest.raises(ValueError, match="num_classes"):
        models.create("resnet18", num_classes=0)


@pytest.mark.parametrize("value", [0, -1, 2.0, "10", True])
@pytest.mark.parametrize("option", ["num_classes", "in_channels"])
@pytest.mark.parametrize("family", [family for family in models.FAMILIES if family != "lenet"])
def test_counts_have_to_be_whole_numbers_of_at_least_1(family, option, value):
    name = next(iter(import_module(f"dlbook.models.{family}").VARIANTS))
    with pytest.raises(ValueError, match=option):
        models.create(name, device="meta", **{option: value})


@pytest.mark.parametrize("family", models.FAMILIES)
def test_a_name_nearly_right_is_told_the_right_one(family):
    name = next(iter(import_module(f"dlbook.models.{family}").VARIANTS))
    with pytest.raises(ValueError, match="did you mean"):
        getattr(import_module(f"dlbook.models.{family}"), family)(f"{name}x")
