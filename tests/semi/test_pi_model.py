"""The Pi-model against naive loops."""

import math

import pytest
import torch
import torch.nn.functional as F

from dlbook.naive import semi as naive
from dlbook.semi import pi_model
from tests.seeded import edited
from tests.semi.semi_checks import K, check_average_follows, check_ends, check_evaluated, logits


def check_consistency_value(consistency_loss):
    one, other = logits(1), logits(2)
    total = 0.0
    for first, second in zip(one.tolist(), other.tolist(), strict=True):
        total += sum((p - q) ** 2 for p, q in zip(naive.softmax(first), naive.softmax(second), strict=True))
    assert math.isclose(consistency_loss(one, other).item(), total / (K * len(one)), rel_tol=1e-12)


def check_both_views_learn(consistency_loss):
    one, other = logits(1).requires_grad_(), logits(2).requires_grad_()
    consistency_loss(one, other).backward()
    assert one.grad is not None and other.grad is not None
    torch.testing.assert_close(consistency_loss(one, other), consistency_loss(other, one))


def test_pi_model_loss_is_the_second_term_of_algorithm_1():
    """Seeded faults: logits instead of probabilities, a sum over classes."""
    check_consistency_value(pi_model.consistency_loss)


def test_pi_model_trains_through_both_views():
    """Seeded fault: a stop-gradient that the paper does not have."""
    check_both_views_learn(pi_model.consistency_loss)


def test_pi_model_ramp():
    assert math.isclose(pi_model.ramp_up(0, 80), math.exp(-5))
    assert math.isclose(pi_model.ramp_up(40, 80), math.exp(-1.25))
    assert pi_model.ramp_up(80, 80) == pi_model.ramp_up(500, 80) == 1.0


def test_the_average_follows():
    check_average_follows(pi_model.PiModel)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="length"):
        pi_model.PiModelConfig(length=0)


FAULTS = {
    "squared difference of logits": (check_consistency_value, F.mse_loss),
    "sum over classes": (
        check_consistency_value,
        lambda one, other: (one.softmax(1) - other.softmax(1)).square().sum(1).mean(),
    ),
    "stop-gradient in the Pi-model": (
        check_both_views_learn,
        lambda one, other: F.mse_loss(one.softmax(1), other.detach().softmax(1)),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    check, broken = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


def test_the_average_is_evaluated():
    check_evaluated(pi_model.PiModel)
    broken = edited(pi_model, "return self.ema.module", "return self.model")
    with pytest.raises(AssertionError):
        check_evaluated(broken["PiModel"])


ENDS = ([{"length": 1}, {"weight": 0}], [{"length": 0}, {"weight": -1e-9}])
END_FAULTS = [
    ("self.length < 1", "self.length <= 1"),
    ("self.weight < 0", "self.weight <= 0"),
    ("self.length < 1", "self.length < 0"),
    ("self.weight < 0", "False"),
]


def test_the_ends_of_the_ranges():
    check_ends(pi_model.PiModelConfig, *ENDS)


@pytest.mark.parametrize("fault", END_FAULTS)
def test_the_check_sees_another_end(fault):
    with pytest.raises((ValueError, pytest.fail.Exception)):
        check_ends(edited(pi_model, *fault)["PiModelConfig"], *ENDS)
