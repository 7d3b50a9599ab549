"""Exact counts, and the comparison of a row with its peer in another library, for the tests of
EfficientNet.
"""

import math

import pytest
import timm
import torch
import torchvision
from torch import nn

from dlbook.models.efficientnet import VARIANTS, EfficientNet, StochasticDepth
from dlbook.models.efficientnet_weights import load_timm_state, load_torchvision_state

# row: parameters and MACs (convolutions and linear layers) with 1,000 classes at the row's resolution;
# counted in torchvision
# 0.29.1 (B0-B7) and timm 1.0.31 (Lite0). Table 2 of the paper: 5.3M 0.39B, 7.8M 0.70B, 9.2M 1.0B, 12M 1.8B,
# 19M 4.2B, 30M
# 9.9B, 43M 19B, 66M 37B.
COUNTS = {
    "efficientnet_b0": (5_288_548, 385_814_752),
    "efficientnet_b1": (7_794_184, 686_802_832),
    "efficientnet_b2": (9_109_994, 993_561_872),
    "efficientnet_b3": (12_233_232, 1_827_141_392),
    "efficientnet_b4": (19_341_616, 4_393_771_024),
    "efficientnet_b5": (30_389_784, 10_266_384_752),
    "efficientnet_b6": (43_040_704, 19_067_593_536),
    "efficientnet_b7": (66_347_960, 37_745_884_192),
    "efficientnet_lite0": (4_652_008, 385_187_552),
}


def counts(name: str) -> tuple[int, int]:
    """Parameters and MACs of a row, counted on `meta` by hooks."""
    macs = []

    def hook(layer, _, output):
        if isinstance(layer, nn.Conv2d):
            macs.append(output[0].numel() * math.prod(layer.kernel_size) * layer.in_channels // layer.groups)
        elif isinstance(layer, nn.Linear):
            macs.append(layer.in_features * layer.out_features)

    with torch.device("meta"):
        model = EfficientNet(VARIANTS[name]).eval()
        for layer in model.modules():
            layer.register_forward_hook(hook)
        model(torch.empty(1, 3, VARIANTS[name].resolution, VARIANTS[name].resolution))
    return sum(parameter.numel() for parameter in model.parameters()), sum(macs)


def peer_of(name: str) -> tuple[nn.Module, callable]:
    """The same net of another library with fresh weights, no dropping of any kind, and the function that
    imports its state.
    """
    if name.endswith("_torchvision"):
        peer = torchvision.models.get_model(
            name.removesuffix("_torchvision"), stochastic_depth_prob=0.0, dropout=0.0
        )
        load = load_torchvision_state
    else:
        peer, load = timm.create_model("tf_" + name, drop_rate=0.0, drop_path_rate=0.0), load_timm_state
        for layer in (
            peer.modules()
        ):  # the one named difference: timm leaves torch's momentum, the authors' code has 0.01
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 0.01
    return peer.double(), load


def shake(model: nn.Module) -> None:
    """Random values everywhere, so that no gamma is 1, no beta 0, no running mean 0 and no bias 0."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point() and tensor.ndim < 2:
                tensor.add_(torch.randn_like(tensor) * 0.2)
            elif tensor.is_floating_point():
                tensor.normal_(std=1 / math.sqrt(tensor[0].numel()))


def still(model: nn.Module) -> nn.Module:
    """Our model without dropout and stochastic depth."""
    for layer in model.modules():
        if isinstance(layer, StochasticDepth):
            layer.drop_prob = 0.0
        elif isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return model


def difference(ours: torch.Tensor, theirs: torch.Tensor, scale: float = 0.0) -> float:
    """Largest difference relative to the largest magnitude (at least `scale`)."""
    return ((ours - theirs).abs().max() / max(theirs.abs().max().item(), scale, 1e-300)).item()


def check_parity(name: str, build=EfficientNet, size: tuple[int, int] = (64, 90)) -> None:
    """Row `name` equals its peer to 1e-10 in float64: evaluation, training, every gradient, the state after a
    training step.
    """
    torch.manual_seed(0)
    peer, load = peer_of(name)
    shake(peer)
    ours, mirror = (still(build(VARIANTS[name], 1000, 3)).double() for _ in range(2))
    load(ours, peer.state_dict())
    images, target = torch.randn(2, 3, *size, dtype=torch.float64), torch.randn(2, 1000, dtype=torch.float64)
    with torch.no_grad():
        assert difference(ours.eval()(images), peer.eval()(images)) < 1e-10, "evaluation mode"
    outputs = []
    for model in (ours, peer):
        model.train().zero_grad()
        outputs.append(model(images))
        ((outputs[-1] - target) ** 2).mean().backward()
    assert difference(*outputs) < 1e-10, "training mode"
    load(mirror, peer.state_dict() | {key: parameter.grad for key, parameter in peer.named_parameters()})
    gradients = dict(mirror.named_parameters())
    for key, parameter in ours.named_parameters():
        assert difference(parameter.grad, gradients[key].data, scale=1e-6) < 1e-10, f"gradient of {key}"
    for model in (ours, peer):
        torch.optim.SGD(model.parameters(), lr=0.1).step()
    load(mirror, peer.state_dict())
    expected = mirror.state_dict()
    for key, tensor in ours.state_dict().items():
        assert difference(tensor.double(), expected[key].double()) < 1e-10, f"{key} after one training step"


def check_counts(name: str) -> None:
    """Exact parameters and MACs of a row."""
    assert counts(name) == COUNTS[name.removesuffix("_torchvision")]


def check_drop_schedule(model: nn.Module, drop_prob: float = 0.2) -> None:
    """0.2 i / n for block i of n, counted from 0 over the whole net: none at the first block."""
    probs = [layer.drop_prob for layer in model.modules() if isinstance(layer, StochasticDepth)]
    assert probs == pytest.approx([drop_prob * i / len(probs) for i in range(len(probs))])


def check_initialisation(model: nn.Module) -> None:
    """The authors' initial distributions, by their standard deviations."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            out = 1 if layer.groups > 1 else layer.out_channels
            std = math.sqrt(2 / (out * layer.kernel_size[0] * layer.kernel_size[1]))
            spread = 6 / math.sqrt(2 * layer.weight.numel())  # six standard errors of a standard deviation
            assert layer.weight.std().item() == pytest.approx(std, rel=spread), layer
            assert layer.bias is None or not layer.bias.any()
        elif isinstance(layer, nn.Linear):
            bound = 1 / math.sqrt(layer.out_features)
            assert layer.weight.abs().max() <= bound and layer.weight.std().item() == pytest.approx(
                bound / math.sqrt(3), rel=0.02
            )
            assert not layer.bias.any()
        elif isinstance(layer, nn.BatchNorm2d):
            assert (layer.weight == 1).all() and not layer.bias.any()
