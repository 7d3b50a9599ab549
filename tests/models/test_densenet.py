"""DenseNet: counts by formula, torchvision's weights and arithmetic, CIFAR's rows against nets of
torchvision's parts.
"""

import sys
from collections import OrderedDict

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.measure.feature_maps import feature_maps
from dlbook.models import create
from dlbook.models.densenet import VARIANTS, Config, DenseNet, densenet
from dlbook.models.densenet_weights import load_torchvision_state
from tests.parity import disagreements, randomise

peer = sys.modules[torchvision.models.DenseNet.__module__]

# parameters and MACs at 224 x 224 or 32 x 32: torchvision 0.29.1; BC L = 100 pytorchcv 0.0.74; the others by
# `by_hand`.
# The paper's Table 2 has 1.0, 7.0, 27.2, 0.8, 15.3 and 25.6 million. (pytorchcv's densenet40_k12 has 599,050:
# it compresses.)
COUNTS = {
    "densenet121": (7_978_856, 2_834_161_664),
    "densenet169": (14_149_480, 3_359_843_328),
    "densenet201": (20_013_928, 4_291_365_888),
    "densenet264": (33_337_704, 5_751_653_376),
    "densenet161": (28_681_000, 7_727_907_072),
    "densenet40_cifar": (1_019_722, 264_812_928),
    "densenet100_cifar": (6_979_642, 1_769_516_448),
    "densenet100_k24_cifar": (27_249_082, 6_889_347_744),
    "densenet100_bc_cifar": (769_162, 287_929_692),
    "densenet250_bc_k24_cifar": (15_324_406, 5_418_785_724),
    "densenet190_bc_k40_cifar": (25_624_430, 9_301_945_740),
}


def by_hand(name: str) -> tuple[int, int]:
    """Sum over the layers of Tables 1 and 2: weights k^2 C_in C_out, times the pixels; BN adds twice its
    channels.
    """
    row = VARIANTS[name]
    channels, k, imagenet = row.stem_channels, row.growth_rate, row.stem == "imagenet"
    weights = (49 if imagenet else 9) * 3 * channels
    macs, side = weights * (112 if imagenet else 32) ** 2, 56 if imagenet else 32
    norms = channels if imagenet else 0
    for position, depth in enumerate(row.depths):
        inside = 0
        for _ in range(depth):
            inside += channels * 4 * k + 9 * 4 * k * k if row.bottleneck else 9 * channels * k
            norms += channels + (4 * k if row.bottleneck else 0)
            channels += k
        norms += channels  # of the transition, or at the end
        kept = int(row.compression * channels) if position < len(row.depths) - 1 else 0
        weights, macs = weights + inside + channels * kept, macs + (inside + channels * kept) * side**2
        channels, side = kept or channels, side // 2
    return weights + 2 * norms + (channels + 1) * row.num_classes, macs + channels * row.num_classes


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: densenet(name), (3, 32, 32) if "cifar" in name else (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name] == by_hand(name)


def test_names_tell_the_number_of_weighted_layers():
    """Convolutions, with the stem and the transitions, and the linear layer. Table 1's DenseNet-264 has one
    more than its name.
    """
    for name in VARIANTS:
        layers = sum(isinstance(m, (nn.Conv2d, nn.Linear)) for m in create(name, device="meta").modules())
        assert layers == int(name.removeprefix("densenet").split("_")[0]) + (name == "densenet264")


def test_stage_shapes_are_table_1s():
    maps = feature_maps(
        create("densenet121", device="meta").eval(), torch.empty(2, 3, 224, 224, device="meta")
    )
    assert [tuple(x.shape[1:]) for x in maps] == [
        (64, 56, 56),  # stem, then by turns a block and a transition
        (256, 56, 56),
        (128, 28, 28),
        (512, 28, 28),
        (256, 14, 14),
        (1024, 14, 14),
        (512, 7, 7),
        (1024, 7, 7),
    ]
    maps = feature_maps(
        create("densenet40_cifar", device="meta").eval(), torch.empty(2, 3, 32, 32, device="meta")
    )
    assert [tuple(x.shape[1:]) for x in maps] == [
        (16, 32, 32),
        (160, 32, 32),
        (160, 16, 16),
        (304, 16, 16),
        (304, 8, 8),
        (448, 8, 8),
    ]


