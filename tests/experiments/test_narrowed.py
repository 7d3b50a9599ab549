"""A narrowed network is the paper's with a share of its channels, and its signals are as strong."""

from fractions import Fraction

import pytest
import torch
from torch import nn

from dlbook.models import alexnet, googlenet, vgg, wide_resnet
from experiments.networks import narrowed as module
from experiments.networks.narrowed import narrowed

WIDE = {
    "alexnet": (lambda: alexnet.AlexNet(alexnet.Config(padding=2), 20), Fraction(1, 8)),
    "vgg": (lambda: vgg.vgg("vgg11_bn", 20), Fraction(3, 32)),
    "googlenet": (lambda: googlenet.googlenet("googlenet_no_heads", 20), Fraction(1, 4)),
    "wide_resnet": (lambda: wide_resnet.wide_resnet("wide_resnet50_2", 20), Fraction(1, 8)),
}


def check_widths(build, keep):
    """Every tensor keeps the share of its channels, but the images' colours and the classes."""
    with torch.device("meta"):
        before = {name: tuple(value.shape) for name, value in build().state_dict().items()}
        model = narrowed(build(), keep)
    after = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    assert before.keys() == after.keys()
    weights = [name for name, shape in before.items() if len(shape) > 1]
    for name, shape in before.items():
        expected = [size if axis > 1 else size * keep for axis, size in enumerate(shape)]
        if name == weights[0]:
            expected[1] = shape[1]
        if name.rpartition(".")[0] == weights[-1].rpartition(".")[0]:
            expected[0] = shape[0]
        assert after[name] == tuple(expected), name
    for layer in model.modules():  # what a layer says of itself is what it has
        if isinstance(layer, nn.Conv2d):
            assert layer.weight.shape[:2] == (layer.out_channels, layer.in_channels // layer.groups)
        if isinstance(layer, nn.Linear):
            assert layer.weight.shape == (layer.out_features, layer.in_features)


@pytest.mark.parametrize("name", WIDE)
def test_widths(name):
    check_widths(*WIDE[name])


def chain():
    """Convolutions and a linear layer whose outputs have variance 1 at any width, if the start is scaled."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 64, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.Conv2d(64, 256, 3, groups=2, bias=False),
        nn.Flatten(),
        nn.Linear(256, 512, bias=False),
    )
    for layer in model:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            fan_in = layer.weight[0].numel()
            nn.init.normal_(layer.weight, 0, fan_in**-0.5)
    return model.eval()


def check_strength():
    model = narrowed(nn.Sequential(*chain(), nn.Linear(512, 7)), Fraction(1, 4))[:-1]
    outputs = model(torch.randn(400, 3, 5, 5, generator=torch.Generator().manual_seed(1)))
    assert outputs.shape == (400, 128) and 0.8 < outputs.var() < 1.25


def test_signals_are_as_strong():
    check_strength()


def test_seeded_fault_unscaled_weights_are_caught(monkeypatch):
    monkeypatch.setattr(module.math, "sqrt", lambda share: 1.0)
    with pytest.raises(AssertionError):
        check_strength()


def test_seeded_fault_another_share_is_caught(monkeypatch):
    monkeypatch.setattr(module, "_narrow_norm", lambda norm, keep: None)
    with pytest.raises(AssertionError):
        check_widths(*WIDE["wide_resnet"])


def test_the_kept_weights_are_the_first_ones():
    wide, slim = chain(), narrowed(nn.Sequential(*chain(), nn.Linear(512, 7)), Fraction(1, 4))
    assert torch.equal(slim[0].weight, wide[0].weight[:16])  # all three colours, so the same strength
    assert torch.allclose(slim[2].weight, 2 * wide[2].weight[:64, :8])
    assert torch.allclose(slim[4].weight, 2 * wide[4].weight[:128, :64])


def test_a_share_that_cuts_a_channel_is_refused():
    with pytest.raises(ValueError, match="whole channels of 64, got 1/128 of them, 0.5; take one whose"):
        narrowed(chain(), Fraction(1, 128))
