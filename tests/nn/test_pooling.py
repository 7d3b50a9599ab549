"""Max, average, global and adaptive pooling against torch in float64, with gradients, over drawn geometries
and with ties.
"""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from dlbook.nn import pooling
from tests.naive.conv_cases import assert_same, gradients

MANY = settings(max_examples=150)


def made(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@st.composite
def poolings(draw, dilated: bool):
    """x (often with equal values, mostly negative) and the keywords of a pooling whose windows fit."""
    kernel, stride = (
        draw(st.tuples(st.integers(1, 4), st.integers(1, 4))),
        draw(st.tuples(st.integers(1, 4), st.integers(1, 4))),
    )
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 3))) if dilated else (1, 1)
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    assume(all(n >= d * (k - 1) + 1 for n, k, d in zip(size, kernel, dilation)))
    x = made(draw(st.integers(1, 2)), 2, *size, seed=draw(st.integers(0, 999))) - 1
    x = x.round() if draw(st.booleans()) else x
    keywords = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": draw(st.booleans())}
    return x, keywords | ({"dilation": dilation} if dilated else {})


@MANY
@given(poolings(dilated=True))
def test_max_pool_equals_torch_with_its_gradients(case):
    x, keywords = case
    assert_same(gradients(pooling.max_pool2d, x, **keywords), gradients(F.max_pool2d, x, **keywords))


@MANY
@given(poolings(dilated=False), st.booleans())
def test_avg_pool_equals_torch_with_its_gradients(case, count_include_pad):
    x, keywords = case
    keywords["count_include_pad"] = count_include_pad
    assert_same(gradients(pooling.avg_pool2d, x, **keywords), gradients(F.avg_pool2d, x, **keywords))


@MANY
@given(st.integers(1, 11), st.integers(1, 9), st.integers(1, 7), st.integers(1, 7), st.booleans())
def test_adaptive_pools_equal_torch_with_their_gradients(height, width, h, w, ties):
    x = made(2, 2, height, width)
    x = x.round() if ties else x
    assert_same(
        gradients(pooling.adaptive_avg_pool2d, x, output_size=(h, w)),
        gradients(F.adaptive_avg_pool2d, x, output_size=(h, w)),
    )
    assert_same(
        gradients(pooling.adaptive_max_pool2d, x, output_size=(h, w)),
        gradients(F.adaptive_max_pool2d, x, output_size=(h, w)),
    )


