"""GoogLeNet: counts, torchvision's weights and arithmetic with both heads, the paper's form against
torchvision's parts.
"""

import sys

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.measure.feature_maps import feature_maps
from dlbook.models import create
from dlbook.models.googlenet import (
    HEADS,
    TABLE,
    VARIANTS,
    GoogLeNet,
    Logits,
    Widths,
    googlenet,
    training_loss,
)
from dlbook.models.googlenet_weights import load_torchvision_state, rename_torchvision
from tests.parity import close, disagreements, randomise

# parameters and multiply-accumulates at 224 x 224, heads silent: torchvision 0.29.1; the paper's form is
# Caffe's bvlc_googlenet
COUNTS = {
    "googlenet": (13_378_280, 1_582_671_872),
    "googlenet_no_heads": (6_998_552, 1_582_671_872),
    "googlenet_torchvision": (13_004_888, 1_498_376_192),
    "googlenet_torchvision_no_heads": (6_624_904, 1_498_376_192),
}
peer = sys.modules[torchvision.models.GoogLeNet.__module__]  # torchvision.models.googlenet is a function
SIZE = (2, 3, 80, 104)  # maps of 5 x 7 pixels at the heads, so that the window of the paper counts


def torchvision_net(**options) -> nn.Module:
    return peer.GoogLeNet(num_classes=7, init_weights=False, **options)


class BiasedConv(nn.Module):
    """The paper's convolution, in the place of torchvision's with BN."""

    def __init__(self, in_channels, out_channels, **options):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, **options)

    def forward(self, x):
        return self.conv(x).clamp(min=0)


class PaperAux(peer.InceptionAux):
    def forward(self, x):
        return super().forward(F.avg_pool2d(x, 5, 3) if min(x.shape[2:]) >= 5 else x)


def paper_net() -> nn.Module:
    """Table 1 and section 5 out of torchvision's parts and torch's LRN, which divides alpha by n."""
    conv_aux = lambda channels, classes, dropout: PaperAux(channels, classes, BiasedConv, dropout)
    inception = lambda *widths: peer.Inception(*widths, conv_block=BiasedConv)
    net = torchvision_net(blocks=[BiasedConv, inception, conv_aux])
    for module in net.modules():
        if isinstance(module, peer.Inception):
            old = module.branch3[1].conv
            module.branch3[1].conv = nn.Conv2d(old.in_channels, old.out_channels, 5, padding=2)
    lrn = lambda: nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
    net.maxpool1 = nn.Sequential(net.maxpool1, lrn())
    net.maxpool2 = nn.Sequential(lrn(), net.maxpool2)
    net.maxpool4 = nn.MaxPool2d(3, 2, ceil_mode=True)
    return net


def pair(name: str) -> tuple[GoogLeNet, nn.Module]:
    reference = randomise(torchvision_net() if "torchvision" in name else paper_net())
    return load_torchvision_state(
        randomise(googlenet(name, num_classes=7)), reference.state_dict()
    ), reference


