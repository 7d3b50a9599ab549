"""Blur pool against timm, against a chain of means in float64, and by what it does to waves and to shifts."""

import math

import numpy as np
import pytest
import torch
from timm.layers import BlurPool2d as Timm
from torch.nn import functional as F

from dlbook.nn import blur_pool
from dlbook.nn.blur_pool import SIZES, BlurPool2d, MaxBlurPool2d, binomial_filter
from dlbook.nn.pooling import avg_pool2d, max_pool2d
from tests.naive.conv_cases import assert_same, gradients

NUMPY = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def made(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def reference(x, size, stride, mode):
    """Blur by a chain of means of two neighbours, then keep every stride-th: no weight, no convolution."""
    after, before = size // 2, (size - 1) // 2
    y = np.pad(x.numpy(), [(0, 0), (0, 0), (before, after), (before, after)], NUMPY[mode])
    for _ in range(size - 1):
        y = (y[..., 1:] + y[..., :-1]) / 2
        y = (y[:, :, 1:] + y[:, :, :-1]) / 2
    return torch.from_numpy(y[:, :, ::stride, ::stride].copy())


def check_reference(layer_of):
    for size in SIZES:
        for mode in NUMPY:
            for stride, shape in ((1, (2, 3, 5, 7)), (2, (1, 2, 6, 9)), (3, (2, 1, 8, 7))):
                x = made(*shape, seed=size)
                assert_same([layer_of(size, stride, mode)(x)], [reference(x, size, stride, mode)])


def test_blur_pool_equals_a_chain_of_means():
    check_reference(BlurPool2d)


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("shape", [(2, 3, 8, 11), (1, 5, 7, 6)])
def test_blur_pool_equals_timm_with_its_gradients(size, shape):
    # even filters are padded on both sides in timm, on one side more in the authors' code and here
    theirs = Timm(filt_size=size).double()
    theirs._init_buffers()
    assert_same(gradients(BlurPool2d(size), made(*shape)), gradients(theirs, made(*shape)))


def test_filters_are_those_of_the_authors_code():
    rows = (
        [1],
        [1, 1],
        [1, 2, 1],
        [1, 3, 3, 1],
        [1, 4, 6, 4, 1],
        [1, 5, 10, 10, 5, 1],
        [1, 6, 15, 20, 15, 6, 1],
    )
    for size, row in zip(SIZES, rows, strict=True):
        assert (binomial_filter(size) * sum(row)).tolist() == row


@pytest.mark.parametrize("size", SIZES)
def test_a_wave_keeps_the_power_of_the_cosine(size):
    """A blur of size m keeps |cos(w / 2)|^(m - 1) of a wave: the formula against a Fourier transform."""
    response = np.abs(np.fft.rfft(binomial_filter(size).numpy(), 64))
    waves = 2 * np.pi * np.arange(33) / 64
    np.testing.assert_allclose(response, np.abs(np.cos(waves / 2)) ** (size - 1), atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_constants_stay_and_stripes_go(size):
    stripes = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(6).expand(1, 2, 12, 12)
    layer = BlurPool2d(size)
    assert_same(
        [layer(torch.ones(1, 2, 9, 8, dtype=torch.float64))], [torch.ones(1, 2, 5, 4, dtype=torch.float64)]
    )
    if size > 1:  # away from the border, where the stripes are reflected
        assert layer(stripes)[..., 2:-2].abs().max() < 1e-12


def test_size_one_subsamples_and_size_two_averages():
    x = made(2, 3, 8, 6)
    assert torch.equal(BlurPool2d(1)(x), x[:, :, ::2, ::2])
    assert_same([BlurPool2d(2)(x)], [avg_pool2d(x, 2)])


@pytest.mark.parametrize(("height", "width"), [(8, 6), (9, 7), (13, 16)])
def test_max_blur_pool_has_the_size_of_max_pooling_and_is_max_then_blur(height, width):
    x = made(2, 3, height, width)
    for size in SIZES:
        y = MaxBlurPool2d(filter_size=size)(x)
        assert y.shape == max_pool2d(x, 2).shape
        assert_same([y], [reference(F.max_pool2d(x, 2, 1), size, 2, "reflect")])
    assert torch.equal(MaxBlurPool2d(filter_size=1)(x), max_pool2d(x, 2))  # no blur: the plain one
    assert torch.equal(MaxBlurPool2d(3, filter_size=1)(x), max_pool2d(x, 3, 2))


def test_circular_max_blur_pool_rounds_the_side_up():
    for side in (6, 7):
        layer = MaxBlurPool2d(padding_mode="circular")
        assert layer(made(1, 1, side, side)).shape == (1, 1, -(-side // 2), -(-side // 2))


def test_smallest_maps_that_each_border_allows():
    """The limit is torch's own: one pixel fewer, and its padding refuses too."""
    for size in SIZES:
        for mode, least in (("reflect", size // 2 + 1), ("circular", size // 2), ("replicate", 1)):
            least = max(least, 1)
            layer, x = BlurPool2d(size, padding_mode=mode), made(1, 1, least, least)
            assert_same([layer(x)], [reference(x, size, 2, mode)])
            if least > 1:
                with pytest.raises(ValueError, match=f"at least {least} pixels"):
                    layer(x[..., :-1])
                with pytest.raises(RuntimeError):
                    F.pad(x[..., :-1], (size // 2,) * 4, mode=mode)


def check_circular(layer):
    """A shift by the stride shifts the output by one: exactly, over the border too."""
    x = made(2, 3, 12, 8)
    for rows, columns in ((2, 0), (0, 2), (-4, 6)):
        assert_same(
            [layer(x.roll((rows, columns), (2, 3)))], [layer(x).roll((rows // 2, columns // 2), (2, 3))]
        )


@pytest.mark.parametrize("size", SIZES)
def test_circular_shifts_by_the_stride_are_exact(size):
    check_circular(BlurPool2d(size, padding_mode="circular"))
    check_circular(MaxBlurPool2d(3, filter_size=size, padding_mode="circular"))


def test_a_shift_by_one_changes_less_behind_the_blur():
    x = made(4, 8, 32, 32)
    changes = []
    for size in SIZES:
        layer = MaxBlurPool2d(filter_size=size, padding_mode="circular")
        y = layer(x)
        changes.append(((layer(x.roll(1, 3)) - y).square().mean() / y.var()).item())
    assert changes == sorted(changes, reverse=True) and changes[-1] < changes[0] / 3


def test_noise_correlates_with_itself_shifted():
    """Blurred noise and itself one pixel on correlate by (m - 1) / m."""
    for size in SIZES:
        weights = binomial_filter(size)
        lagged = (weights[1:] * weights[:-1]).sum() / weights.square().sum()
        assert math.isclose(lagged, (size - 1) / size)


def test_no_parameters_and_no_state():
    layer = MaxBlurPool2d()
    assert not list(layer.parameters()) and not layer.state_dict()


def test_traces_and_runs_on_meta():
    x = made(2, 3, 9, 8)
    layer = MaxBlurPool2d()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    assert_same([compiled(x)], [layer(x)])
    assert layer.to("meta")(x.to("meta")).shape == (2, 3, 4, 4)
    assert BlurPool2d()(x.float()).dtype == torch.float32


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: BlurPool2d(8), "expected filter_size to be 1, 2, 3, 4, 5, 6 or 7, got 8"),
        (lambda: BlurPool2d(3, 0), "expected stride to be a whole number >= 1, got 0"),
        (lambda: BlurPool2d(padding_mode="zeros"), "expected padding_mode to be 'reflect'"),
        (lambda: BlurPool2d(7)(made(1, 1, 3, 9)), "expected maps of at least 4 pixels, got 3 x 9"),
        (
            lambda: BlurPool2d(6, padding_mode="circular")(made(1, 1, 2, 9)),
            "maps of at least 3 pixels, got 2 x 9",
        ),
        (lambda: BlurPool2d(2.0), "expected filter_size to be a whole number >= 1, got 2.0"),
        (
            lambda: BlurPool2d()(torch.arange(64).view(1, 1, 8, 8)),
            "expected x in floating point, got torch.int64",
        ),
        (lambda: BlurPool2d()(made(1, 4, 4)), r"expected x of shape \[B, C, H, W\]"),
        (lambda: MaxBlurPool2d(0), "expected kernel_size to be a whole number >= 1"),
        (lambda: MaxBlurPool2d(5)(made(1, 1, 4, 9)), "expected maps of at least 5 pixels, got 4 x 9"),
    ],
)
def test_errors_say_how_to_fix(call, words):
    with pytest.raises(ValueError, match=words):
        call()


class Weak(BlurPool2d):
    """Subsamples first and blurs afterwards: the order that does not help."""

    def forward(self, x):
        stride, self.stride = self.stride, 1
        y = super().forward(x[:, :, ::stride, ::stride])
        self.stride = stride
        return y


def filter_fault(weights):
    return lambda size: torch.tensor(weights(size), dtype=torch.float64)


FILTER_FAULTS = {
    "a box": filter_fault(lambda m: [1 / m] * m),
    "not divided": filter_fault(lambda m: [float(math.comb(m - 1, k)) for k in range(m)]),
    "one row of Pascal too far": filter_fault(lambda m: [math.comb(m, k) / 2**m for k in range(m)]),
}


@pytest.mark.parametrize("fault", FILTER_FAULTS)
def test_reference_catches_a_faulty_filter(fault, monkeypatch):
    monkeypatch.setattr(blur_pool, "binomial_filter", FILTER_FAULTS[fault])
    with pytest.raises(AssertionError):
        check_reference(BlurPool2d)


@pytest.mark.parametrize("fault", ["subsampled first", "padded with zeros", "extra pixel on the left"])
def test_reference_catches_a_faulty_layer(fault, monkeypatch):
    if fault == "padded with zeros":
        monkeypatch.setattr(blur_pool.F, "pad", lambda x, pads, mode, plain=F.pad: plain(x, pads))
    if fault == "extra pixel on the left":
        swapped = lambda x, p, mode, plain=F.pad: plain(x, (p[1], p[0], p[3], p[2]), mode=mode)
        monkeypatch.setattr(blur_pool.F, "pad", swapped)
    with pytest.raises(AssertionError):
        check_reference(Weak if fault == "subsampled first" else BlurPool2d)


def test_circular_check_catches_a_maximum_that_does_not_go_round():
    layer = MaxBlurPool2d(3, filter_size=3, padding_mode="circular")
    layer.blur.padding_mode = "replicate"
    with pytest.raises(AssertionError):
        check_circular(layer)
