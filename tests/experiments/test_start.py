"""Every row begins with weights of the same rule, and with scores that depend on the picture."""

import math

import pytest
import torch
from torch import nn

from dlbook.data import cluttered_shapes
from dlbook.nn.attention import SelfAttention
from experiments.networks import start
from experiments.networks.small_rows import ROWS
from experiments.networks.start import begin
from experiments.networks.training import Recipe

LARGE = 2000  # weights of a layer whose variance can be read within 15 per cent


def fresh(name, begun=True):
    torch.manual_seed(0)
    model = ROWS[name].fresh(20)
    return begin(model, 0.5) if begun else model


def spread_of_scores(model):
    """How much the scores of a class differ from picture to picture, at the beginning."""
    with torch.no_grad():
        scores = model.train()(Recipe().standard(cluttered_shapes(32, seed=3).images))
    return (scores - scores.mean(0)).std().item()


@pytest.mark.parametrize("name", ROWS)
def test_scores_depend_on_the_picture(name):
    assert 0.1 < spread_of_scores(fresh(name)) < 3


@pytest.mark.parametrize("name", ["alexnet", "nin", "vgg11"])
def test_with_the_papers_numbers_they_hardly_do(name):
    """Why the rule is there."""
    assert spread_of_scores(fresh(name, begun=False)) < 0.05


def check_rule(name):
    """Variances of 2 / fan_in, of 1 / fan_in in attention and scores; no biases."""
    model = fresh(name)
    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    attentions = [each for each in model.modules() if isinstance(each, SelfAttention)]
    plain = {layers[-1]} | {layer for each in attentions for layer in (each.qkv, each.proj)}
    seen = 0
    for layer in layers:
        assert layer.bias is None or not layer.bias.any()
        if layer.weight.numel() >= LARGE:
            variance = (1 if layer in plain else 2) / layer.weight[0].numel()
            assert layer.weight.var().item() == pytest.approx(variance, rel=0.15)
            seen += 1
    assert seen
    scales = [p for key, p in model.named_parameters() if key.endswith("gamma")]
    assert len(scales) == (12 if name == "convnext" else 0) and all((p == 0.5).all() for p in scales)


@pytest.mark.parametrize("name", ["mlp", "alexnet", "resnext", "vit", "mobilevit", "convnext"])
def test_weights_have_the_variances_of_the_rule(name):
    check_rule(name)


def test_seeded_fault_another_gain_is_caught(monkeypatch):
    monkeypatch.setattr(start.math, "sqrt", lambda gain: math.pow(gain, 0.7))
    with pytest.raises(AssertionError):
        check_rule("vit")


def test_seeded_fault_papers_weights_are_caught(monkeypatch):
    monkeypatch.setitem(globals(), "begin", lambda model, layer_scale: model)
    with pytest.raises(AssertionError):
        check_rule("alexnet")


def test_what_is_no_convolution_and_no_linear_layer_stays():
    """A block that begins as its shortcut goes on to do so."""
    before, after = fresh("resnet34", begun=False), fresh("resnet34")
    norms = [key for key, layer in before.named_modules() if isinstance(layer, nn.BatchNorm2d)]
    assert norms
    for key in norms:
        assert torch.equal(before.get_submodule(key).weight, after.get_submodule(key).weight)
    before, after = fresh("vit", begun=False), fresh("vit")
    assert before.pos_embed.any() and torch.equal(before.pos_embed, after.pos_embed)
