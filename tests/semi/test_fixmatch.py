"""FixMatch against naive loops, and its arguments."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from dlbook.naive import semi as naive
from dlbook.semi import fixmatch
from tests.seeded import edited
from tests.semi.semi_checks import (
    THRESHOLD_ENDS,
    THRESHOLD_FAULTS,
    K,
    check_ends,
    check_evaluated,
    check_fixmatch_step,
    check_fixmatch_value,
    check_no_gradient_to_weak,
    make_net,
)


def make_method(net, tau):
    return fixmatch.FixMatch(net, fixmatch.FixMatchConfig(threshold=tau, unlabelled_weight=2.0))


def test_loss_is_equation_4():
    """Seeded faults: mean over the selected, threshold on logits, label of the strong view."""
    check_fixmatch_value(fixmatch.unlabelled_loss)


def test_no_gradient_reaches_the_weak_view():
    """Seeded fault: soft label without stop-gradient."""
    check_no_gradient_to_weak(fixmatch.unlabelled_loss)


def test_step_is_algorithm_1():
    """Seeded faults: weak pass in evaluation mode, views exchanged, labelled images without their mean."""
    check_fixmatch_step(make_method)


@given(
    st.lists(st.lists(st.floats(-20, 20), min_size=K, max_size=K), min_size=1, max_size=6), st.floats(0, 1)
)
def test_loss_for_any_logits(rows, tau):
    weak = torch.tensor(rows, dtype=torch.float64)
    strong = weak.flip(0)
    confidence = weak.softmax(1).max(1).values
    if (confidence - tau).abs().min() < 1e-9:  # a tie is decided by rounding
        return
    expected = naive.fixmatch(weak.tolist(), strong.tolist(), [tau] * K)
    assert math.isclose(
        fixmatch.unlabelled_loss(weak, strong, tau)[0].item(), expected, rel_tol=1e-9, abs_tol=1e-12
    )


def check_at_the_threshold(loss) -> None:
    """max q_b >= tau: an image whose confidence is tau itself counts, one a last digit below does not."""
    weak = torch.randn(8, K, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for confidence in weak.softmax(1).max(1).values.tolist():
        kept, above = (loss(weak, weak, tau)[-1].sum() for tau in (confidence, math.nextafter(confidence, 1)))
        assert kept == above + 1


def test_confidence_at_exactly_the_threshold_counts():
    check_at_the_threshold(fixmatch.unlabelled_loss)
    broken = edited(fixmatch, "mask = confidence >= threshold", "mask = confidence > threshold")
    with pytest.raises(AssertionError):
        check_at_the_threshold(broken["unlabelled_loss"])


def test_permuting_the_batch_changes_nothing():
    weak, strong = torch.randn(8, K), torch.randn(8, K)
    order = torch.randperm(8)
    one = fixmatch.unlabelled_loss(weak, strong, 0.4)[0]
    other = fixmatch.unlabelled_loss(weak[order], strong[order], 0.4)[0]
    torch.testing.assert_close(one, other)


def test_threshold_0_keeps_all_and_1_keeps_none():
    weak, strong = torch.randn(8, K), torch.randn(8, K)
    assert fixmatch.unlabelled_loss(weak, strong, 0.0)[2].all()
    loss, _, mask = fixmatch.unlabelled_loss(weak, strong, 1.0)
    assert not mask.any() and loss.item() == 0


def test_no_confident_image_gives_no_gradient_and_no_nan():
    strong = torch.randn(8, K, requires_grad=True)
    fixmatch.unlabelled_loss(torch.zeros(8, K), strong, 0.95)[0].backward()
    assert (strong.grad == 0).all()


def test_average_is_not_trained():
    method = make_method(make_net(), 0.95)
    trained = {id(parameter) for group in method.param_groups() for parameter in group["params"]}
    assert trained == {id(parameter) for parameter in method.model.parameters()}


@pytest.mark.parametrize("bad", [{"threshold": 3.0}, {"threshold": -0.1}, {"unlabelled_weight": -1.0}])
def test_bad_arguments_are_named(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        fixmatch.FixMatchConfig(**bad)


def selected_only_mean(weak, strong, threshold):
    confidence, labels = weak.detach().softmax(1).max(1)
    mask = confidence >= threshold
    return F.cross_entropy(strong[mask], labels[mask]), labels, mask


def threshold_on_logits(weak, strong, threshold):
    largest, labels = weak.detach().max(1)
    mask = largest >= threshold
    return (F.cross_entropy(strong, labels, reduction="none") * mask).mean(), labels, mask


def label_of_the_strong_view(weak, strong, threshold):
    mask = weak.detach().softmax(1).max(1).values >= threshold
    labels = strong.detach().argmax(1)
    return (F.cross_entropy(strong, labels, reduction="none") * mask).mean(), labels, mask


def soft_label_without_stop_gradient(weak, strong, threshold):
    probs = weak.softmax(1)
    mask = probs.max(1).values >= threshold
    return (F.cross_entropy(strong, probs, reduction="none") * mask).mean(), probs.argmax(1), mask


def loss_times_mask_rate_twice(weak, strong, threshold):
    loss, labels, mask = fixmatch.unlabelled_loss(weak, strong, threshold)
    return loss * mask.double().mean(), labels, mask


class EvaluationModeWeakPass(fixmatch.FixMatch):
    def training_step(self, batch, step):
        self.model.eval()
        with torch.no_grad():
            weak = self.model(batch["weak"])
        self.model.train()
        logits = self.model(torch.cat([batch["labelled"], batch["strong"]]))
        unlabelled = fixmatch.unlabelled_loss(weak, logits[5:], self.config.threshold)[0]
        return {
            "loss": F.cross_entropy(logits[:5], batch["labels"]) + self.config.unlabelled_weight * unlabelled
        }


class ViewsExchanged(fixmatch.FixMatch):
    def training_step(self, batch, step):
        return super().training_step(batch | {"weak": batch["strong"], "strong": batch["weak"]}, step)


class WeightForgotten(fixmatch.FixMatch):
    def training_step(self, batch, step):
        outputs = super().training_step(batch, step)
        return outputs | {
            "loss": outputs["loss"] - outputs["unlabelled"] * (self.config.unlabelled_weight - 1)
        }


def made(kind):
    return lambda net, tau: kind(net, fixmatch.FixMatchConfig(threshold=tau, unlabelled_weight=2.0))


FAULTS = {
    "mean over the selected only": (check_fixmatch_value, selected_only_mean),
    "threshold compared with a logit": (check_fixmatch_value, threshold_on_logits),
    "label of the strong view": (check_fixmatch_value, label_of_the_strong_view),
    "mask applied twice": (check_fixmatch_value, loss_times_mask_rate_twice),
    "soft label without stop-gradient": (check_no_gradient_to_weak, soft_label_without_stop_gradient),
    "weak pass in evaluation mode": (check_fixmatch_step, made(EvaluationModeWeakPass)),
    "weak and strong exchanged": (check_fixmatch_step, made(ViewsExchanged)),
    "unlabelled weight forgotten": (check_fixmatch_step, made(WeightForgotten)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    check, broken = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


def test_the_average_is_evaluated():
    check_evaluated(fixmatch.FixMatch)
    broken = edited(fixmatch, "return self.ema.module", "return self.model")
    with pytest.raises(AssertionError):
        check_evaluated(broken["FixMatch"])


def test_the_ends_of_the_ranges():
    check_ends(fixmatch.FixMatchConfig, *THRESHOLD_ENDS)


@pytest.mark.parametrize("fault", THRESHOLD_FAULTS)
def test_the_check_sees_another_end(fault):
    with pytest.raises((ValueError, pytest.fail.Exception)):
        check_ends(edited(fixmatch, *fault)["FixMatchConfig"], *THRESHOLD_ENDS)
