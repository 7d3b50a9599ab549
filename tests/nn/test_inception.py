"""The Inception block on its own: both forms of figure 2 against loops over the pixels, and what the
reduction saves.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.models.googlenet import TABLE
from dlbook.nn.inception import Inception, NaiveInception, Widths
from tests.parity import randomise

WIDTHS = Widths(3, 2, 4, 2, 5, 6)  # all small, no two branches alike


def filtered(x, layer):
    """Correlate with zero padding and cut at 0, pixel by pixel; x [B, C, H, W]."""
    weight, bias = layer.conv.weight, layer.conv.bias
    reach = weight.shape[-1] // 2
    padded = F.pad(x, (reach,) * 4)
    out = x.new_empty(x.shape[0], weight.shape[0], *x.shape[2:])
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            window = padded[:, :, i : i + 2 * reach + 1, j : j + 2 * reach + 1]
            out[:, :, i, j] = torch.einsum("bcij,ocij->bo", window, weight) + bias
    return out.clamp(min=0)


def brightest(x):
    """The largest value within one pixel, as far as the map goes."""
    out = torch.empty_like(x)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            out[:, :, i, j] = x[:, :, max(0, i - 1) : i + 2, max(0, j - 1) : j + 2].amax((2, 3))
    return out


def images():
    return torch.randn(2, 7, 4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def expected(block, x):
    if isinstance(block, NaiveInception):
        parts = [
            filtered(x, block.branch1),
            filtered(x, block.branch2),
            filtered(x, block.branch3),
            brightest(x),
        ]
    else:
        reduced = [filtered(filtered(x, branch[0]), branch[1]) for branch in (block.branch2, block.branch3)]
        parts = [filtered(x, block.branch1), *reduced, filtered(brightest(x), block.branch4[1])]
    return torch.cat(parts, 1)


def blocks():
    return {"reduced": randomise(Inception(7, WIDTHS)), "naive": randomise(NaiveInception(7, 3, 4, 5))}


@pytest.mark.parametrize("form", ["reduced", "naive"])
def test_equals_figure_2_in_loops(form):
    block, x = blocks()[form], images()
    torch.testing.assert_close(block(x), expected(block, x), rtol=1e-12, atol=1e-12)
    assert block(x).shape[1] == (WIDTHS.out if form == "reduced" else 3 + 4 + 5 + 7)


def test_with_identities_for_reductions_the_two_forms_are_one():
    """On a map without negative values, a reduction that keeps every channel as it is changes nothing."""
    naive = blocks()["naive"]
    block = Inception(7, Widths(3, 7, 4, 7, 5, 7)).double()
    for own, other in (
        (block.branch1, naive.branch1),
        (block.branch2[1], naive.branch2),
        (block.branch3[1], naive.branch3),
    ):
        own.load_state_dict(other.state_dict())
    for reduction in (block.branch2[0], block.branch3[0], block.branch4[1]):
        reduction.conv.weight.data = torch.eye(7, dtype=torch.float64)[:, :, None, None]
        reduction.conv.bias.data.zero_()
    x = images().abs()
    torch.testing.assert_close(block(x), naive(x), rtol=1e-12, atol=1e-12)


def test_what_the_reduction_saves():
    """Block 3a: 5 x 5 x 192 x 32 = 153,600 weights before, 192 x 16 + 25 x 16 x 32 = 15,872 after; as many
    MACs a pixel.
    """
    widths = TABLE["3a"]
    branch = lambda block: sum(m.weight.numel() for m in block.branch3.modules() if isinstance(m, nn.Conv2d))
    naive, reduced = NaiveInception(192, widths.one, widths.three, widths.five), Inception(192, widths)
    assert (branch(naive), branch(reduced)) == (153_600, 15_872)
    macs = [count(lambda b=b: b, (192, 28, 28)).macs for b in (naive, reduced)]
    assert macs == [
        28**2 * (192 * 64 + 9 * 192 * 128 + 153_600),
        28**2 * (192 * (64 + 96 + 32) + 9 * 96 * 128 + 15_872),
    ]
    naive_out = widths.one + widths.three + widths.five + 192
    assert naive_out == 416 and widths.out == 256  # the naive form also widens the map from block to block


FAULTS = {
    "branches in another order": lambda b: setattr(
        b, "forward", lambda x: torch.cat([b.branch2(x), b.branch1(x), b.branch3(x), b.branch4(x)], 1)
    ),
    "no ReLU after the reduction": lambda b: b.branch2.__setitem__(0, b.branch2[0].conv),
    "projection before the pooling": lambda b: b.branch4.append(b.branch4.pop(0)),
    "average for max pooling": lambda b: b.branch4.__setitem__(0, nn.AvgPool2d(3, 1, 1)),
    "3x3 for 5x5": lambda b: crop(b),
}


def crop(block: nn.Module) -> None:
    conv = block.branch3[1].conv
    conv.weight, conv.padding = nn.Parameter(conv.weight.data[:, :, 1:4, 1:4]), (1, 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_loops_catch_the_seeded_fault(fault):
    block, x = blocks()["reduced"], images()
    right = expected(block, x)
    FAULTS[fault](block)
    assert not torch.allclose(block(x), right, rtol=1e-6)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Inception(0, WIDTHS),
        lambda: Inception(4, Widths(1, 1, 0, 1, 1, 1)),
        lambda: NaiveInception(4, 1, 1, 0),
        lambda: NaiveInception(4, 1.5, 1, 1),
    ],
)
def test_refuses(build):
    with pytest.raises(ValueError, match="to be a whole number >= 1"):
        build()
