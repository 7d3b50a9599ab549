"""mixup: a naive loop, torchvision, timm, the two forms of the loss, gradients, the distribution of lambda,
and seeded faults.
"""

import math
import sys

import pytest
import torch
import torch.nn.functional as F
from timm.data.mixup import mixup_target
from torchvision.transforms import v2

from dlbook.regularize import mixup, smooth_targets
from dlbook.regularize.mixup import beta, mix
from tests.oracles.mixing import batch, mixed_by_loop

module = sys.modules["dlbook.regularize.mixup"]  # the package exports the function under this name
PARTNER = torch.tensor([3, 0, 5, 1, 4, 2])


def check_loop(mix):
    images, targets = batch()
    before = images.clone(), targets.clone()
    for weight in (
        0.3,
        torch.tensor([0.8], dtype=torch.float64),
        torch.tensor([0.0, 1.0, 0.2, 0.5, 0.9, 0.7]),
    ):
        weights = torch.as_tensor(weight, dtype=torch.float64).expand(6).tolist()
        for ours, naive in zip(
            mix(images, targets, PARTNER, weight),
            mixed_by_loop(images, targets, PARTNER, weights),
            strict=True,
        ):
            torch.testing.assert_close(ours, naive, rtol=1e-7, atol=1e-7)
    assert torch.equal(images, before[0]) and torch.equal(targets, before[1])


