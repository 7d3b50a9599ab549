"""Convolution by loops and by im2col against torch in float64, over drawn shapes, strides, paddings,
dilations and groups.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from dlbook.naive import conv
from tests.naive.conv_cases import assert_same, convolutions, gradients

FEW, MANY = settings(max_examples=40), settings(max_examples=120)


def made(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@MANY
@given(convolutions())
def test_im2col_equals_torch_with_its_gradients(case):
    *tensors, keywords = case
    assert_same(gradients(conv.conv2d, *tensors, **keywords), gradients(F.conv2d, *tensors, **keywords))


@FEW
@given(convolutions())
def test_loops_equal_torch(case):
    *tensors, keywords = case
    assert_same([conv.conv2d_loops(*tensors, **keywords)], [F.conv2d(*tensors, **keywords)])


@FEW
@given(convolutions(axes=1))
def test_one_axis_equals_torch(case):
    *tensors, keywords = case
    assert_same(gradients(conv.conv1d, *tensors, **keywords), gradients(F.conv1d, *tensors, **keywords))


def test_gradients_and_second_gradients_by_finite_differences():
    tensors = [t.requires_grad_() for t in (made(2, 4, 5, 4), made(2, 2, 3, 2, seed=1), made(2, seed=2))]
    for check in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):
        assert check(lambda x, w, b: conv.conv2d(x, w, b, (2, 1), (1, 0), (1, 2), 2), tensors)


@MANY
@given(convolutions())
def test_columns_are_those_of_unfold(case):
    x, weight, _, keywords = case
    geometry = [keywords[name] for name in ("dilation", "padding", "stride")]
    columns = conv.im2col(
        x, tuple(weight.shape[2:]), keywords["stride"], keywords["padding"], keywords["dilation"]
    )
    assert torch.equal(columns, F.unfold(x, tuple(weight.shape[2:]), *geometry))


@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 4), st.integers(0, 4), st.integers(1, 4))
def test_output_size_counts_the_windows(size, kernel, stride, padding, dilation):
    starts = [i for i in range(-padding, size + padding) if i + dilation * (kernel - 1) < size + padding][
        ::stride
    ]
    if starts:
        assert conv.output_size(size, kernel, stride, padding, dilation) == len(starts)
    else:
        with pytest.raises(ValueError, match="use a smaller kernel or more padding"):
            conv.output_size(size, kernel, stride, padding, dilation)


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 5), st.integers(1, 3))
def test_same_padding_gives_the_size_over_the_stride_with_no_zero_too_many(size, kernel, stride, dilation):
    before, after = conv.same_padding(size, kernel, stride, dilation)
    outputs = -(-size // stride)
    assert 0 <= after - before <= 1
    assert conv.output_size(size + before + after, kernel, stride, 0, dilation) == outputs
    if before + after > 0:  # the last window ends on the last zero: one fewer would lose it
        assert (outputs - 1) * stride + dilation * (kernel - 1) + 1 == size + before + after


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("kernel, dilation", [((3, 2), (1, 1)), ((4, 1), (2, 1)), ((2, 5), (3, 1))])
def test_same_at_stride_one_equals_torchs(kernel, dilation):
    x, weight = made(2, 3, 7, 6), made(4, 3, *kernel, seed=1)
    assert_same(
        [conv.conv2d(x, weight, padding="same", dilation=dilation)],
        [F.conv2d(x, weight, padding="same", dilation=dilation)],
    )
    assert_same(
        [conv.conv1d(x[:, :, 0], weight[:, :, 0], padding="same")],
        [F.conv1d(x[:, :, 0], weight[:, :, 0], padding="same")],
    )
    assert conv.conv2d_loops(x, weight, padding="same", dilation=dilation).shape == (2, 4, 7, 6)


def test_same_at_stride_two_is_not_half_the_kernel():
    assert conv.same_padding(224, 3, stride=2) == (0, 1)  # TensorFlow's, where torch's padding=1 is (1, 1)
    assert conv.same_padding(225, 3, stride=2) == (1, 1)


def test_convolution_is_a_product_of_fourier_transforms():
    x, weight = made(1, 1, 6, 5), made(1, 1, 3, 2, seed=1)
    full = (8, 6)  # 6 + 3 - 1, 5 + 2 - 1
    product = torch.fft.ifft2(torch.fft.fft2(x[0, 0], full) * torch.fft.fft2(weight[0, 0], full)).real
    assert_same([conv.convolve2d(x, weight, padding=(2, 1))[0, 0]], [product])
    assert not torch.allclose(conv.conv2d(x, weight, padding=(2, 1))[0, 0], product)


def test_convolution_is_commutative_and_associative_and_correlation_is_not():
    a, b, c = made(1, 1, 5, 4), made(1, 1, 3, 2, seed=1), made(1, 1, 2, 3, seed=2)

    def full(function, x, kernel):
        return function(x, kernel, padding=(kernel.shape[2] - 1, kernel.shape[3] - 1))

    assert_same([full(conv.convolve2d, a, b)], [full(conv.convolve2d, b, a)])
    assert_same(
        [full(conv.convolve2d, full(conv.convolve2d, a, b), c)],
        [full(conv.convolve2d, a, full(conv.convolve2d, b, c))],
    )
    assert not torch.allclose(full(conv.conv2d, a, b), full(conv.conv2d, b, a))


def test_equivariant_to_shifts():
    x, weight = torch.zeros(1, 1, 9, 9, dtype=torch.float64), made(1, 1, 3, 3, seed=1)
    x[..., 2:5, 2:6] = made(3, 4)
    assert_same(
        [conv.conv2d(x.roll((1, 2), (2, 3)), weight, padding=1)],
        [conv.conv2d(x, weight, padding=1).roll((1, 2), (2, 3))],
    )


@pytest.mark.parametrize("batch, outputs", [(0, 2), (1, 0)])
def test_nothing_in_or_no_channel_out_keeps_its_shape(batch, outputs):
    x, weight = made(batch, 3, 6, 7), made(outputs, 3, 2, 3, seed=1)
    for function in (conv.conv2d, conv.conv2d_loops):
        assert function(x, weight).shape == (batch, outputs, 5, 5)


def test_groups_are_convolutions_side_by_side():
    x, weight = made(2, 6, 5, 4), made(9, 2, 3, 2, seed=1)
    alone = [conv.conv2d(part, kernel) for part, kernel in zip(x.chunk(3, 1), weight.chunk(3, 0))]
    assert_same([conv.conv2d(x, weight, groups=3)], [torch.cat(alone, 1)])


def test_depthwise_separable_is_a_convolution_of_rank_one():
    x, depthwise, pointwise = made(2, 3, 6, 5), made(3, 1, 3, 2, seed=1), made(4, 3, 1, 1, seed=2)
    whole = pointwise * depthwise[:, 0]  # [O, C, kh, kw]
    assert_same(
        [conv.depthwise_separable(x, depthwise, pointwise, (2, 1), (1, 0), (1, 2))],
        [F.conv2d(x, whole, None, (2, 1), (1, 0), (1, 2))],
    )


def test_multiply_accumulates():
    assert conv.multiply_accumulates(3, 64, 7, 112) == 118_013_952  # the stem of ResNet (He et al. 2015)
    depthwise, pointwise = (
        conv.multiply_accumulates(32, 32, 3, (14, 7), 32),
        conv.multiply_accumulates(32, 64, 1, (14, 7)),
    )
    assert (depthwise + pointwise) / conv.multiply_accumulates(32, 64, 3, (14, 7)) == pytest.approx(
        1 / 64 + 1 / 9
    )


def test_traces_and_runs_on_meta():
    x, weight, bias = made(2, 4, 7, 6), made(6, 2, 3, 2, seed=1), made(6, seed=2)
    compiled = torch.compile(conv.conv2d, fullgraph=True, backend="aot_eager")
    assert_same(
        [compiled(x, weight, bias, (2, 1), "same", (1, 2), 2)],
        [conv.conv2d(x, weight, bias, (2, 1), "same", (1, 2), 2)],
    )
    assert conv.conv2d(x.to("meta"), weight.to("meta"), groups=2).shape == (2, 6, 5, 5)


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda: conv.conv2d(made(1, 3, 4, 4), made(2, 2, 3, 3)),
            r"expected x with 2 channels, got x \[1, 3, 4, 4\]",
        ),
        (
            lambda: conv.conv2d(made(1, 4, 4, 4), made(3, 2, 3, 3), groups=2),
            "expected groups to divide the output channels",
        ),
        (lambda: conv.conv2d(made(1, 4, 4, 4), made(3, 4, 3, 3), made(2)), r"expected bias \[3\]"),
        (lambda: conv.conv2d(made(3, 4, 4), made(3, 4, 3, 3)), r"expected x \[B, C, H, W\]"),
        (lambda: conv.conv2d(made(1, 4, 4, 4), made(3, 4, 5, 3)), "spans 5 pixels"),
        (lambda: conv.conv2d(made(1, 4, 4, 4), made(3, 4, 3, 3), groups=0), "with groups=0"),
        (lambda: conv.conv1d(made(1, 4, 4, 4), made(3, 4, 3, 3)), r"\[B, C, W\]"),
        (
            lambda: conv.depthwise_separable(made(1, 3, 4, 4), made(6, 1, 3, 3), made(2, 3, 1, 1)),
            "one kernel a channel",
        ),
        (
            lambda: conv.depthwise_separable(made(1, 3, 4, 4), made(3, 1, 3, 3), made(2, 3, 2, 1)),
            "expected pointwise",
        ),
        (lambda: conv.conv2d(made(1, 1, 4, 4), made(1, 1, 3, 3), stride=0), "expected kernel_size, stride"),
        (lambda: conv.conv2d(made(1, 1, 4, 4), made(1, 1, 3, 3), dilation=0), "dilation of at least 1"),
        (lambda: conv.conv2d(made(1, 1, 4, 4), made(1, 1, 3, 3), padding=-1), "padding of at least 0"),
        (lambda: conv.conv2d(made(1, 1, 4, 4), made(1, 1, 3, 3), padding="valid"), "got 'valid'"),
        (lambda: conv.output_size(5, 3, 1, -1), "padding of at least 0"),
        (lambda: conv.output_size(5, 0), "expected kernel_size"),
        (lambda: conv.same_padding(5, 3, stride=0), "expected kernel_size, stride"),
        (lambda: conv.multiply_accumulates(3, 4, 3, 5, groups=2), "expected groups to divide"),
    ],
)
def test_errors_say_how_to_fix(call, words):
    with pytest.raises(ValueError, match=words):
        call()


FAULTS = {
    "the flip of a true convolution": lambda x, w, b, **k: F.conv2d(x, w.flip(2, 3), b, **k),
    "one axis flipped": lambda x, w, b, **k: F.conv2d(x, w.flip(3), b, **k),
    "height and width exchanged": lambda x, w, b, **k: F.conv2d(x.mT, w, b, **k).mT,
    "stride of the other axis": lambda x, w, b, **k: F.conv2d(x, w, b, **k | {"stride": k["stride"][::-1]}),
    "dilation forgotten": lambda x, w, b, **k: F.conv2d(x, w, b, **k | {"dilation": 1}),
    "input channels shuffled between groups": lambda x, w, b, **k: F.conv2d(
        F.channel_shuffle(x, k["groups"]), w, b, **k
    ),
    "output channels dealt round the groups": lambda x, w, b, **k: F.channel_shuffle(
        F.conv2d(x, w, b, **k), k["groups"]
    ),
    "bias added before the sum over channels": lambda x, w, b, **k: F.conv2d(x, w, w.shape[1] * b, **k),
    "the border repeated": lambda x, w, b, **k: F.conv2d(
        F.pad(x, [p for p in k["padding"][::-1] for _ in "ab"], "replicate"), w, b, **k | {"padding": 0}
    ),
    "gradient stops at the windows": lambda x, w, b, **k: F.conv2d(x.detach(), w, b, **k) + 0 * x.sum(),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_comparison_catches_the_seeded_fault(fault):
    tensors = made(2, 4, 8, 7), made(6, 2, 3, 2, seed=1), made(6, seed=2)
    keywords = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}
    sound = gradients(conv.conv2d, *tensors, **keywords)
    assert_same(sound, gradients(F.conv2d, *tensors, **keywords))
    with pytest.raises(AssertionError):
        assert_same(sound, gradients(FAULTS[fault], *tensors, **keywords))
