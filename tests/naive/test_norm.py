"""The naive normalisation against torch, its gradient against autograd, each with seeded faults."""

import pytest
import torch

from dlbook.naive import norm
from tests.oracles.norms import normalised
from tests.seeded import check_sees, edited


def block():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, 2, 3, generator=generator, dtype=torch.float64)
    return x + torch.randn(3, 4, 1, 1, generator=generator, dtype=torch.float64)


def check_kinds(normalise):
    x = block()
    for kind, groups in (("batch", 1), ("layer", 1), ("group", 1), ("group", 2), ("instance", 1)):
        torch.testing.assert_close(
            normalise(x, kind, groups), normalised(x, kind, groups), rtol=0, atol=1e-12
        )
    torch.testing.assert_close(normalise(x, "group", 4), normalised(x, "instance"), rtol=0, atol=1e-12)


def test_every_kind_is_torchs():
    check_kinds(norm.normalise)


KINDS = {
    "a batch of one image": ('"batch": same_channel', '"batch": same_channel and same_image'),
    "a layer over all places": ("same_image and same_place", "same_image"),
    "groups of every other channel": (
        "a[1] // channels_per_group == b[1] // channels_per_group",
        "a[1] % channels_per_group == b[1] % channels_per_group",
    ),
    "instances of all images": ("same_image and same_channel", "same_channel"),
    "unbiased variance": ("for value in shared) / len(shared)", "for value in shared) / (len(shared) - 1)"),
    "eps outside the root": ("math.sqrt(variance + eps)", "(math.sqrt(variance) + eps)"),
    "groups counted as channels": ("x.shape[1] // num_groups", "num_groups"),
}


@pytest.mark.parametrize("fault", KINDS)
def test_the_check_of_kinds_sees_the_fault(fault):
    if fault == "groups counted as channels":  # with four channels two groups of two are no test of it
        x = torch.randn(2, 6, 2, 2, dtype=torch.float64)
        faulty = edited(norm, *KINDS[fault])["normalise"]
        assert not torch.allclose(faulty(x, "group", 2), normalised(x, "group", 2))
        torch.testing.assert_close(norm.normalise(x, "group", 2), normalised(x, "group", 2))
    else:
        check_sees(check_kinds, norm, "normalise", *KINDS[fault])


def check_gradient(gradient):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(7, generator=generator, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(7, generator=generator, dtype=torch.float64)
    for eps in (1e-5, 0.3):
        y = (x - x.mean()) / (x.var(correction=0) + eps).sqrt()
        (expected,) = torch.autograd.grad(y, x, upstream)
        found = torch.tensor(gradient(x.tolist(), upstream.tolist(), eps), dtype=torch.float64)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_the_gradient_is_autograds():
    check_gradient(norm.gradient)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("own - 1 / m - y", "own - y"),
        ("- y[i] * y[j] / m)", ")"),
        ("upstream[i] * (own", "upstream[j] * (own"),
        ("y[i] * y[j] / m) / deviation", "y[i] * y[j] / m)"),
    ],
)
def test_the_check_of_the_gradient_sees_the_fault(old, new):
    check_sees(check_gradient, norm, "gradient", old, new)
