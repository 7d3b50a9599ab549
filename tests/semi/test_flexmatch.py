"""FlexMatch against naive loops: counting, thresholds, loss, and what it remembers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlbook.semi import fixmatch, flexmatch
from tests.seeded import edited
from tests.semi.semi_checks import (
    TAU,
    THRESHOLD_ENDS,
    THRESHOLD_FAULTS,
    K,
    check_class_thresholds,
    check_ends,
    check_evaluated,
    check_fixmatch_step,
    check_flexmatch_memory,
    check_flexmatch_value,
    check_learning_effect,
    make_batch,
    make_net,
)


def make_method(net, tau):
    return flexmatch.FlexMatch(net, 40, K, flexmatch.FlexMatchConfig(threshold=tau, unlabelled_weight=2.0))


def test_loss_uses_the_threshold_of_the_predicted_class():
    check_flexmatch_value(flexmatch.unlabelled_loss)


def check_at_the_threshold(module) -> None:
    """Both comparisons are >=, as in the published code: with T(c) in the loss, with tau in the counting."""
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, K))
    logits = torch.tensor(
        [0.0, 0.0, *[-1000.0] * (K - 2)]
    )  # probabilities 1/2, 1/2, 0: exact in every kernel
    with torch.no_grad():
        net[1].weight.zero_()
        net[1].bias.copy_(logits)
    weak = logits.expand(3, K)
    assert module["unlabelled_loss"](weak, weak, torch.full((K,), 0.5))[-1].all()
    method = module["FlexMatch"](net, 5, K, module["FlexMatchConfig"](threshold=0.5))
    images = torch.rand(3, 1, 2, 2)
    batch = dict.fromkeys(("labelled", "weak", "strong"), images)
    method.training_step(batch | {"labels": torch.zeros(3).long(), "indices": torch.tensor([4, 0, 2])}, 0)
    assert (method.remembered >= 0).tolist() == [True, False, True, False, True]


AT_THE_THRESHOLD = {
    "the loss": ("mask = confidence >= thresholds", "mask = confidence > thresholds"),
    "what is counted": ("counted = confidence >= self", "counted = confidence > self"),
}


def test_confidence_at_exactly_the_threshold_counts():
    check_at_the_threshold(vars(flexmatch))


@pytest.mark.parametrize("fault", AT_THE_THRESHOLD)
def test_the_check_sees_another_comparison(fault):
    broken = edited(flexmatch, *AT_THE_THRESHOLD[fault])
    with pytest.raises(AssertionError):
        check_at_the_threshold(broken)


def test_learning_effect_is_equations_5_6_11():
    """Seeded fault: unused images left out of the denominator."""
    check_learning_effect(flexmatch.learning_effect)


def test_thresholds_are_equation_12():
    """Seeded fault: M(x) = x instead of x / (2 - x)."""
    check_class_thresholds(flexmatch.class_thresholds)


def test_memory_is_by_index_and_fixed_threshold():
    """Seeded faults: counting by the adaptive threshold, remembering by place in the batch."""
    check_flexmatch_memory(make_method)


def test_equals_fixmatch_when_every_class_is_learnt():
    """All classes counted alike and none unused: beta = 1, M(1) = 1, so the step is FixMatch's."""

    def balanced(net, tau):
        method = make_method(net, tau)
        method.remembered.copy_(torch.arange(40) % K)
        return method

    check_fixmatch_step(balanced)


def test_first_thresholds_are_zero():
    """Nothing counted yet: the unused fill the denominator and every image enters the loss."""
    method = make_method(make_net(), 0.95)
    assert (method.thresholds() == 0).all()
    assert method.training_step(make_batch(), 0)["mask"].all()


def test_memory_is_in_the_checkpoint():
    assert "remembered" in make_method(make_net(), 0.95).state_dict()


@given(st.lists(st.integers(-1, K - 1), min_size=1, max_size=50), st.floats(0, 1))
def test_thresholds_stay_between_zero_and_tau(remembered, tau):
    thresholds = flexmatch.class_thresholds(flexmatch.learning_effect(torch.tensor(remembered), K), tau)
    assert (thresholds >= 0).all() and (thresholds <= tau + 1e-6).all()


def test_bad_threshold_is_named():
    with pytest.raises(ValueError, match="threshold"):
        flexmatch.FlexMatchConfig(threshold=95)


class CountsByAdaptiveThreshold(flexmatch.FlexMatch):
    def training_step(self, batch, step):
        outputs = super().training_step(batch, step)
        self.remembered[batch["indices"][outputs["mask"]]] = outputs["pseudo_labels"][outputs["mask"]]
        return outputs


class RemembersByPlaceInBatch(flexmatch.FlexMatch):
    def training_step(self, batch, step):
        return super().training_step(batch | {"indices": torch.arange(len(batch["weak"]))}, step)


class CountsSeenNow(flexmatch.FlexMatch):
    def training_step(self, batch, step):
        self.remembered.fill_(-1)
        return super().training_step(batch, step)


def unused_left_out(remembered, num_classes):
    counts = torch.bincount(remembered + 1, minlength=num_classes + 1)[1:]
    return counts / counts.max().clamp(min=1)


def made(kind):
    config = flexmatch.FlexMatchConfig(threshold=TAU, unlabelled_weight=2.0)
    return lambda net, tau: kind(net, 40, K, config)


FAULTS = {
    "counts by the adaptive threshold": (check_flexmatch_memory, made(CountsByAdaptiveThreshold)),
    "remembers by place in the batch": (check_flexmatch_memory, made(RemembersByPlaceInBatch)),
    "forgets earlier batches": (check_flexmatch_memory, made(CountsSeenNow)),
    "unused left out of the denominator": (check_learning_effect, unused_left_out),
    "M(x) = x": (check_class_thresholds, lambda beta, tau: beta * tau),
    "one threshold for all classes": (
        check_flexmatch_value,
        lambda weak, strong, thresholds: fixmatch.unlabelled_loss(weak, strong, thresholds.mean().item()),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    check, broken = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


def test_the_average_is_evaluated():
    check_evaluated(lambda net: flexmatch.FlexMatch(net, 40, K))
    broken = edited(flexmatch, "return self.ema.module", "return self.model")
    with pytest.raises(AssertionError):
        check_evaluated(lambda net: broken["FlexMatch"](net, 40, K))


def test_the_ends_of_the_ranges():
    check_ends(flexmatch.FlexMatchConfig, *THRESHOLD_ENDS)


@pytest.mark.parametrize("fault", THRESHOLD_FAULTS)
def test_the_check_sees_another_end(fault):
    with pytest.raises((ValueError, pytest.fail.Exception)):
        check_ends(edited(flexmatch, *fault)["FlexMatchConfig"], *THRESHOLD_ENDS)