def differing_heads(ours: GoogLeNet, reference: nn.Module) -> list[str]:
    """The three logits in training and the gradients of the whole loss, for every parameter; the loss is
    written out here.
    """
    images = torch.randn(SIZE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    labels, found = torch.tensor([3, 0]), []
    outputs = ours.train()(images)
    main, aux2, aux1 = reference.train()(images)
    pairs = {
        "logits": (outputs.logits, main),
        "head 4d": (outputs.head_4d, aux2),
        "head 4a": (outputs.head_4a, aux1),
    }
    found += [name for name, (mine, theirs) in pairs.items() if not close(mine, theirs)]
    training_loss(outputs, labels).backward()
    likelihoods = [logits.log_softmax(1)[[0, 1], labels].mean() for logits in (main, aux2, aux1)]
    (-likelihoods[0] - 0.3 * likelihoods[1] - 0.3 * likelihoods[2]).backward()
    own = dict(ours.named_parameters())
    found += [
        name
        for name, p in reference.named_parameters()
        if not close(own[rename_torchvision(name)].grad, p.grad, 1e-8)
    ]
    return found


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: googlenet(name), (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name]


def test_stage_shapes_are_table_1s():
    maps = feature_maps(create("googlenet", device="meta").eval(), torch.empty(2, 3, 224, 224, device="meta"))
    shapes = {name: tuple(x.shape[1:]) for name, x in zip(("stem", *TABLE), maps, strict=True)}
    assert shapes == {
        "stem": (192, 28, 28),
        "3a": (256, 28, 28),
        "3b": (480, 28, 28),
        "4a": (512, 14, 14),
        "4b": (512, 14, 14),
        "4c": (512, 14, 14),
        "4d": (528, 14, 14),
        "4e": (832, 14, 14),
        "5a": (832, 7, 7),
        "5b": (1024, 7, 7),
    }


@pytest.mark.parametrize("name", ["googlenet_torchvision", "googlenet"])
def test_equal_to_the_reference(name):
    ours, reference = pair(name)
    assert disagreements(ours, reference, SIZE, rename_torchvision) == []
    assert differing_heads(*pair(name)) == []


def test_heads_pool_as_the_paper_at_224():
    """14x14 maps: the paper's 5x5/3 windows begin at 0, 3, 6, 9; torchvision's adaptive ones at 0, 3, 7, 10
    with side 4.
    """
    x = torch.randn(1, 512, 14, 14, generator=torch.Generator().manual_seed(0))
    for name, windows in {
        "googlenet": [(0, 5), (3, 5), (6, 5), (9, 5)],
        "googlenet_torchvision": [(0, 4), (3, 4), (7, 4), (10, 4)],
    }.items():
        head = googlenet(name, num_classes=2).eval().heads["4a"]
        pooled = [[x[:, :, i : i + h, j : j + w].mean((2, 3)) for j, w in windows] for i, h in windows]
        grid = torch.stack([torch.stack(row, -1) for row in pooled], -2)
        expected = head.fc2(F.relu(head.fc1(head.conv(grid).flatten(1))))
        torch.testing.assert_close(head(x), expected, rtol=1e-4, atol=1e-5)


def test_heads_speak_in_training_only():
    model, images = googlenet(num_classes=4), torch.randn(2, 3, 32, 40)
    assert isinstance(model(images), Logits) and [tuple(x.shape) for x in model(images)] == [(2, 4)] * 3
    assert model.eval()(images).shape == (2, 4)
    assert googlenet("googlenet_no_heads", num_classes=4)(images).shape == (2, 4)


FIELD = {"googlenet": 715, "googlenet_torchvision": 379}


@pytest.mark.parametrize("name", FIELD)
def test_receptive_field_by_formula_and_by_the_support_of_a_gradient(name, monkeypatch):
    """The widest path: 5x5 in every block (3x3 in torchvision's), and all poolings."""
    widest, pool4 = (3, 2) if "torchvision" in name else (5, 3)
    layers = [
        (7, 2),
        (3, 2),
        (3, 1),
        (3, 2),
        *[(widest, 1)] * 2,
        (3, 2),
        *[(widest, 1)] * 5,
        (pool4, 2),
        *[(widest, 1)] * 2,
    ]
    field, jump = 1, 1
    for kernel, stride in layers:
        field, jump = field + (kernel - 1) * jump, jump * stride
    assert field == FIELD[name] == count(lambda: googlenet(name), (3, 800, 800)).receptive_field
    monkeypatch.setattr("dlbook.models.googlenet.TABLE", {block: Widths(1, 1, 1, 1, 1, 1) for block in TABLE})
    net = googlenet(name, num_classes=1, in_channels=1).eval()
    for parent in list(net.modules()):
        for child_name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d) or type(child).__name__ == "LocalResponseNorm":
                setattr(parent, child_name, nn.Identity())
            if isinstance(child, nn.MaxPool2d):
                setattr(
                    parent,
                    child_name,
                    nn.AvgPool2d(child.kernel_size, child.stride, child.padding, ceil_mode=child.ceil_mode),
                )
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1.0 / module.weight[0].numel())
    image = torch.ones(1, 1, field + 96, field + 96, requires_grad=True)
    last = feature_maps(net, image)[-1]
    last[0, :, last.shape[2] // 2, last.shape[3] // 2].sum().backward()
    assert (image.grad[0, 0].sum(0) > 0).sum() == (image.grad[0, 0].sum(1) > 0).sum() == field


def set_eps(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-5


def widen(model: nn.Module) -> None:
    conv = model.blocks["3a"].branch3[1].conv
    conv.weight, conv.padding = nn.Parameter(F.pad(conv.weight.data, (1, 1, 1, 1), value=0.01)), (2, 2)


def test_initial_spread():
    torch.manual_seed(0)
    net = googlenet("googlenet")
    for conv in (net.stem[4].conv, net.blocks["4a"].branch2[1].conv, net.heads["4a"].conv.conv):
        assert (
            abs(conv.weight.std().item() / (2 / conv.weight[0].numel()) ** 0.5 - 1) < 0.03
            and not conv.bias.any()
        )
    assert abs(net.fc.weight.std().item() / (1 / 1024) ** 0.5 - 1) < 0.01
    net = googlenet("googlenet_torchvision")
    assert abs(net.blocks["4a"].branch2[1].conv.weight.std().item() / 0.01 - 1) < 0.02


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "googlenett"}, "did you mean googlenet"),
        ({"num_classes": 0}, "expected num_classes"),
        ({"in_channels": 0}, "expected in_channels"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        googlenet(**arguments)


def test_bad_images():
    model = create("googlenet", device="meta")
    with pytest.raises(ValueError, match="at least 32 pixels"):
        model(torch.zeros(1, 3, 31, 64, device="meta"))
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        model(torch.zeros(1, 1, 64, 64, device="meta"))


def test_the_heads_sit_where_the_paper_has_them():
    assert (
        tuple(create("googlenet", device="meta").heads) == HEADS
        and TABLE["4a"].out == 512
        and TABLE["4d"].out == 528
    )


FAULTS = {
    "the paper's 5x5 in torchvision's row": ("googlenet_torchvision", widen),
    "torch's BN epsilon": ("googlenet_torchvision", set_eps),
    "heads change places": (
        "googlenet_torchvision",
        lambda m: m.heads.update({"4a": m.heads["4d"], "4d": m.heads["4a"]}),
    ),
    "poolings round down": ("googlenet_torchvision", lambda m: setattr(m.pools["4a"], "ceil_mode", False)),
    "the paper's pooling before 5a in torchvision's row": (
        "googlenet_torchvision",
        lambda m: setattr(m.pools["5a"], "kernel_size", 3),
    ),
    "no pooling in the fourth branch": (
        "googlenet_torchvision",
        lambda m: m.blocks["4b"].branch4.__setitem__(0, nn.Identity()),
    ),
    "alpha divided by n": ("googlenet", lambda m: setattr(m.stem[2], "alpha", 2e-5)),
    "LRN after the pooling": ("googlenet", lambda m: (m.stem.append(m.stem[5]), m.stem.pop(5))),
    "heads without the 5x5 window": ("googlenet", lambda m: setattr(m.heads["4d"], "window", 1)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault):
    name, plant = FAULTS[fault]
    ours, reference = pair(name)
    plant(ours)
    try:
        assert differing_heads(ours, reference)
    except RuntimeError as error:  # a shape that does not fit any more
        assert "size" in str(error) or "shape" in str(error)
