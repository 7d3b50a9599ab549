"""The matrix of a convolution and its transpose against torch's conv2d and conv_transpose2d, in float64."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from dlbook.naive import conv, conv_matrix
from tests.naive.conv_cases import assert_same, convolutions, gradients

MANY = settings(max_examples=80)


def made(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@MANY
@given(convolutions())
def test_matrix_equals_torch_with_its_gradients(case):
    *tensors, keywords = case
    assert_same(
        gradients(conv_matrix.conv2d_by_matrix, *tensors, **keywords),
        gradients(F.conv2d, *tensors, **keywords),
    )


@MANY
@given(convolutions())
def test_matrix_is_the_jacobian(case):
    """Column by column: what torch's convolution makes of each unit image."""
    x, weight, _, keywords = case
    shape = x.shape[1:]
    units = torch.eye(shape.numel(), dtype=torch.float64).reshape(-1, *shape)
    matrix = conv_matrix.convolution_matrix(weight, tuple(shape[1:]), **keywords).to_dense()
    assert_same([matrix], [F.conv2d(units, weight, **keywords).flatten(1).T])


def test_matrix_is_sparse_shared_and_toeplitz():
    weight = made(1, 1, 3, 2)
    matrix = conv_matrix.convolution_matrix(weight, (5, 4))
    assert matrix.shape == (3 * 3, 5 * 4) and matrix._nnz() == 9 * 6
    dense = matrix.to_dense()
    assert set(dense.unique().tolist()) == {0.0, *weight.flatten().tolist()}
    blocks = dense.reshape(3, 3, 5, 4)  # output row, output column, input row, input column
    assert torch.equal(blocks[1:, :, 1:], blocks[:-1, :, :-1])  # constant along the diagonals of blocks
    assert torch.equal(blocks[:, 1:, :, 1:], blocks[:, :-1, :, :-1])  # and along the diagonals within each


def test_same_padding_equals_that_of_conv2d():
    x, weight = torch.randn(2, 3, 8, 7).double(), torch.randn(4, 3, 3, 2).double()
    keywords = {"stride": (2, 1), "padding": "same"}  # an odd zero goes after, at one side only
    assert_same([conv_matrix.conv2d_by_matrix(x, weight, **keywords)], [conv.conv2d(x, weight, **keywords)])


def test_padding_has_no_entries():
    assert (
        conv_matrix.convolution_matrix(torch.ones(1, 1, 3, 3), (2, 2), padding=1)._nnz() == 16
    )  # each pixel sees all four


@MANY
@given(convolutions(), st.data())
def test_transpose_equals_torch_with_its_gradients(case, data):
    x, weight, _, keywords = case
    y = F.conv2d(x, weight, **keywords)
    extra = tuple(data.draw(st.integers(0, s - 1)) for s in keywords["stride"])
    keywords = keywords | {"output_padding": extra}
    bias = made(x.shape[1])
    sizes = [
        conv_matrix.transposed_size(n, k, s, p, e, d)
        for n, k, s, p, e, d in zip(
            y.shape[2:],
            weight.shape[2:],
            keywords["stride"],
            keywords["padding"],
            extra,
            keywords["dilation"],
        )
    ]
    if min(sizes) < 1:
        with pytest.raises(ValueError, match="use less padding"):
            conv_matrix.conv_transpose2d(y, weight, bias, **keywords)
        return
    assert_same(
        gradients(conv_matrix.conv_transpose2d, y, weight, bias, **keywords),
        gradients(F.conv_transpose2d, y, weight, bias, **keywords),
    )


def test_transpose_is_the_gradient_of_the_convolution():
    x, weight, y = made(2, 4, 7, 6).requires_grad_(), made(6, 2, 3, 2, seed=1), made(2, 6, 4, 5, seed=2)
    geometry = {"stride": (2, 1), "padding": (1, 0), "groups": 2}
    (expected,) = torch.autograd.grad(F.conv2d(x, weight, **geometry), x, y)
    assert_same([conv_matrix.conv_transpose2d(y, weight, **geometry)], [expected])


def test_transpose_gives_back_the_shape_and_not_the_values():
    x, weight = made(1, 1, 6, 6), made(1, 1, 2, 2, seed=1)
    back = conv_matrix.conv_transpose2d(F.conv2d(x, weight, stride=2), weight, stride=2)
    assert back.shape == x.shape and not torch.allclose(back, x)


@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2), st.integers(1, 3))
def test_transposed_size_inverts_the_output_size(size, kernel, stride, padding, dilation):
    if size + 2 * padding < dilation * (kernel - 1) + 1:
        return
    small = conv_matrix.output_size(size, kernel, stride, padding, dilation)
    assert size in [
        conv_matrix.transposed_size(small, kernel, stride, padding, extra, dilation)
        for extra in range(stride)
    ]


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda: conv_matrix.convolution_matrix(made(3, 1, 2, 2), (4, 4), groups=2),
            "a multiple of groups=2",
        ),
        (lambda: conv_matrix.convolution_matrix(made(2, 1, 2), (4, 4)), r"\[O, C/groups, kh, kw\]"),
        (lambda: conv_matrix.convolution_matrix(made(2, 1, 5, 2), (4, 4)), "spans 5 pixels"),
        (
            lambda: conv_matrix.conv2d_by_matrix(made(1, 2, 4, 4), made(2, 1, 2, 2)),
            "expected x with 1 channels",
        ),
        (
            lambda: conv_matrix.conv_transpose2d(made(1, 2, 4, 4), made(3, 1, 2, 2)),
            r"expected y \[B, O, H', W'\]",
        ),
        (
            lambda: conv_matrix.conv_transpose2d(
                made(1, 3, 4, 4), made(3, 1, 2, 2), stride=2, output_padding=2
            ),
            "below the stride",
        ),
        (
            lambda: conv_matrix.conv_transpose2d(made(1, 3, 1, 1), made(3, 1, 2, 2), padding=1),
            "use less padding",
        ),
    ],
)
def test_errors_say_how_to_fix(call, words):
    with pytest.raises(ValueError, match=words):
        call()


FAULTS = {
    "kernel flipped": lambda w, size, **k: conv_matrix.convolution_matrix(w.flip(2, 3), size, **k),
    "maps laid out column by column": lambda w, size, **k: conv_matrix.convolution_matrix(
        w.mT, size[::-1], **k
    ),
    "padding exchanged": lambda w, size, **k: conv_matrix.convolution_matrix(
        w, size, **k | {"padding": (2, 1)}
    ),
    "dilation forgotten": lambda w, size, **k: conv_matrix.convolution_matrix(
        w, size, **k | {"dilation": 1, "padding": (0, 2)}
    ),
    "groups that overlap": lambda w, size, **k: conv_matrix.convolution_matrix(
        torch.cat([w, w], 1), size, **k | {"groups": 1}
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_comparison_catches_the_seeded_fault(fault):
    weight, keywords = (
        made(4, 2, 3, 3, seed=1),
        {"stride": 1, "padding": (1, 2), "dilation": (2, 1), "groups": 2},
    )
    units = torch.eye(4 * 30, dtype=torch.float64).reshape(-1, 4, 5, 6)
    expected = F.conv2d(units, weight, **keywords).flatten(1).T
    assert_same([conv_matrix.convolution_matrix(weight, (5, 6), **keywords).to_dense()], [expected])
    try:
        matrix = FAULTS[fault](weight, (5, 6), **keywords).to_dense()
    except (RuntimeError, ValueError):
        return
    with pytest.raises(AssertionError):
        assert_same([matrix], [expected])
