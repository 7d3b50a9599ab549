"""MobileViT against Table 4, timm's weights and arithmetic, unfolding in loops, and faults that
people make.
"""

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.measure.feature_maps import feature_maps
from dlbook.models import create
from dlbook.models import mobilevit as module
from dlbook.models.mobilevit import (
    MLP,
    MV2,
    VARIANTS,
    ConvNorm,
    MobileViT,
    MobileViTBlock,
    fold,
    mobilevit,
    unfold,
)
from dlbook.models.mobilevit_weights import load_timm_state, timm_name
from dlbook.nn.attention import SelfAttention
from tests.oracles.peers import PEERS
from tests.parity import disagreements, randomise

# parameters and multiply-accumulates at 256 x 256: timm 1.0.31; the paper says 1.3, 2.3, 5.6 M
COUNTS = {
    "mobilevit_xxs": (1_272_024, 407_364_096),
    "mobilevit_xs": (2_317_848, 1_025_911_808),
    "mobilevit_s": (5_578_632, 2_000_831_488),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: mobilevit(name), (3, 256, 256))
    assert (counts.parameters, counts.macs) == COUNTS[name]


@pytest.mark.parametrize("name", VARIANTS)
def test_stage_shapes(name):
    model = create(name, device="meta")
    shapes = [tuple(x.shape) for x in feature_maps(model, torch.empty(2, 3, 256, 192, device="meta"))]
    widths, divisors = (16, *VARIANTS[name].channels), (2, 2, 4, 8, 16, 32)
    assert shapes == [
        (2, width, 256 // divisor, 192 // divisor) for width, divisor in zip(widths, divisors, strict=True)
    ]
    assert model(torch.empty(2, 3, 256, 192, device="meta")).shape == (2, 1000)


def pair(name: str = "mobilevit_xxs") -> tuple[MobileViT, nn.Module]:
    reference = randomise(timm.create_model(PEERS[name].removeprefix("timm/"), num_classes=7))
    return load_timm_state(mobilevit(name, num_classes=7).double(), reference.state_dict()), reference


@pytest.mark.parametrize(
    "name, size", [("mobilevit_xxs", (64, 128)), ("mobilevit_xxs", (70, 96)), ("mobilevit_xs", (64, 128))]
)
def test_equal_to_timm(name, size):  # 70 x 96 ends on a map of 3 x 3, which is resized
    assert disagreements(*pair(name), (2, 3, *size), timm_name) == []


def naive_unfold(x):
    """Pixel by pixel: which sequence and which place in it."""
    B, d, H, W = x.shape
    out = torch.empty(4 * B, H * W // 4, d)
    for b in range(B):
        for i in range(H):
            for j in range(W):
                out[4 * b + 2 * (i % 2) + j % 2, (i // 2) * (W // 2) + j // 2] = x[b, :, i, j]
    return out


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_unfold_equals_the_loop_and_fold_is_its_inverse(layout):
    x = torch.randn(2, 3, 4, 6).to(memory_format=layout)
    assert torch.equal(unfold(x), naive_unfold(x)) and torch.equal(fold(unfold(x), 4, 6), x)
    with pytest.raises(AssertionError):  # fault: the pixels of a patch in a row, as ViT has them
        assert torch.equal(
            x.reshape(2, 3, 2, 2, 3, 2).permute(0, 2, 4, 3, 5, 1).reshape(8, 6, 3), naive_unfold(x)
        )


def test_pixels_attend_to_their_own_place_in_other_patches():
    block = MobileViTBlock(4, 8, 1).double()
    x = torch.randn(1, 8, 4, 6, dtype=torch.float64, requires_grad=True)
    out = fold(block.norm(block.transformer(unfold(x))), 4, 6)
    out[0, 0, 2, 3].backward()  # not the sum of the channels: a normalised vector's is constant
    seen = x.grad[0].abs().sum(0) > 0
    expected = torch.zeros(4, 6, dtype=torch.bool)
    expected[0::2, 1::2] = True
    assert torch.equal(seen, expected)


def local_field(layers):
    field, jump = 1, 1
    for kernel, stride in layers:
        field, jump = field + (kernel - 1) * jump, jump * stride
    return field


def test_receptive_fields_by_formula_and_by_the_support_of_a_gradient():
    """Convolutions up to the second stage; from the third on, attention sees everything."""
    torch.manual_seed(0)
    model, image = (
        mobilevit("mobilevit_xxs").eval().double(),
        torch.randn(1, 3, 96, 128, dtype=torch.float64, requires_grad=True),
    )
    stem = [(3, 2)]
    stages = [stem, [*stem, (3, 1)], [*stem, (3, 1), (3, 2), (3, 1), (3, 1)]]
    for index, features in enumerate(feature_maps(model, image)):
        image.grad = None
        features[0, :, features.shape[2] // 2, features.shape[3] // 2].sum().backward(retain_graph=True)
        seen = image.grad[0].abs().sum(0) > 0
        if index < len(stages):
            field = local_field(stages[index])
            assert (seen.any(0).sum(), seen.any(1).sum()) == (field, field)
        else:
            assert seen.all()
    assert [local_field(stage) for stage in stages] == [3, 7, 27]


def pixels_of_a_patch(x):
    B, d, H, W = x.shape
    x = x.reshape(B, d, H // 2, 2, W // 2, 2).permute(0, 2, 4, 3, 5, 1)
    return x.reshape(B * (H // 2) * (W // 2), 4, d)


def pixels_of_a_patch_back(x, height, width):
    d = x.shape[-1]
    return (
        x.reshape(-1, height // 2, width // 2, 2, 2, d)
        .permute(0, 5, 1, 3, 2, 4)
        .reshape(-1, d, height, width)
    )


def fused_the_other_way(self, x):
    features = self.widen(self.local(x))
    features = fold(self.norm(self.transformer(unfold(features))), *features.shape[2:])
    return self.fuse(torch.cat([self.narrow(features), x], dim=1))


def local_map_for_shortcut(self, x):
    local = self.local(x)
    features = self.widen(local)
    features = fold(self.norm(self.transformer(unfold(features))), *features.shape[2:])
    return self.fuse(torch.cat([local, self.narrow(features)], dim=1))


def relu6(self, x):
    x = self.bn(self.conv(x))
    return F.relu6(x) if self.act else x


def activation_after_projection(self, x):
    out = F.silu(self.project(self.depthwise(self.expand(x))))
    return x + out if self.residual else out


def no_residual(self, x):
    return self.project(self.depthwise(self.expand(x)))


def every(kind, attribute, value):
    return lambda model, monkeypatch: [
        setattr(layer, attribute, value) for layer in model.modules() if isinstance(layer, kind)
    ]


def attend_within_patches(model, monkeypatch):
    monkeypatch.setattr(module, "unfold", pixels_of_a_patch)
    monkeypatch.setattr(module, "fold", pixels_of_a_patch_back)


def test_initial_statistics():
    torch.manual_seed(0)
    for name, layer in mobilevit("mobilevit_s").named_modules():
        if isinstance(layer, nn.Conv2d) and layer.weight.numel() > 4000:
            expected = (2 / (layer.out_channels * layer.weight[0, 0].numel())) ** 0.5
            assert abs(layer.weight.std() / expected - 1) < 6 / (2 * layer.weight.numel()) ** 0.5, name
        if isinstance(layer, nn.Linear):
            assert (
                abs(layer.weight.std() / 0.02 - 1) < 6 / (2 * layer.weight.numel()) ** 0.5
                and (layer.bias == 0).all()
            ), name


def test_channels_last_stays_and_changes_nothing():
    model, images = mobilevit("mobilevit_xxs").eval(), torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        expected = feature_maps(model, images)[-1]
        found = feature_maps(
            model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
        )
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x in found)
    torch.testing.assert_close(found[-1], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "mobilevit_l"}, "did you mean mobilevit_"),
        ({"name": "mobilevit_s", "num_classes": 0}, "expected num_classes"),
        ({"name": "mobilevit_s", "in_channels": 0}, "expected in_channels"),
        ({"name": "mobilevit_s", "drop_prob": -0.5}, "expected drop_prob"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        mobilevit(**arguments)


def test_bad_images():
    model = create("mobilevit_xs", device="meta")
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        model(torch.zeros(1, 1, 64, 64, device="meta"))


FAULTS = {
    "attention within patches": attend_within_patches,
    "fusion the other way": lambda model, monkeypatch: monkeypatch.setattr(
        MobileViTBlock, "forward", fused_the_other_way
    ),
    "local map for shortcut": lambda model, monkeypatch: monkeypatch.setattr(
        MobileViTBlock, "forward", local_map_for_shortcut
    ),
    "ReLU6 of MobileNetV2": lambda model, monkeypatch: monkeypatch.setattr(ConvNorm, "forward", relu6),
    "GELU in the MLP": lambda model, monkeypatch: monkeypatch.setattr(
        MLP, "forward", lambda self, x: self.fc2(F.gelu(self.fc1(x)))
    ),
    "activation after projection": lambda model, monkeypatch: monkeypatch.setattr(
        MV2, "forward", activation_after_projection
    ),
    "no residual": lambda model, monkeypatch: monkeypatch.setattr(MV2, "forward", no_residual),
    "epsilon of ViT": every(nn.LayerNorm, "eps", 1e-6),
    "two heads": every(SelfAttention, "num_heads", 2),
    "momentum of TensorFlow": every(nn.BatchNorm2d, "momentum", 0.9),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault, monkeypatch):
    model, reference = pair()
    FAULTS[fault](model, monkeypatch)
    assert disagreements(model, reference, (2, 3, 64, 128), timm_name)
