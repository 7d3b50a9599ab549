"""Random convolutions, drawn by hypothesis, and their comparison with torch in float64, outputs and
gradients.
"""

from collections.abc import Callable

import torch
from hypothesis import assume
from hypothesis import strategies as st
from torch import Tensor


@st.composite
def convolutions(draw, axes: int = 2, paddings: bool = True):
    """x, weight, bias, keywords of a convolution of `axes` axes whose windows fit: non-square, strided,
    padded, dilated, grouped.
    """
    whole = st.integers(1, 3)
    groups, batch = draw(whole), draw(st.integers(1, 2))
    kernel = draw(st.tuples(*[whole] * axes))
    stride, dilation = draw(st.tuples(*[whole] * axes)), draw(st.tuples(*[whole] * axes))
    padding = draw(st.tuples(*[st.integers(0, 2 if paddings else 0)] * axes))
    size = draw(st.tuples(*[st.integers(1, 7)] * axes))
    assume(all(n + 2 * p >= d * (k - 1) + 1 for n, k, p, d in zip(size, kernel, padding, dilation)))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 999)))

    def made(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    group_channels, group_outputs = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    weight = made(groups * group_outputs, group_channels, *kernel)
    bias = made(groups * group_outputs) if draw(st.booleans()) else None
    keywords = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if axes == 1:
        keywords |= {name: keywords[name][0] for name in ("stride", "padding", "dilation")}
    return made(batch, groups * group_channels, *size), weight, bias, keywords


def gradients(function: Callable[..., Tensor], *tensors: Tensor | None, **keywords) -> list[Tensor]:
    """The result of a function and the gradients of a random-looking sum of it with respect to each tensor
    (not None).
    """
    leaves = [None if t is None else t.clone().requires_grad_() for t in tensors]
    result = function(*leaves, **keywords)
    sign = torch.cos(torch.arange(result.numel(), dtype=torch.float64)).reshape(result.shape)
    used = [leaf for leaf in leaves if leaf is not None]
    return [result.detach(), *torch.autograd.grad((result.double() * sign).sum(), used)]


def assert_same(ours: list[Tensor], theirs: list[Tensor], tolerance: float = 1e-12) -> None:
    """Equal shapes, and numbers equal to `tolerance`, absolute and relative."""
    assert len(ours) == len(theirs)
    for own, other in zip(ours, theirs):
        torch.testing.assert_close(own, other, rtol=tolerance, atol=tolerance)
