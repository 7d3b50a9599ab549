"""Evaluation: torchmetrics over all examples, each counted once, also over several processes.

>>> batch = {"images": torch.eye(3), "labels": torch.tensor([0, 1, 1])}
>>> evaluate(torch.nn.Identity(), [batch], num_classes=3)["accuracy"]
66.66666865348816
"""

import warnings
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassCalibrationError,
    MulticlassConfusionMatrix,
)

from dlbook.train.parallel.distributed import gather

__all__ = ["confusion", "evaluate", "make_metrics"]


def make_metrics(num_classes: int) -> MetricCollection:
    """Accuracy, top-5 accuracy (from six classes on), mean accuracy of the classes, and calibration error, of
    softmax probabilities.
    """
    metrics = {
        "accuracy": MulticlassAccuracy(num_classes, average="micro"),
        "class_accuracy": MulticlassAccuracy(num_classes, average="macro"),
        "calibration_error": MulticlassCalibrationError(num_classes, n_bins=15),
    }
    if num_classes > 5:
        metrics["top5"] = MulticlassAccuracy(num_classes, top_k=5, average="micro")
    return MetricCollection(metrics, compute_groups=False)


@torch.no_grad()
def evaluate(model: nn.Module, batches: Iterable[dict[str, Tensor]], num_classes: int) -> dict[str, float]:
    """Metrics of `model` in evaluation mode; its mode is put back.

    Args:
        model: images -> logits [B, K].
        batches: {"images": [B, ...], "labels": [B]}, on the device of the model; every example once. Where
            "counted" is there and
            false, the network runs and its answers are thrown away: see `evaluation_batches`.
        num_classes: K.

    Returns:
        "loss" (mean cross-entropy, nats), and in per cent "accuracy", "class_accuracy" (mean over the
        classes), "calibration_error" (15 bins), "top5" where K > 5. Under torch.distributed the figures are
        of all processes together; some may have no batch.

    Raises:
        ValueError: there are no batches, a label lies outside [0, K), or the model gives another number of
            classes.
    """
    training = model.training
    model.eval()
    device = next(model.parameters(), torch.empty(0)).device  # of a process that gets no batch, too
    metrics = make_metrics(num_classes).to(device)
    total, count = torch.zeros((), dtype=torch.float64, device=device), 0
    try:
        for batch in batches:
            logits = model(batch["images"])
            logits = logits if logits.dtype is torch.float64 else logits.float()
            if not batch.get("counted", True):
                continue
            _require_labels(logits, batch, num_classes)
            metrics.to(logits.device).update(logits.float().softmax(dim=1), batch["labels"])
            total = (
                total.to(logits.device)
                + nn.functional.cross_entropy(logits, batch["labels"], reduction="sum").double()
            )
            count += len(logits)
    finally:
        model.train(training)
    losses, counts = zip(*gather((total.item(), count)), strict=True)
    if sum(counts) == 0:
        raise ValueError("expected at least one batch, got none; is the data set empty?")
    return {"loss": sum(losses) / sum(counts)} | {
        name: 100 * value.item() for name, value in _compute(metrics).items()
    }


def _compute(metric: Metric | MetricCollection) -> Any:
    """Compute the value over all processes; torchmetrics warns when one saw no example, which is expected here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The ``compute`` method of metric", category=UserWarning)
        return metric.compute()


@torch.no_grad()
def confusion(model: nn.Module, batches: Iterable[dict[str, Tensor]], num_classes: int) -> Tensor:
    """Counts [K, K]: row = the label, column = the class that the model in evaluation mode finds most
    probable.
    """
    training = model.training
    model.eval()
    matrix = MulticlassConfusionMatrix(num_classes)
    for batch in batches:
        logits = model(batch["images"])
        if not batch.get("counted", True):
            continue
        _require_labels(logits, batch, num_classes)
        matrix.update(logits.argmax(dim=1).cpu(), batch["labels"].cpu())
    model.train(training)
    return _compute(matrix)


def _require_labels(logits: Tensor, batch: dict[str, Tensor], num_classes: int) -> None:
    labels = batch["labels"]
    if logits.shape != (len(labels), num_classes):
        raise ValueError(
            f"expected logits [{len(labels)}, {num_classes}], got {list(logits.shape)}; build the "
            f"model with num_classes={num_classes}"
        )
    wrong = (labels < 0) | (labels >= num_classes)
    if wrong.any():
        place = int(wrong.nonzero()[0])
        index = int(batch["indices"][place]) if "indices" in batch else place
        raise ValueError(
            f"example {index}: expected a label from 0 to {num_classes - 1}, got {int(labels[place])}"
        )
