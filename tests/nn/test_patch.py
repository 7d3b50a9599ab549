"""Patches against a loop over pixels, torch's unfold, and the convolution that equals cutting and
multiplying.

Seeded faults that the checks must catch: columns before rows, patches read down instead of across, the other
order of a patch's axes, H and W exchanged.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from dlbook.nn.patch import ORDERS, PatchEmbedding, patch_grid, patchify, unpatchify


def naive(images, p, order):
    """Pixel by pixel: where each number of each patch lies in the image."""
    B, C, H, W = images.shape
    out = torch.empty(B, (H // p) * (W // p), p * p * C, dtype=images.dtype)
    for n in range(out.shape[1]):
        top, left = p * (n // (W // p)), p * (n % (W // p))
        for c in range(C):
            for i in range(p):
                for j in range(p):
                    place = c * p * p + i * p + j if order == "c p q" else i * p * C + j * C + c
                    out[:, n, place] = images[:, c, top + i, left + j]
    return out


def check(cut):
    for order in ORDERS:
        images = torch.randn(2, 3, 6, 4, generator=torch.Generator().manual_seed(0))
        assert torch.equal(cut(images, 2, order), naive(images, 2, order)), order


def test_equals_the_loop():
    check(patchify)


def columns_first(images, p, order):
    return patchify(images.transpose(2, 3), p, order)


def read_down(images, p, order):
    rows, columns = images.shape[2] // p, images.shape[3] // p
    return patchify(images, p, order).unflatten(1, (rows, columns)).transpose(1, 2).flatten(1, 2)


def other_order(images, p, order):
    return patchify(images, p, ORDERS[order == ORDERS[0]])


def rows_for_columns(images, p, order):
    B, C, H, W = images.shape
    return patchify(images.reshape(B, C, W, H), p, order)


@pytest.mark.parametrize("fault", [columns_first, read_down, other_order, rows_for_columns])
def test_the_loop_catches_the_seeded_fault(fault):
    with pytest.raises(AssertionError):
        check(fault)


@settings(max_examples=40)
@given(
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(1, 4),
    st.sampled_from(ORDERS),
)
def test_unpatchify_is_the_inverse_and_patchify_is_unfold(B, C, rows, columns, p, order):
    images = torch.randn(B, C, rows * p, columns * p)
    patches = patchify(images, p, order)
    assert patches.shape == (B, rows * columns, p * p * C)
    assert torch.equal(unpatchify(patches, p, (rows, columns), order), images)
    assert torch.equal(patchify(images, p), F.unfold(images, p, stride=p).transpose(1, 2))


def test_embedding_by_convolution_equals_cutting_and_multiplying():
    torch.manual_seed(0)
    layer = PatchEmbedding(4, 3, 10).double()
    inputs = [torch.randn(2, 3, 8, 12, dtype=torch.float64).requires_grad_()]
    inputs.append(inputs[0].detach().clone().requires_grad_())
    results = [layer(inputs[0]), layer.written_out(inputs[1])]
    assert results[0].shape == (2, 6, 10)
    torch.testing.assert_close(results[0], results[1], rtol=1e-12, atol=1e-12)
    grads = []
    for result in results:
        layer.zero_grad()
        (result * torch.cos(torch.arange(120.0, dtype=torch.float64)).view_as(result)).sum().backward()
        grads.append([layer.proj.weight.grad, layer.proj.bias.grad])
    for ours, theirs in (*zip(*grads), (inputs[0].grad, inputs[1].grad)):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    with torch.no_grad():  # fault: the matrix in the other order of a patch's axes
        broken = F.linear(patchify(inputs[0], 4, "p q c"), layer.proj.weight.flatten(1), layer.proj.bias)
    assert not torch.allclose(broken, results[0])


def test_a_token_sees_its_own_patch_only():
    layer = PatchEmbedding(3, 2, 5)
    images = torch.randn(1, 2, 6, 9, requires_grad=True)
    layer(images)[0, 4].sum().backward()  # the second row's middle patch
    seen = images.grad[0].abs().sum(0) > 0
    assert seen[3:6, 3:6].all() and seen.sum() == 9


@pytest.mark.parametrize("shape", [(1, 3, 225, 224), (1, 3, 224, 230), (1, 3, 8, 8)])
def test_a_resolution_that_patches_do_not_divide_is_refused(shape):
    with pytest.raises(
        ValueError,
        match=f"multiple of the patch size 16, got {shape[2]} x {shape[3]}; resize the images, for example",
    ):
        PatchEmbedding(16, 3, 4)(torch.zeros(shape))
    with pytest.raises(ValueError, match="multiple of the patch size"):
        patchify(torch.zeros(shape), 16)


def test_other_refusals():
    assert patch_grid(224, 16) == (14, 14) and patch_grid((32, 48), 16) == (2, 3)
    with pytest.raises(ValueError, match="got 0 x 16"):
        patch_grid((0, 16), 16)
    with pytest.raises(ValueError, match="expected order to be"):
        patchify(torch.zeros(1, 3, 4, 4), 2, "q p c")
    with pytest.raises(ValueError, match="leave out the class token"):
        unpatchify(torch.zeros(1, 5, 12), 2, (2, 2))
    with pytest.raises(ValueError, match="leave out the class token"):
        unpatchify(torch.zeros(1, 4, 13), 2, (2, 2))
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        PatchEmbedding(4, 3, 8)(torch.zeros(1, 1, 8, 8))
    for arguments in ((0, 3, 8), (4, 0, 8), (4, 3, 0)):
        with pytest.raises(ValueError, match="to be a whole number >= 1"):
            PatchEmbedding(*arguments)
