"""Cross-entropy against a loop over its equation, against torch, and where the plain formula breaks."""

import math

import pytest
import torch
from torch.nn import functional as F

from dlbook.nn import cross_entropy as module
from tests.seeded import edited

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = 4 * torch.randn(7, 5, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.tensor([0, 1, 2, 3, 4, 4, 0])


def check_loop(names):
    """The mean of minus the logarithm of a share, number by number."""
    total = 0.0
    for row, label in zip(LOGITS.tolist(), LABELS.tolist()):
        total -= math.log(math.exp(row[label]) / sum(math.exp(z) for z in row))
    assert names["cross_entropy"](LOGITS, LABELS).item() == pytest.approx(total / 7, rel=1e-13)


def check_gradient(names):
    """The closed form is what autograd finds through torch's own loss, and through ours."""
    for loss in (F.cross_entropy, names["cross_entropy"]):
        z = LOGITS.clone().requires_grad_()
        (found,) = torch.autograd.grad(loss(z, LABELS), z)
        assert (names["cross_entropy_gradient"](LOGITS, LABELS) - found).abs().max() < 1e-15


def check_far(names):
    """Logits of a size at which exponentials are infinite or zero, in float32, and infinite ones."""
    for scale in (1.0, 100.0, 1e4):
        z = (scale * LOGITS).float().requires_grad_()
        ours, theirs = names["cross_entropy"](z, LABELS), F.cross_entropy(z, LABELS)
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
        pair = [torch.autograd.grad(loss, z, retain_graph=True)[0] for loss in (ours, theirs)]
        torch.testing.assert_close(*pair, rtol=1e-5, atol=1e-7)
    rows = torch.tensor([[-math.inf, 1.0], [-math.inf, -math.inf], [math.inf, 0.0], [0.0, -math.inf]])
    assert torch.equal(names["log_sum_exp"](rows), torch.logsumexp(rows, -1))


def check_axis(names):
    """Any axis, as torch's."""
    z = LOGITS.reshape(7, 5, 1).expand(7, 5, 3) + torch.arange(3)
    for dim in (0, 1, -1):
        torch.testing.assert_close(names["log_sum_exp"](z, dim), torch.logsumexp(z, dim))
        torch.testing.assert_close(names["log_softmax"](z, dim), F.log_softmax(z, dim))


CHECKS = [check_loop, check_gradient, check_far, check_axis]


@pytest.mark.parametrize("check", CHECKS)
def test_it_holds(check):
    check(vars(module))


FAULTS = {
    "no shift": (
        "logits.amax(dim, keepdim=True).detach()",
        "torch.zeros_like(logits.amax(dim, keepdim=True))",
    ),
    "the smallest": ("logits.amax(", "logits.amin("),
    "the shift is not added back": ("largest.squeeze(dim) + (", "("),
    "infinity minus infinity": ("torch.where(largest.isfinite(), largest, 0.0)", "largest"),
    "another axis": (".exp().sum(dim).log()", ".exp().sum(-1).log()"),
    "sum for mean": (".gather(1, labels[:, None]).mean()", ".gather(1, labels[:, None]).sum()"),
    "gradient of the sum": (" - right) / len(logits)", " - right)"),
    "gradient of another class": (
        "scatter(1, labels[:, None], 1.0)",
        "scatter(1, labels.flip(0)[:, None], 1.0)",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_seen(fault):
    names = edited(module, *FAULTS[fault])
    seen = 0
    for check in CHECKS:
        try:
            check(names)
        except (AssertionError, RuntimeError):
            seen += 1
    assert seen > 0


@pytest.mark.parametrize(
    ("logits", "labels", "words"),
    [
        (
            LOGITS,
            LABELS[:3],
            r"expected logits \[B, K\] and int64 labels \[B\], got \[7, 5\] and torch.int64 \[3\]",
        ),
        (LOGITS, LABELS.float(), "got .* torch.float32"),
        (LOGITS[0], LABELS, "one class a row"),
        (LOGITS, LABELS + 1, "expected labels from 0 to 4, got 1 to 5; count classes from 0"),
        (LOGITS, LABELS - 1, "got -1 to 3"),
    ],
)
def test_errors_say_how_to_fix(logits, labels, words):
    for function in (module.cross_entropy, module.cross_entropy_gradient):
        with pytest.raises(ValueError, match=words):
            function(logits, labels)
