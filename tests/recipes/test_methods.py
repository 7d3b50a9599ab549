"""Every method that a configuration can name is built from it, with its hyper-parameters."""

import dataclasses

import pytest
import torch

from dlbook.recipes.methods import METHODS, Facts
from dlbook.recipes.run.build import POOLS
from dlbook.recipes.run.config import RunConfig, hyper_parameters, resolve


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


def test_flexmatch_is_told_how_many_images_there_are():
    method = METHODS["flexmatch"].build(torch.nn.Linear(2, 3), None, Facts(num_images=7, num_classes=3))
    assert method.remembered.shape == (7,) and method.num_classes == 3
