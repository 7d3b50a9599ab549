"""Every row that can drop something, asked with a probability whose complement is another number.

Counts, shapes and parity in evaluation are the same for a layer that drops 0.2 and one that keeps 0.2.
"""

import importlib
from dataclasses import replace

import pytest
import torch
from torch import nn

from dlbook.models import create, variants
from dlbook.models import mobilenet_v2 as module
from dlbook.models.efficientnet import VARIANTS as EFFICIENTNETS
from dlbook.models.efficientnet import EfficientNet
from tests.models.dropping import drop_probs
from tests.seeded import check_sees

P = 0.2
# smallest row of each family whose builder takes the probability, and the layers that have it then
PLACES = {
    "mlp_300": ["drop"],
    "alexnet": ["classifier.2", "classifier.5"],
    "alexnet_owt": ["classifier.0", "classifier.3"],
    "nin_cifar": ["features.2", "features.5"],
    "vgg_c": ["classifier.2", "classifier.5"],
    "wrn16_8": [f"layer{stage}.{block}.dropout" for stage in (1, 2, 3) for block in (0, 1)],
    "densenet40_cifar": [
        *(f"features.denseblock{i}.denselayer{j}.dropout" for i in (1, 2, 3) for j in range(1, 13)),
        *(f"features.transition{i}.dropout" for i in (1, 2)),
    ],
    "mobilenet_v2": ["dropout"],
    "mobilenet_v3_small": ["classifier.2"],
    "vit_ti_16": ["drop", *(f"blocks.{i}.{place}" for i in range(12) for place in ("attn.drop", "mlp.drop"))],
    "mobilevit_xxs": ["drop"],
}
# what a row drops if nothing is asked for; sources: the papers and the libraries that the files name
OF_THE_ROW = {
    "alexnet": {0.5},
    "nin_cifar": {0.5},
    "vgg_c": {0.5},
    "mobilenet_v2": {0.2},
    "mobilenet_v3_small": {0.2},
    "googlenet": {0.7, 0.4},
    "googlenet_torchvision": {0.7, 0.2},
    "vit_ti_16": set(),
    "densenet40_cifar": set(),
    "wrn16_8": set(),
}


def check_places(build, name: str) -> None:
    """Each layer of `PLACES` drops `P`, and no other drops anything."""
    assert drop_probs(build(name)) == dict.fromkeys(PLACES[name], P)


def made(name: str) -> nn.Module:
    return create(name, drop_prob=P, device="meta")


@pytest.mark.parametrize("name", PLACES)
def test_the_probability_is_that_of_dropping(name):
    check_places(made, name)


@pytest.mark.parametrize("name", OF_THE_ROW)
def test_rows_drop_what_their_papers_say(name):
    assert set(drop_probs(create(name, device="meta")).values()) == OF_THE_ROW[name]


def test_stochastic_depth_grows_towards_the_end():
    """In equal steps from the first block, which always stays, to the last one, which drops `P`."""
    for name, option in (("convnext_t", "drop_prob"), ("deit_ti", "drop_path")):
        probs = list(drop_probs(create(name, **{option: P}, device="meta")).values())
        last = len(probs)
        assert probs == pytest.approx([P * block / last for block in range(1, last + 1)])


def test_efficientnet_drops_features_before_its_last_layer():
    with torch.device("meta"):
        model = EfficientNet(replace(EFFICIENTNETS["efficientnet_b0"], dropout=P, drop_prob=0.0))
    assert drop_probs(model) == {"dropout": P}


def test_every_family_that_takes_the_probability_is_asked():
    asked = {variants()[name] for name in PLACES} | {"convnext"}
    takes = {
        family
        for family in set(variants().values())
        if "drop_prob" in importlib.import_module(f"dlbook.models.{family}").__dict__[family].__annotations__
    }
    assert takes == asked


def test_the_check_sees_a_probability_of_keeping():
    def check(build):
        with torch.device("meta"):
            check_places(lambda name: build(name, drop_prob=P), "mobilenet_v2")

    check_sees(check, module, "mobilenet_v2", "nn.Dropout(drop_prob)", "nn.Dropout(1 - drop_prob)")