class BasicLayer(nn.Module):
    """H of section 3 without a bottleneck, in torchvision's calling convention: a list of maps, concatenated
    here.
    """

    def __init__(self, in_channels, growth_rate):
        super().__init__()
        self.norm1, self.conv1 = (
            nn.BatchNorm2d(in_channels),
            nn.Conv2d(in_channels, growth_rate, 3, padding=1, bias=False),
        )

    def forward(self, features):
        return self.conv1(self.norm1(torch.cat(features, 1)).clamp(min=0))


def cifar_net(row: Config) -> nn.Module:
    """Section 4.2 out of torchvision's dense blocks and transitions."""
    channels, layers = (
        row.stem_channels,
        OrderedDict(conv0=nn.Conv2d(3, row.stem_channels, 3, padding=1, bias=False)),
    )
    for index, depth in enumerate(row.depths, start=1):
        block = layers[f"denseblock{index}"] = peer._DenseBlock(depth, channels, 4, row.growth_rate, 0.0)
        if not row.bottleneck:
            for position, name in enumerate(list(block)):
                block[name] = BasicLayer(channels + position * row.growth_rate, row.growth_rate)
        channels += depth * row.growth_rate
        if index < len(row.depths):
            layers[f"transition{index}"] = peer._Transition(channels, int(channels * row.compression))
            channels = int(channels * row.compression)
    layers[f"norm{len(row.depths) + 1}"] = nn.BatchNorm2d(channels)
    net = peer.DenseNet(4, (1, 1), 4, num_classes=10)
    net.features, net.classifier = nn.Sequential(layers), nn.Linear(channels, 10)
    return net


def pair(name: str) -> tuple[DenseNet, nn.Module]:
    reference = randomise(
        cifar_net(VARIANTS[name]) if "cifar" in name else getattr(torchvision.models, name)(num_classes=7)
    )
    model = densenet(name, num_classes=None if "cifar" in name else 7)
    return load_torchvision_state(model.double(), reference.state_dict()), reference


@pytest.mark.parametrize(
    "name, size",
    [
        ("densenet121", (2, 3, 40, 64)),
        ("densenet40_cifar", (2, 3, 13, 18)),
        ("densenet100_bc_cifar", (2, 3, 12, 9)),
    ],
)
def test_equal_to_the_reference(name, size):
    assert disagreements(*pair(name), size) == []


FIELDS = {"densenet121": 2071, "densenet40_cifar": 174, "densenet100_bc_cifar": 230}


