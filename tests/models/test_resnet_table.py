"""The rows of ResNet's table: exact parameters, MACs, stage shapes and receptive fields, with their sources;
and what a row, an image or a state dict that does not fit is told. The arithmetic: ``test_resnet.py``.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlbook.measure.feature_maps import feature_maps
from dlbook.models.resnet import (
    VARIANTS,
    BasicBlock,
    Bottleneck,
    BottleneckV15,
    Config,
    PlainBlock,
    ResNet,
    resnet,
    zero_init_last_gamma,
)
from dlbook.models.resnet_weights import load_torchvision_state
from tests.models.residual_checks import count
from tests.oracles.resnet_reference import imagenet_reference

# parameters and MACs (224 x 224 or 32 x 32). Sources: torchvision 0.29.1, the same with the stride moved
# (v1),
# the paper's CIFAR nets built and counted, pytorchcv 0.0.74 for option B.
COUNTS = {
    "resnet18": (11_689_512, 1_814_073_344),
    "resnet34": (21_797_672, 3_663_761_408),
    "resnet50": (25_557_032, 3_857_973_248),
    "resnet101": (44_549_160, 7_570_194_432),
    "resnet152": (60_192_808, 11_282_415_616),
    "resnet18_v1_5": (11_689_512, 1_814_073_344),
    "resnet34_v1_5": (21_797_672, 3_663_761_408),
    "resnet50_v1_5": (25_557_032, 4_089_184_256),
    "resnet101_v1_5": (44_549_160, 7_801_405_440),
    "resnet152_v1_5": (60_192_808, 11_513_626_624),
    "resnet20_cifar": (269_722, 40_551_040),
    "resnet32_cifar": (464_154, 68_862_592),
    "resnet44_cifar": (658_586, 97_174_144),
    "resnet56_cifar": (853_018, 125_485_696),
    "resnet110_cifar": (1_727_962, 252_887_680),
    "resnet20_cifar_b": (272_474, 40_813_184),
    "resnet56_cifar_b": (855_770, 125_747_840),
    "resnet110_cifar_b": (1_730_714, 253_149_824),
}
SAME_COST = {  # option A and the plain control cost the same: a padded shortcut computes nothing
    "plain18": "resnet18_a",
    "plain34": "resnet34_a",
    **{f"plain{layers}_cifar": f"resnet{layers}_cifar" for layers in (20, 32, 44, 56)},
}


def build(name):
    with torch.device("meta"):
        return resnet(name)


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_macs(name):
    assert count(build(name), 32 if "cifar" in name else 224) == COUNTS[name]


@pytest.mark.parametrize(("plain", "padded"), SAME_COST.items())
def test_plain_and_option_a_cost_the_same(plain, padded):
    size = 32 if "cifar" in plain else 224
    assert count(build(plain), size) == count(build(padded), size)


@pytest.mark.parametrize("name", VARIANTS)
def test_names_tell_the_number_of_weighted_layers(name):
    """The paper counts the stem, the main-path convolutions and the linear layer; projections do not
    count.
    """
    main = [
        m
        for n, m in build(name).named_modules()
        if isinstance(m, (nn.Conv2d, nn.Linear)) and "downsample" not in n
    ]
    digits = "".join(c for c in name.split("_")[0] if c.isdigit())
    assert len(main) == int(digits)


@pytest.mark.parametrize("name", [n for n in VARIANTS if "cifar" not in n])
def test_imagenet_stage_shapes(name):
    """Table 1: 56, 56, 28, 14, 7 pixels; 64 to 512 channels, four times as many after a bottleneck."""
    expansion = VARIANTS[name].block.expansion
    shapes = [
        tuple(x.shape) for x in feature_maps(build(name).eval(), torch.empty(2, 3, 224, 224, device="meta"))
    ]
    widths = [w * expansion for w in (64, 128, 256, 512)]
    assert shapes == [(2, 64, 56, 56), *((2, w, s, s) for w, s in zip(widths, (56, 28, 14, 7), strict=True))]


@pytest.mark.parametrize("name", [n for n in VARIANTS if "cifar" in n])
def test_cifar_stage_shapes(name):
    shapes = [
        tuple(x.shape) for x in feature_maps(build(name).eval(), torch.empty(2, 3, 32, 32, device="meta"))
    ]
    assert shapes == [(2, 16, 32, 32), (2, 16, 32, 32), (2, 32, 16, 16), (2, 64, 8, 8)]


BLOCKS = st.sampled_from([BasicBlock, Bottleneck, BottleneckV15, PlainBlock])


@settings(max_examples=40)
@given(
    BLOCKS,
    st.integers(1, 70),
    st.integers(1, 70),
    st.sampled_from("AB"),
    st.sampled_from(["imagenet", "cifar"]),
)
def test_any_size_goes_through_and_each_stride_rounds_up(block, height, width, shortcut, stem):
    shortcut = None if block is PlainBlock else shortcut
    with torch.device("meta"):
        model = ResNet(Config(block, (1, 2, 1), (4, 6, 10), stem, shortcut, 5), in_channels=2).eval()
    images = torch.empty(2, 2, height, width, device="meta")
    half = lambda n, times: half(-(-n // 2), times - 1) if times else n
    first = 2 if stem == "imagenet" else 0
    for index, features in enumerate(feature_maps(model, images)):
        times = first + max(index - 1, 0)
        assert features.shape[2:] == (half(height, times), half(width, times))
    assert model(images).shape == (2, 5)


def receptive_field(name):
    """r = 1 + sum over layers of (k - 1) times the product of the strides before it, along the main path."""
    config, field, jump = VARIANTS[name], 1, 1
    layers = [(7, 2), (3, 2)] if config.stem == "imagenet" else [(3, 1)]
    for stage, depth in enumerate(config.depths):
        for position in range(depth):
            stride = 2 if stage and not position else 1
            if issubclass(config.block, Bottleneck):
                layers += (
                    [(1, stride), (3, 1), (1, 1)]
                    if config.block is Bottleneck
                    else [(1, 1), (3, stride), (1, 1)]
                )
            else:
                layers += [(3, stride), (3, 1)]
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump *= stride
    return field


def linear_and_thin(name):
    """The same geometry with 1 to 2 channels, positive weights, no BN, average pooling: every path reaches
    the output.
    """
    config = VARIANTS[name]
    thin = Config(config.block, config.depths, (1,) * len(config.depths), config.stem, config.shortcut)
    model = ResNet(thin, 1, 1).double()
    for parent in model.modules():
        for child_name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, child_name, nn.Identity())
            if isinstance(child, nn.MaxPool2d):
                setattr(parent, child_name, nn.AvgPool2d(3, 2, 1))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1.0 / module.kernel_size[0] ** 2)
    return model


FIELDS = {
    "resnet18": 435,
    "resnet34": 899,
    "resnet50": 483,
    "resnet50_v1_5": 427,
    "resnet101": 1027,
    "resnet20_cifar": 81,
}


@pytest.mark.parametrize("name", FIELDS)
def test_receptive_field_by_formula_and_by_the_support_of_a_gradient(name):
    assert receptive_field(name) == FIELDS[name]
    size = FIELDS[name] + 64
    image = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    features = feature_maps(linear_and_thin(name), image + 1.0)[-1]
    middle = features.shape[-1] // 2
    features[0, 0, middle, middle].backward()
    assert (
        (image.grad[0, 0].abs().sum(0) > 0).sum() == (image.grad[0, 0].abs().sum(1) > 0).sum() == FIELDS[name]
    )


def test_receptive_field_check_tells_v1_from_v1_5():
    assert receptive_field("resnet50") != receptive_field("resnet50_v1_5")


@pytest.mark.parametrize("name", ["resnet51", "ResNet50", "", None, ["resnet18"], 18])
def test_unknown_name(name):
    with pytest.raises(ValueError, match="expected the name of a variant, got .*resnet50_v1_5"):
        resnet(name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depths": ()}, "one entry a stage"),
        ({"depths": (2, 2, 2)}, "one entry a stage"),
        ({"depths": (2, 0, 2, 2)}, "each depth"),
        ({"widths": (64, 128, -1, 512)}, "each width"),
        ({"stem": "mnist"}, "stem.*'mnist'"),
        ({"shortcut": "C"}, "shortcut.*'C'"),
        ({"block": PlainBlock}, "shortcut.*'B'"),
        ({"shortcut": None}, "shortcut.*None"),
        ({"num_classes": 0}, "num_classes"),
    ],
)
def test_config_is_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        Config(**{"block": BasicBlock, "depths": (2, 2, 2, 2), **changes})


@pytest.mark.parametrize("config", ["resnet18", None, {"depths": (1,)}])
def test_the_network_wants_a_config(config):
    with pytest.raises(ValueError, match="VARIANTS"):
        ResNet(config)


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(3, 32, 32),
        torch.zeros(2, 1, 32, 32),
        torch.zeros(2, 32, 32, 3),
        torch.zeros(2, 3, 32, 32, dtype=torch.uint8),
        torch.zeros(0, 3, 32, 32),
        torch.zeros(2, 3, 0, 32),
    ],
    ids=lambda x: f"{x.dtype}{list(x.shape)}",
)
def test_images_are_checked(images):
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\], got"):
        resnet("resnet20_cifar")(images)


def test_import_names_the_first_tensor_that_does_not_fit():
    state = imagenet_reference("50").state_dict()
    with pytest.raises(ValueError, match=r"'layer1.0.conv1.weight' of shape \[64, 64, 3, 3\]"):
        load_torchvision_state(resnet("resnet34"), state)
    with pytest.raises(ValueError, match=r"'layer3.6.conv1.weight' .*is missing"):
        load_torchvision_state(resnet("resnet101_v1_5"), state)
    with pytest.raises(ValueError, match=r"'layer3.6.conv1.weight', which has no place"):
        load_torchvision_state(resnet("resnet50_v1_5"), imagenet_reference("101").state_dict())
    with pytest.raises(ValueError, match=r"'conv1.weight' of shape \[64, 1, 7, 7\], got \[64, 3, 7, 7\]"):
        load_torchvision_state(resnet("resnet50_v1_5", in_channels=1), state)
    with pytest.raises(ValueError, match="'conv1.weight'.*str"):
        load_torchvision_state(resnet("resnet50_v1_5"), {**state, "conv1.weight": "file"})


def test_import_refuses_a_v1_bottleneck_net_although_every_tensor_fits():
    with pytest.raises(ValueError, match="build a _v1_5 row"):
        load_torchvision_state(resnet("resnet50"), imagenet_reference("50").state_dict())


def test_zero_init_wants_a_residual_block():
    with pytest.raises(ValueError, match="with a BasicBlock or Bottleneck, got"):
        zero_init_last_gamma(resnet("plain20_cifar"))


def test_rows_are_frozen():
    with pytest.raises(AttributeError):
        VARIANTS["resnet18"].depths = (1, 1, 1, 1)
    assert VARIANTS["resnet50"].block is Bottleneck
