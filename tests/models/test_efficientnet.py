"""EfficientNet: exact counts and shapes, equality with torchvision and timm, behaviour at the boundary."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlbook.measure.feature_maps import feature_maps
from dlbook.models import create, efficientnet, variants
from dlbook.models import efficientnet as module
from dlbook.models.efficientnet import VARIANTS, ConvNorm, EfficientNet, SameConv2d
from tests.models.efficientnet_checks import (
    check_counts,
    check_drop_schedule,
    check_initialisation,
    check_parity,
    still,
)

SMALL = ["efficientnet_b0", "efficientnet_b0_torchvision", "efficientnet_lite0"]


# ---- counts and shapes


@pytest.mark.parametrize("name", VARIANTS)
def test_counts(name):
    check_counts(name)


def test_stage_shapes_are_table_1():
    """Resolution and channels of B0 after the stem, each stage and the head."""
    with torch.device("meta"):
        model = EfficientNet(VARIANTS["efficientnet_b0"])
        maps = feature_maps(model, torch.empty(1, 3, 224, 224))
        maps.append(model.head(maps[-1]))
    expected = [(32, 112), (16, 112), (24, 56), (40, 28), (80, 14), (112, 14), (192, 7), (320, 7), (1280, 7)]
    assert [(m.shape[1], m.shape[2]) for m in maps] == expected and all(
        m.shape[2] == m.shape[3] for m in maps
    )


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("size", [(32, 47), (33, 64), (1, 1)])
def test_every_side_is_halved_upwards(name, size):
    with torch.device("meta"):
        model = EfficientNet(VARIANTS[name]).eval()
        maps = feature_maps(model, torch.empty(1, 3, *size))
        maps.append(model.head(maps[-1]))
    for feature_map, stride in zip(maps, (2, 2, 4, 8, 16, 16, 32, 32, 32)):
        assert feature_map.shape[2:] == tuple(math.ceil(side / stride) for side in size)


def test_compound_scaling():
    depth, width, resolution = module.compound_scaling(1)
    assert (depth, width, resolution) == (1.2, 1.1, 1.15)
    assert depth * width**2 * resolution**2 == pytest.approx(2, rel=0.05)  # the paper's constraint
    assert module.compound_scaling(0) == (1, 1, 1)


# ---- equality with the peers


@pytest.mark.parametrize("name", [*SMALL, "efficientnet_b3"])
def test_equals_its_peer(name):
    """The rows that differ in kind, and one that is scaled; `check_zoo.py` compares all of them where the
    family changed, and each week.
    """
    check_parity(name)


def naive_same(x, weight, stride):
    """Convolution of one map with one kernel, padded as TensorFlow documents "SAME", by loops."""
    (height, width), k = x.shape, weight.shape[0]
    rows, columns = -(-height // stride), -(-width // stride)
    top = max((rows - 1) * stride + k - height, 0) // 2
    left = max((columns - 1) * stride + k - width, 0) // 2
    out = torch.zeros(rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            for a in range(k):
                for b in range(k):
                    r, c = i * stride + a - top, j * stride + b - left
                    if 0 <= r < height and 0 <= c < width:
                        out[i, j] += weight[a, b] * x[r, c]
    return out


@settings(max_examples=40)
@given(h=st.integers(1, 9), w=st.integers(1, 9), k=st.sampled_from([1, 3, 5]), stride=st.integers(1, 3))
def test_same_padding_equals_loops(h, w, k, stride):
    layer = SameConv2d(1, 1, k, stride, bias=False).double()
    x = torch.randn(1, 1, h, w, dtype=torch.float64)
    torch.testing.assert_close(
        layer(x)[0, 0], naive_same(x[0, 0], layer.weight[0, 0].detach(), stride), rtol=1e-12, atol=1e-12
    )


# ---- stochastic depth and initialisation


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_b3"])
def test_drop_schedule(name):
    check_drop_schedule(EfficientNet(VARIANTS[name]))


def test_initialisation():
    torch.manual_seed(0)
    check_initialisation(EfficientNet(VARIANTS["efficientnet_b0"]))


# ---- how it runs


@pytest.mark.parametrize("name", SMALL)
def test_autocast_and_channels_last(name):
    torch.manual_seed(0)
    model, images = EfficientNet(VARIANTS[name], 10).eval(), torch.randn(2, 3, 64, 48)
    plain = model(images)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert model(images).dtype == torch.bfloat16
    model, images = model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    assert all(m.is_contiguous(memory_format=torch.channels_last) for m in feature_maps(model, images))
    torch.testing.assert_close(model(images), plain, rtol=1e-3, atol=1e-4)


def test_export():
    model, images = EfficientNet(VARIANTS["efficientnet_b0"], 10).eval(), torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(torch.export.export(model, (images,)).module()(images), model(images))


def test_train_mode_drops_and_eval_mode_does_not():
    torch.manual_seed(0)
    model, images = EfficientNet(VARIANTS["efficientnet_lite0"], 10), torch.randn(4, 3, 64, 64)
    assert torch.equal(model.eval()(images), model(images))
    first, second = (copy.deepcopy(model).train()(images) for _ in range(2))
    assert not torch.equal(first, second)
    first, second = (still(copy.deepcopy(model)).train()(images) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", SMALL)
def test_cuda_equals_cpu(name):
    model, images = (
        EfficientNet(VARIANTS[name], 10).double().eval(),
        torch.randn(2, 3, 64, 48, dtype=torch.float64),
    )
    expected = model(images)
    torch.testing.assert_close(model.cuda()(images.cuda()).cpu(), expected, rtol=1e-8, atol=1e-8)


# ---- arguments


def test_lookup():
    names = variants()
    assert set(VARIANTS) <= set(names) and names["efficientnet_b0"] == "efficientnet"
    assert create("efficientnet_lite0", num_classes=7, in_channels=1)(torch.zeros(2, 1, 32, 32)).shape == (
        2,
        7,
    )
    for row in ("efficientnet_b00", "EfficientNet_B0", "efficentnet_b0"):
        with pytest.raises(
            ValueError, match="expected the name of a variant, got .*did you mean .*efficientnet_b"
        ):
            create(row)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_classes": 0}, "num_classes to be a whole number >= 1, got 0"),
        ({"in_channels": -1}, "expected in_channels"),
        (
            {"name": "efficientnet_b8"},
            "expected the name of a variant, got 'efficientnet_b8'; did you mean efficientnet_b",
        ),
    ],
)
def test_refuses_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        efficientnet.efficientnet(**({"name": "efficientnet_b0"} | arguments))


@pytest.mark.parametrize(
    "change", [{"width": 0}, {"resolution": 0}, {"dropout": 1.0}, {"drop_prob": -0.1}, {"padding": "valid"}]
)
def test_refuses_configurations(change):
    fields = {"width": 1.0, "depth": 1.0, "resolution": 224, "dropout": 0.2}
    with pytest.raises(ValueError, match=next(iter(change))):
        module.Config(**(fields | change))


@pytest.mark.parametrize(
    "images",
    [torch.zeros(3, 32, 32), torch.zeros(1, 1, 32, 32), torch.zeros(1, 3, 32, 32, dtype=torch.uint8)],
)
def test_refuses_images(images):
    with pytest.raises(ValueError, match=r"expected images as float \[B, 3, H, W\]"):
        EfficientNet(VARIANTS["efficientnet_lite0"], 10)(images)


def test_conv_norm_has_no_bias_and_no_activation_unasked():
    layer = ConvNorm(VARIANTS["efficientnet_b0"], 2, 4)
    assert layer.conv.bias is None and layer(torch.randn(8, 2, 4, 4)).min() < 0