def check_torchvision(mix):
    """Its partners are the neighbours, its lambda is drawn inside."""
    images, _ = batch()
    labels = torch.tensor([0, 1, 2, 3, 1, 0])
    transform = v2.MixUp(alpha=0.5, num_classes=4)
    torch.manual_seed(3)
    expected, soft = transform(images, labels)
    torch.manual_seed(3)
    weight = float(transform._dist.sample(()))
    neighbours = torch.arange(6).roll(1)
    ours, mixed = mix(images, smooth_targets(labels, 4, 0.0), neighbours, weight)
    torch.testing.assert_close(ours, expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(mixed, soft, rtol=1e-6, atol=1e-6)


def check_draws(mixup, per_example, alpha=0.4):
    """lambda, found again from the mixed targets: its mean is 1/2, its variance 1 / (4 (2 alpha + 1));
    partners are all equally likely.
    """
    generator = torch.Generator().manual_seed(0)
    images, targets = torch.zeros(8, 1), torch.eye(8, dtype=torch.float64)
    found, partners = [], torch.zeros(8, 8)
    for _ in range(2000):
        _, soft = mixup(images, targets, alpha, per_example, generator)
        own, other = soft.diagonal(), soft - soft.diagonal().diag()
        moved = other.sum(1) > 0
        partners += (other > 0).float()
        if bool(moved.all()):
            found.append(own if per_example else own[:1])
            assert per_example or torch.allclose(own, own[0].expand(8))
    found = torch.cat(found)
    variance = 1 / (4 * (2 * alpha + 1))
    assert abs(found.mean() - 0.5) < 5 * math.sqrt(variance / len(found))
    assert abs(found.var() - variance) < 0.15 * variance
    assert (partners.sum() / 16000 - 7 / 8).abs() < 0.02
    off = partners[~torch.eye(8, dtype=torch.bool)]
    assert off.min() > 150 and off.max() < 350  # 250 expected


def check_loss(mix):
    """Cross-entropy with mixed targets is the mixture of two cross-entropies; so are its gradients."""
    images, _ = batch()
    labels, logits = (
        torch.tensor([0, 1, 2, 3, 1, 0]),
        torch.randn(6, 4, dtype=torch.float64, requires_grad=True),
    )
    _, soft = mix(images, smooth_targets(labels, 4, 0.0, torch.float64), PARTNER, 0.3)
    whole = F.cross_entropy(logits, soft)
    parts = 0.3 * F.cross_entropy(logits, labels) + 0.7 * F.cross_entropy(logits, labels[PARTNER])
    torch.testing.assert_close(whole, parts, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(
        *(torch.autograd.grad(loss, logits)[0] for loss in (whole, parts)), rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize("check", [check_loop, check_torchvision, check_loss])
def test_mix(check):
    check(mix)


@pytest.mark.parametrize("per_example", [False, True])
def test_draws(per_example):
    check_draws(mixup, per_example)


def test_targets_equal_timm_with_smoothing():
    """timm pairs from both ends."""
    labels = torch.tensor([0, 1, 2, 3, 1, 0])
    _, ours = mix(torch.zeros(6, 1), smooth_targets(labels, 5, 0.1), torch.arange(6).flip(0), 0.25)
    torch.testing.assert_close(ours, mixup_target(labels, 5, 0.25, 0.1), rtol=1e-6, atol=1e-7)


def test_gradient_to_the_images():
    images, targets = batch(2, 1, 2, 2)
    assert torch.autograd.gradcheck(
        lambda x: mix(x, targets, torch.tensor([1, 0]), 0.3)[0], images.requires_grad_()
    )


@pytest.mark.parametrize("alpha", [0.1, 1.0, 8.0])
def test_beta(alpha):
    draws = beta(alpha, 20_000, torch.Generator().manual_seed(1))
    variance = 1 / (4 * (2 * alpha + 1))
    assert draws.dtype == torch.float64 and bool(((draws >= 0) & (draws <= 1)).all())
    assert (
        abs(draws.mean() - 0.5) < 5 * math.sqrt(variance / 20_000) and abs(draws.var() / variance - 1) < 0.05
    )


def test_equal_seeds_give_equal_batches():
    images, targets = batch()
    runs = [mixup(images, targets, 0.4, generator=torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(runs[0][0], runs[1][0]) and torch.equal(runs[0][1], runs[1][1])


def test_types_stay():
    images, targets = batch(dtype=torch.float32)
    mixed, soft = mixup(images.bfloat16(), targets)
    assert mixed.dtype == torch.bfloat16 and soft.dtype == torch.float32


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_the_gpu():
    images, targets = batch()
    mixed, soft = mixup(images.cuda(), targets.cuda(), generator=torch.Generator("cuda").manual_seed(0))
    assert mixed.is_cuda and soft.is_cuda


@pytest.mark.parametrize(
    ("images", "targets", "alpha", "what"),
    [
        (torch.zeros(2, 3, dtype=torch.uint8), torch.zeros(2, 4), 1.0, "float images"),
        (torch.zeros(2, 3), torch.zeros(2), 1.0, "probabilities"),
        (torch.zeros(2, 3), torch.tensor([0, 1]), 1.0, "smooth_targets"),
        (torch.zeros(2, 3), torch.zeros(3, 4), 1.0, r"\[2, K\]"),
        (torch.zeros(0, 3), torch.zeros(0, 4), 1.0, "images"),
        (torch.zeros(2, 3), torch.zeros(2, 4), 0.0, "alpha"),
        (torch.zeros(2, 3), torch.zeros(2, 4), math.inf, "alpha"),
    ],
)
def test_bad_arguments(images, targets, alpha, what):
    with pytest.raises(ValueError, match=what):
        mixup(images, targets, alpha)


def labels_exchanged(images, targets, partner, weight):
    weight = torch.as_tensor(weight, dtype=images.dtype)
    return mix(images, targets, partner, weight)[0], mix(images, targets, partner, 1 - weight)[1]


def labels_of_other_partners(images, targets, partner, weight):
    return mix(images, targets, partner, weight)[0], mix(images, targets, partner.argsort(), weight)[1]


def labels_not_mixed(images, targets, partner, weight):
    return mix(images, targets, partner, weight)[0], targets


def in_place(images, targets, partner, weight):
    mixed, soft = mix(images, targets, partner, weight)
    return images.copy_(mixed), soft


def uniform_weights(alpha, count, generator=None, device="cpu"):
    return torch.rand(count, generator=generator, dtype=torch.float64)


def larger_weights(alpha, count, generator=None, device="cpu"):
    """MixMatch's max(lambda, 1 - lambda)."""
    drawn = beta(alpha, count, generator)
    return torch.maximum(drawn, 1 - drawn)


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (labels_exchanged, check_loop),
        (labels_of_other_partners, check_loop),
        (labels_not_mixed, check_loss),
        (in_place, check_loop),
        (labels_exchanged, check_torchvision),
    ],
)
def test_the_check_sees_the_fault(broken, check):
    with pytest.raises(AssertionError):
        check(broken)


@pytest.mark.parametrize("broken", [uniform_weights, larger_weights])
def test_the_statistics_see_the_fault(broken, monkeypatch):
    monkeypatch.setattr(module, "beta", broken)
    with pytest.raises(AssertionError):
        check_draws(mixup, True)


def test_the_statistics_see_fixed_partners(monkeypatch):
    monkeypatch.setattr(torch, "randperm", lambda count, **_: torch.arange(count).roll(1))
    with pytest.raises(AssertionError):
        check_draws(mixup, False)