@pytest.mark.parametrize("name", FIELDS)
def test_receptive_field_by_formula_and_by_the_support_of_a_gradient(name):
    """The deepest path: every 3x3 and every pooling. The image is high and narrow; the field is counted down
    its height.
    """
    row = VARIANTS[name]
    field, jump = (11, 4) if row.stem == "imagenet" else (3, 1)
    for position, depth in enumerate(row.depths):
        field += 2 * depth * jump
        if position < len(row.depths) - 1:
            field, jump = field + jump, 2 * jump
    assert field == FIELDS[name] == count(lambda: densenet(name), (3, 32, 32)).receptive_field
    thin = DenseNet(Config(row.depths, 1, 1, row.bottleneck, 1.0, row.stem, 1), in_channels=1).double()
    for parent in list(thin.modules()):
        for child_name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, child_name, nn.Identity())
            if isinstance(child, nn.MaxPool2d):
                setattr(parent, child_name, nn.AvgPool2d(3, 2, 1))
    for module in thin.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1.0 / module.weight[0].numel())
    image = torch.ones(1, 1, field + 96, 40, dtype=torch.float64, requires_grad=True)
    last = feature_maps(thin, image)[-1]
    last[0, :, last.shape[2] // 2, last.shape[3] // 2].sum().backward()
    assert (image.grad[0, 0].sum(1) > 0).sum() == field


def new_first(model: nn.Module) -> None:
    block = model.features.denseblock2
    block.forward = lambda x: [x := torch.cat([layer(x), x], 1) for layer in block.values()][-1]


@pytest.mark.parametrize("change", [{"stem_channels": 24}, {"compression": 0.5}, {"bottleneck": True}])
def test_counts_catch_a_row_with(change):
    """What published copies of the CIFAR net got wrong: 2k maps in the stem, or compression, without BC."""
    wrong = Config(**{**vars(VARIANTS["densenet40_cifar"]), **change})
    assert count(lambda: DenseNet(wrong), (3, 32, 32)).parameters != COUNTS["densenet40_cifar"][0]


def test_dropout_follows_every_convolution_but_the_first():
    model, sites = densenet("densenet40_cifar", drop_prob=0.2), []
    for name, module in model.named_modules():
        if isinstance(module, nn.Dropout) and module.p == 0.2:
            module.register_forward_hook(lambda *_, name=name: sites.append(name))
    model(torch.randn(2, 3, 8, 8))
    convolutions = sum(isinstance(m, nn.Conv2d) for m in model.modules())
    assert len(sites) == convolutions - 1 == 38
    bottlenecks = densenet("densenet100_bc_cifar", drop_prob=0.2)
    hits = []
    bottlenecks.features.denseblock1.denselayer1.dropout.register_forward_hook(
        lambda *_: hits.append(_[2].shape[1])
    )
    bottlenecks(torch.randn(2, 3, 8, 8))
    assert hits == [48, 12]  # after the 1x1 and after the 3x3


def test_initial_spread():
    torch.manual_seed(0)
    model = densenet("densenet121")
    for conv in (
        model.features.conv0,
        model.features.denseblock3.denselayer5.conv1,
        model.features.denseblock3.denselayer5.conv2,
    ):
        error = 5 / (2 * conv.weight.numel()) ** 0.5
        assert abs(conv.weight.std().item() / (2 / conv.weight[0].numel()) ** 0.5 - 1) < error
    assert not model.classifier.bias.any()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "densenet12l"}, "did you mean densenet121"),
        ({"name": "densenet121", "num_classes": 0}, "expected num_classes"),
        ({"name": "densenet121", "in_channels": 0}, "expected in_channels"),
        ({"name": "densenet121", "drop_prob": 1.0}, "expected drop_prob"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        densenet(**arguments)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"compression": 0.0}, "expected compression"),
        ({"stem": "mnist"}, "expected stem to be"),
        ({"depths": ()}, "expected depths"),
        ({"growth_rate": 0}, "expected growth_rate"),
        ({"num_classes": 0}, "expected num_classes"),
    ],
)
def test_bad_rows(change, message):
    with pytest.raises(ValueError, match=message):
        Config(**{"depths": (2, 2), "growth_rate": 4, "stem_channels": 8, **change})


def test_bad_images():
    model = create("densenet121", device="meta")
    with pytest.raises(ValueError, match="at least 29 pixels"):
        model(torch.zeros(1, 3, 28, 64, device="meta"))
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        model(torch.zeros(1, 1, 64, 64, device="meta"))


FAULTS = {
    "no ReLU after the last BN": lambda m: setattr(
        m, "forward", lambda x: m.classifier(m.features(x).mean((2, 3)))
    ),
    "no BN after the last block": lambda m: setattr(m.features, "norm4", nn.Identity()),
    "new maps before the old ones": new_first,
    "max pooling in a transition": lambda m: setattr(m.features.transition1, "pool", nn.MaxPool2d(2)),
    "no BN in a transition": lambda m: setattr(m.features.transition2, "norm", nn.Identity()),
    "a layer not padded": lambda m: setattr(m.features.denseblock1.denselayer3.conv1, "padding", (0, 2)),
    "BN and ReLU after CIFAR's stem": lambda m: m.features.conv0.register_forward_hook(
        lambda *_: F.relu(_[2])
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault):
    ours, reference = pair("densenet40_cifar")
    FAULTS[fault](ours)
    try:
        found = disagreements(ours, reference, (2, 3, 9, 12))
    except (RuntimeError, KeyError) as error:
        found = [str(error)]
    assert found
