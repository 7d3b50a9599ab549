"""Calibration: torchmetrics' error, a loop over the images, the slope at the temperature, and faults."""

import math

import pytest
import torch
import torch.nn.functional as F
from torchmetrics.functional.classification import multiclass_calibration_error

from dlbook.measure import calibration
from dlbook.measure.calibration import fit_temperature, reliability

BINS = [4, 10, 15]


def problem(seed=0, images=400, classes=5, scale=2.0):
    draw = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(images, classes, generator=draw, dtype=torch.float64)
    noisy = logits + 2 * torch.randn(images, classes, generator=draw, dtype=torch.float64)
    return logits, noisy.argmax(1)


def check_against_torchmetrics():
    for seed in range(4):
        logits, labels = problem(seed)
        for bins in BINS:
            theirs = multiclass_calibration_error(logits.softmax(1), labels, 5, n_bins=bins, norm="l1")
            ours = calibration.reliability(logits.softmax(1), labels, bins).ece
            assert math.isclose(ours, theirs, abs_tol=1e-6)  # torchmetrics computes in float32


def check_against_a_loop():
    logits, labels = problem()
    probs = logits.softmax(1)
    for bins in BINS:
        found = calibration.reliability(probs, labels, bins)
        for b in range(bins):
            inside = [
                (max(row), row.index(max(row)) == y)
                for row, y in zip(probs.tolist(), labels.tolist(), strict=True)
                if b / bins < max(row) <= (b + 1) / bins
            ]
            assert math.isclose(found.share[b], len(inside) / len(labels))
            if inside:
                assert math.isclose(found.confidence[b], sum(c for c, _ in inside) / len(inside))
                assert math.isclose(found.accuracy[b], sum(r for _, r in inside) / len(inside))
            else:
                assert found.confidence[b].isnan() and found.accuracy[b].isnan()


def test_the_error_is_torchmetrics():
    check_against_torchmetrics()


def test_each_bin_is_the_loop():
    check_against_a_loop()


def test_overconfidence_is_mean_confidence_less_accuracy():
    logits, labels = problem()
    probs = logits.softmax(1)
    expected = probs.amax(1).mean() - (probs.argmax(1) == labels).double().mean()
    assert math.isclose(reliability(probs, labels).overconfidence, expected, rel_tol=1e-12)


def test_a_border_belongs_to_the_lower_bin_and_certainty_to_the_last():
    probs = torch.tensor([[0.5, 0.5], [1.0, 0.0]])
    assert reliability(probs, torch.tensor([0, 0]), bins=2).share.tolist() == [0.5, 0.5]


def check_temperature():
    """The slope at the T that is found is 0, and a grid around it has no smaller loss."""
    for seed in range(4):
        logits, labels = problem(seed)
        found = calibration.fit_temperature(logits, labels)
        inverse = torch.tensor(1 / found, dtype=torch.float64, requires_grad=True)
        loss = F.cross_entropy(logits * inverse, labels)
        assert abs(torch.autograd.grad(loss, inverse)[0]) < 1e-9
        for near in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0):
            assert F.cross_entropy(logits / (near * found), labels) > loss


def test_the_temperature_is_the_minimum():
    check_temperature()


def test_a_scaled_network_gets_the_scale_back():
    logits, labels = problem()
    assert math.isclose(fit_temperature(3 * logits, labels), 3 * fit_temperature(logits, labels))


def test_labels_drawn_from_the_network_itself_are_calibrated():
    draw = torch.Generator().manual_seed(0)
    probs = (2 * torch.randn(200_000, 4, generator=draw)).softmax(1)
    labels = torch.multinomial(probs, 1, generator=draw)[:, 0]
    assert reliability(probs, labels).ece < 0.01
    assert abs(fit_temperature(probs.log(), labels) - 1) < 0.02


def test_when_all_is_right_the_smallest_temperature_comes_back():
    assert fit_temperature(torch.eye(3), torch.arange(3)) < 1.01 / calibration.MOST


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: reliability(torch.zeros(2, 3, 1), torch.zeros(2)), r"scores \[N, K\]"),
        (lambda: reliability(torch.ones(2, 2) / 2, torch.zeros(3)), "labels"),
        (lambda: reliability(torch.zeros(0, 2), torch.zeros(0)), "got \\[0, 2\\]"),
        (lambda: reliability(torch.eye(2) * 3, torch.arange(2)), "sum to 1"),
        (lambda: reliability(torch.eye(2), torch.arange(2), bins=0), "bins"),
        (lambda: fit_temperature(torch.eye(2), torch.arange(3)), "labels"),
    ],
)
def test_bad_arguments(call, what):
    with pytest.raises(ValueError, match=what):
        call()


def unweighted(probs, labels, bins=15):
    """Every bin counts the same."""
    found = reliability(probs, labels, bins)
    filled = (found.share > 0).double()
    return calibration.Reliability(found.confidence, found.accuracy, filled / filled.sum())


def of_the_true_class(probs, labels, bins=15):
    """The confidence is that of the label, not of the guess."""
    confidence = probs.gather(1, labels[:, None])[:, 0]
    others = ((1 - confidence) / (probs.shape[1] - 1))[:, None].expand_as(probs).clone()
    return reliability(others.scatter(1, labels[:, None], confidence[:, None]), labels, bins)


def one_bin_too_high(probs, labels, bins=15):
    found = reliability(probs, labels, bins)
    return calibration.Reliability(*(value.roll(1) for value in vars(found).values()))


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (unweighted, check_against_torchmetrics),
        (of_the_true_class, check_against_torchmetrics),
        (one_bin_too_high, check_against_a_loop),
    ],
)
def test_the_check_sees_the_fault(broken, check, monkeypatch):
    monkeypatch.setattr(calibration, "reliability", broken)
    with pytest.raises(AssertionError):
        check()


@pytest.mark.parametrize(
    "broken", [lambda z, y: 1 / fit_temperature(z, y), lambda z, y: fit_temperature(z.float() * 1.001, y)]
)
def test_the_check_sees_a_wrong_temperature(broken, monkeypatch):
    monkeypatch.setattr(calibration, "fit_temperature", broken)
    with pytest.raises(AssertionError):
        check_temperature()
