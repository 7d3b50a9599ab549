"""Faults seeded into the losses and methods; every one has to make its oracle fail."""

import pytest
import torch
import torch.nn.functional as F

import tests.semi.semi_checks as checks
from dlbook.semi import fixmatch, flexmatch


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


def make(kind):
    if issubclass(kind, flexmatch.FlexMatch):
        config = flexmatch.FlexMatchConfig(threshold=checks.TAU, unlabelled_weight=2.0)
        return lambda net, tau: kind(net, 40, checks.K, config)
    return lambda net, tau: kind(net, fixmatch.FixMatchConfig(threshold=tau, unlabelled_weight=2.0))


FAULTS = {
    "mean over the selected only": (checks.check_fixmatch_value, selected_only_mean),
    "threshold compared with a logit": (checks.check_fixmatch_value, threshold_on_logits),
    "label of the strong view": (checks.check_fixmatch_value, label_of_the_strong_view),
    "mask applied twice": (checks.check_fixmatch_value, loss_times_mask_rate_twice),
    "soft label without stop-gradient": (checks.check_no_gradient_to_weak, soft_label_without_stop_gradient),
    "weak pass in evaluation mode": (checks.check_fixmatch_step, make(EvaluationModeWeakPass)),
    "weak and strong exchanged": (checks.check_fixmatch_step, make(ViewsExchanged)),
    "unlabelled weight forgotten": (checks.check_fixmatch_step, make(WeightForgotten)),
    "counts by the adaptive threshold": (checks.check_flexmatch_memory, make(CountsByAdaptiveThreshold)),
    "remembers by place in the batch": (checks.check_flexmatch_memory, make(RemembersByPlaceInBatch)),
    "forgets earlier batches": (checks.check_flexmatch_memory, make(CountsSeenNow)),
    "unused left out of the denominator": (checks.check_learning_effect, unused_left_out),
    "M(x) = x": (checks.check_class_thresholds, lambda beta, tau: beta * tau),
    "one threshold for all classes": (
        checks.check_flexmatch_value,
        lambda weak, strong, thresholds: fixmatch.unlabelled_loss(weak, strong, thresholds.mean().item()),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    check, broken = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)
