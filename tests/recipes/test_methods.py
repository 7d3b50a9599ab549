"""Every method that a configuration can name is built from it, with its hyper-parameters."""

import dataclasses

import pytest
import torch

from dlbook.recipes.methods import ABOUT, MEANINGS, METHODS, Facts
from dlbook.recipes.run.build import POOLS
from dlbook.recipes.run.config import SECTIONS, RunConfig, hyper_parameters, resolve
from dlbook.train.keys import keys


@pytest.mark.parametrize("name", METHODS)
def test_a_row_is_reached_by_its_name(name):
    row = METHODS[name]
    assert row.batches in POOLS and dataclasses.is_dataclass(row.hyper)
    content = {
        "model": {"name": "convnet_digits"},
        "data": {"name": "mnist5k", "labels_per_class": 4},
        "method": {"name": name, "ema_decay": 0.5},
    }
    hyper = hyper_parameters(resolve(RunConfig, content).method)
    assert hyper == row.hyper(ema_decay=0.5)
    method = row.build(torch.nn.Linear(2, 3), hyper, Facts(num_images=7, num_classes=3))
    assert type(method) is row.method and method.config == hyper


def test_the_methods_and_all_their_fields_are_explained():
    assert list(ABOUT) == list(METHODS)
    fields = {
        f"{name}.{field.name}" for name, row in METHODS.items() for field in dataclasses.fields(row.hyper)
    }
    assert set(MEANINGS) <= fields | {field.partition(".")[2] for field in fields}  # none is left over
    shown = {name: {key.name: key for key in keys(section)} for name, section in SECTIONS.items()}
    for found in shown.values():  # what may be chosen, and the default where no method is named
        assert (
            found["name"].kind == f"one of {', '.join(METHODS)}" and found["name"].default == "cross_entropy"
        )
    told = {name: found["ema_decay"] for name, found in shown.items()}
    assert [name for name, key in told.items() if "null" in key.meaning] == ["cross_entropy"]
    assert [name for name, key in told.items() if "null" in key.kind] == ["cross_entropy"]


def test_flexmatch_is_told_how_many_images_there_are():
    method = METHODS["flexmatch"].build(torch.nn.Linear(2, 3), None, Facts(num_images=7, num_classes=3))
    assert method.remembered.shape == (7,) and method.num_classes == 3