@given(st.integers(1, 60), st.integers(1, 40))
def test_bins_cover_the_axis_without_a_gap(size, bins):
    found = pooling.adaptive_bins(size, bins)
    assert found[0][0] == 0 and found[-1][1] == size and len(found) == bins
    assert all(start < end for start, end in found)
    assert all(later[0] <= earlier[1] for earlier, later in zip(found, found[1:]))
    if size % bins == 0:
        assert found == [(i * size // bins, (i + 1) * size // bins) for i in range(bins)]  # side by side


def test_global_pools_are_one_bin():
    x = made(2, 3, 5, 4)
    assert_same(gradients(pooling.global_avg_pool2d, x), gradients(F.adaptive_avg_pool2d, x, output_size=1))
    assert_same(
        gradients(pooling.global_max_pool2d, x.round()),
        gradients(F.adaptive_max_pool2d, x.round(), output_size=1),
    )
    assert_same([pooling.global_avg_pool2d(x.roll((2, 1), (2, 3)))], [pooling.global_avg_pool2d(x)])


def test_stride_is_the_kernel_by_default():
    x = made(1, 2, 7, 9)
    assert_same(
        [pooling.max_pool2d(x, (2, 3)), pooling.avg_pool2d(x, 3)],
        [F.max_pool2d(x, (2, 3)), F.avg_pool2d(x, 3)],
    )


def test_overlapping_windows_of_alexnet():
    x = made(1, 1, 55, 55)
    assert pooling.max_pool2d(x, 3, 2).shape[-2:] == (27, 27) and pooling.max_pool2d(
        made(1, 1, 13, 13), 3, 2
    ).shape[-2:] == (6, 6)
    peak = torch.zeros(1, 1, 5, 5, dtype=torch.float64)
    peak[0, 0, 2, 2] = 1
    peak.requires_grad_()
    pooling.max_pool2d(peak, 3, 2).sum().backward()  # the middle is in all four windows, and wins each
    assert peak.grad[0, 0, 2, 2] == 4 and peak.grad.sum() == 4


def test_gradient_goes_to_the_first_of_equals():
    x = torch.zeros(1, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    pooling.max_pool2d(x, 2).sum().backward()
    assert x.grad.flatten().tolist() == [1, 0, 0, 0]


def test_ceil_mode_leaves_out_a_window_that_starts_in_the_padding():
    assert pooling.pooled_size(5, 2, 2) == 2 and pooling.pooled_size(5, 2, 2, ceil_mode=True) == 3
    assert pooling.pooled_size(4, 3, 3, padding=1, ceil_mode=True) == 2
    assert (
        pooling.pooled_size(2, 2, 3, padding=1, ceil_mode=True) == 1
    )  # (2 + 2 - 2) / 3 rounds up to a second, at 3 >= 2 + 1
    assert pooling.pooled_size(112, 3, 2, ceil_mode=True) == 56  # SqueezeNet and GoogLeNet of torchvision


def test_count_include_pad_by_hand():
    x = torch.ones(1, 1, 1, 4, dtype=torch.float64)
    geometry = {"kernel_size": (1, 3), "stride": 2, "padding": (0, 1)}
    assert pooling.avg_pool2d(x, **geometry).flatten().tolist() == [2 / 3, 1]
    assert pooling.avg_pool2d(x, **geometry, count_include_pad=False).flatten().tolist() == [1, 1]
    hanging = pooling.avg_pool2d(x, (1, 3), (1, 3), ceil_mode=True)
    assert hanging.flatten().tolist() == [1, 1]  # the overhang of ceil_mode is never counted


def test_traces_and_runs_on_meta():
    x = made(2, 3, 7, 6)

    def all_of_them(x):
        return (
            pooling.max_pool2d(x, 3, 2, 1, 1, True),
            pooling.avg_pool2d(x, 3, 2, 1, True, False),
            pooling.adaptive_avg_pool2d(x, (3, 4)),
            pooling.adaptive_max_pool2d(x, 2),
            pooling.global_max_pool2d(x),
        )

    assert_same(
        list(torch.compile(all_of_them, fullgraph=True, backend="aot_eager")(x)), list(all_of_them(x))
    )
    assert [y.shape for y in all_of_them(x.to("meta"))] == [y.shape for y in all_of_them(x)]


def pad_zero(x, kernel_size, stride, padding, ceil_mode):
    return F.max_pool2d(
        F.pad(x, (padding[1], padding[1], padding[0], padding[0])), kernel_size, stride, 0, 1, ceil_mode
    )


MAX_FAULTS = {
    "padding with zeros": pad_zero,
    "ceil_mode ignored": lambda x, **k: F.max_pool2d(x, **k | {"ceil_mode": False}),
    "gradient shared among equals": lambda x, kernel_size, stride, padding, ceil_mode: (
        pooling.pooling_windows(x, kernel_size, stride, padding, -torch.inf, 1, ceil_mode).amax((-2, -1))
    ),
    "gradient to the last of equals": lambda x, kernel_size, stride, padding, ceil_mode: (
        pooling.pooling_windows(x, kernel_size, stride, padding, -torch.inf, 1, ceil_mode)
        .flatten(4)
        .flip(-1)
        .max(-1)
        .values
    ),
    "the largest magnitude": lambda x, **k: -F.max_pool2d(-x, **k),
}
AVERAGE_FAULTS = {
    "padding left out of the count": lambda x, **k: F.avg_pool2d(x, **k, count_include_pad=False),
    "the overhang counted": lambda x, kernel_size, stride, padding, ceil_mode: pooling.pooling_windows(
        x, kernel_size, stride, padding, 0.0, 1, ceil_mode
    ).mean((-2, -1)),
    "sum for mean": lambda x, **k: F.avg_pool2d(x, **k, divisor_override=1),
}
BIN_FAULTS = {
    "ends rounded down": lambda n, b: [(i * n // b, max((i + 1) * n // b, i * n // b + 1)) for i in range(b)],
    "bins of equal width": lambda n, b: [(i * (n // b), (i + 1) * (n // b)) for i in range(b)],
    "starts rounded up": lambda n, b: [(-(-i * n // b), -(-(i + 1) * n // b)) for i in range(b)],
}


@pytest.mark.parametrize("fault", [*MAX_FAULTS, *AVERAGE_FAULTS])
def test_comparison_catches_the_seeded_fault(fault):
    x = made(2, 2, 8, 9).round() - 2
    keywords = {"kernel_size": (3, 2), "stride": (2, 3), "padding": (1, 1), "ceil_mode": True}
    ours = pooling.max_pool2d if fault in MAX_FAULTS else pooling.avg_pool2d
    theirs = F.max_pool2d if fault in MAX_FAULTS else F.avg_pool2d
    assert_same(gradients(ours, x, **keywords), gradients(theirs, x, **keywords))
    with pytest.raises(AssertionError):
        assert_same(
            gradients((MAX_FAULTS | AVERAGE_FAULTS)[fault], x, **keywords), gradients(theirs, x, **keywords)
        )


@pytest.mark.parametrize("fault", BIN_FAULTS)
def test_adaptive_comparison_catches_the_seeded_fault(fault, monkeypatch):
    x = made(1, 2, 7, 10)
    monkeypatch.setattr(pooling, "adaptive_bins", BIN_FAULTS[fault])
    with pytest.raises(AssertionError):
        assert_same([pooling.adaptive_avg_pool2d(x, (3, 4))], [F.adaptive_avg_pool2d(x, (3, 4))])


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda: pooling.max_pool2d(made(1, 1, 4, 4), 3, padding=2),
            "expected padding <= 1, half the kernel of 3, got 2",
        ),
        (lambda: pooling.max_pool2d(made(1, 1, 4, 4), 5), "spans 5 pixels"),
        (lambda: pooling.max_pool2d(made(1, 1, 1, 4), 2, 1, ceil_mode=True), "spans 2 pixels"),
        (
            lambda: pooling.max_pool2d(made(1, 1, 4, 4).long(), 3, padding=1),
            "expected x in floating point, got torch.int64; the padding is minus infinity",
        ),
        (lambda: pooling.avg_pool2d(made(1, 4, 4), 2), r"expected x of shape \[B, C, H, W\]"),
        (lambda: pooling.avg_pool2d(made(1, 1, 4, 4), 0), "expected kernel_size"),
        (lambda: pooling.adaptive_avg_pool2d(made(1, 1, 4, 4), 0), "expected output_size"),
    ],
)
def test_errors_say_how_to_fix(call, words):
    with pytest.raises(ValueError, match=words):
        call()
