"""The baseline, Pseudo-Label and the Pi-model against naive loops."""

import math

import pytest
import torch

from dlbook.semi import pi_model, pseudo_label, supervised
from tests.semi.semi_checks import K, largest, logits, make_batch, make_net, softmax


def check_pseudo_label_value(unlabelled_loss):
    rows = logits(3)
    expected = sum(-math.log(softmax(row)[largest(row)]) for row in rows.tolist()) / len(rows)
    assert math.isclose(unlabelled_loss(rows).item(), expected, rel_tol=1e-12)


def check_consistency_value(consistency_loss):
    one, other = logits(1), logits(2)
    total = 0.0
    for first, second in zip(one.tolist(), other.tolist(), strict=True):
        total += sum((p - q) ** 2 for p, q in zip(softmax(first), softmax(second), strict=True))
    assert math.isclose(consistency_loss(one, other).item(), total / (K * len(one)), rel_tol=1e-12)


def check_both_views_learn(consistency_loss):
    one, other = logits(1).requires_grad_(), logits(2).requires_grad_()
    consistency_loss(one, other).backward()
    assert one.grad is not None and other.grad is not None
    torch.testing.assert_close(consistency_loss(one, other), consistency_loss(other, one))


def test_pseudo_label_loss_is_equation_15():
    check_pseudo_label_value(pseudo_label.unlabelled_loss)


def test_pseudo_label_sharpens():
    """Its gradient step makes the largest probability larger: the feedback behind confirmation bias."""
    rows = logits(3).requires_grad_()
    pseudo_label.unlabelled_loss(rows).backward()
    after = (rows - rows.grad).detach()
    assert (after.softmax(1).max(1).values > rows.softmax(1).max(1).values).all()


def test_pseudo_label_ramp_is_equation_16():
    values = [pseudo_label.ramp(step, 100, 600, 3.0) for step in (0, 99, 100, 350, 600, 10_000)]
    assert values == [0.0, 0.0, 0.0, 1.5, 3.0, 3.0]
    assert pseudo_label.ramp(5, 5, 5, 1.0) == 1.0


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


@pytest.mark.parametrize(
    "make",
    [supervised.Supervised, pseudo_label.PseudoLabel, pi_model.PiModel],
)
def test_each_method_trains_its_model_and_its_average_follows(make):
    method = make(make_net())
    method.train()
    before = method.ema.module.layers[1].weight.clone()
    optimizer = torch.optim.SGD(method.param_groups(), lr=0.1)
    method(make_batch(), 0)["loss"].backward()
    assert all(weight.grad is None for weight in method.ema.parameters())
    optimizer.step()
    method.after_step(0)
    assert not torch.equal(method.ema.module.layers[1].weight, before)
    torch.testing.assert_close(method.ema.module.layers[1].weight, method.model.layers[1].weight)


@pytest.mark.parametrize(
    ("config", "bad"),
    [(pseudo_label.PseudoLabelConfig, {"start": 9, "end": 3}), (pi_model.PiModelConfig, {"length": 0})],
)
def test_bad_arguments_are_named(config, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        config(**bad)
