"""Evaluation: torchmetrics over all examples, each counted once, also over several processes; and training
with a look every so many steps.

>>> batch = {"images": torch.eye(3), "labels": torch.tensor([0, 1, 1])}
>>> evaluate(torch.nn.Identity(), [batch], num_classes=3)["accuracy"]
66.66666865348816
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
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
from dlbook.train.trainer import Trainer

__all__ = [
    "accuracy",
    "confusion",
    "course",
    "evaluate",
    "looks",
    "make_metrics",
    "neighbour_accuracy",
    "probabilities",
    "topk_error",
]


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
def evaluate(
    model: nn.Module,
    batches: Iterable[dict[str, Tensor]],
    num_classes: int,
    each: Callable[[Tensor, dict[str, Tensor]], None] | None = None,
) -> dict[str, float]:
    """Metrics of `model` in evaluation mode; its mode is put back.

    Args:
        model: images -> logits [B, K].
        batches: {"images": [B, ...], "labels": [B]}, on the device of the model; every example once. Where
            "counted" is there and false, the network runs and its answers are thrown away: see
            `evaluation_batches`.
        num_classes: K.
        each: takes the logits [B, K] of each batch that counts, and the batch.

    Returns:
        "loss" (mean cross-entropy, nats), and in per cent "accuracy", "class_accuracy" (mean over the
        classes), "calibration_error" (15 bins), "top5" where K > 5. Under torch.distributed the figures are
        of all processes together; some may have no batch.

    Raises:
        ValueError: there are no batches, a label lies outside [0, K), or the model gives another number of
            classes.
    """
    device = next(model.parameters(), torch.empty(0)).device  # of a process that gets no batch, too
    metrics = make_metrics(num_classes).to(_home(device))
    nats, count = [], 0
    with _evaluating(model):
        for logits, batch in _answers(model, batches, num_classes):
            nats.append(_measure(logits, batch["labels"], metrics))
            count += len(logits)
            if each is not None:
                each(logits, batch)
    # Summed in float64, and read at the end, so that no batch waits.
    losses, counts = zip(*gather((sum(value.item() for value in nats), count)), strict=True)
    if sum(counts) == 0:
        raise ValueError("expected at least one batch, got none; give a data set that is not empty")
    shares = {name: 100 * value.item() for name, value in _compute(metrics).items()}
    return {"loss": sum(losses) / sum(counts)} | shares


def _measure(logits: Tensor, labels: Tensor, metrics: MetricCollection) -> Tensor:
    """Let the metrics see a batch; the sum of its cross-entropies."""
    home = _home(logits.device)
    metrics.to(home).update(logits.float().softmax(dim=1).to(home), labels.to(home))
    exact = logits if logits.dtype is torch.float64 else logits.float()
    return nn.functional.cross_entropy(exact, labels, reduction="sum")


def _home(device: torch.device) -> torch.device:
    """Where metrics are computed: on the device of the model, but for Apple's GPUs, which lack float64."""
    return torch.device("cpu") if device.type == "mps" else device


def _compute(metric: Metric | MetricCollection) -> Any:
    """The value over all processes.

    torchmetrics warns when a process computes a metric without having seen an example; here that is expected.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The ``compute`` method of metric", category=UserWarning)
        return metric.compute()


@torch.no_grad()
def confusion(model: nn.Module, batches: Iterable[dict[str, Tensor]], num_classes: int) -> Tensor:
    """Counts [K, K]: row = the label, column = the class that the model in evaluation mode finds most
    probable.
    """
    matrix = MulticlassConfusionMatrix(num_classes)
    with _evaluating(model):
        for logits, batch in _answers(model, batches, num_classes):
            matrix.update(logits.argmax(dim=1).cpu(), batch["labels"].cpu())
    return _compute(matrix)


@torch.no_grad()
def probabilities(model: nn.Module, images: Tensor, batch_size: int = 500) -> Tensor:
    """Class probabilities `[N, K]` of images `[N, C, H, W]`, by the model in evaluation mode."""
    with _evaluating(model):
        return torch.cat([model(part).softmax(dim=1) for part in images.split(batch_size)])


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Per cent of the images whose most probable class is right."""
    return 100 * (probabilities(model, images).argmax(dim=1) == labels).cpu().double().mean().item()


def topk_error(logits: Tensor, labels: Tensor, k: int) -> float:
    """Per cent of the examples whose label is not among the `k` largest logits.

    Args:
        logits: [N, K]; probabilities and other scores do as well, since only their order counts.
        labels: [N], classes from 0 to K - 1.
        k: number of answers, 1 to K.

    Raises:
        ValueError: there is no example, or `k`, a label or the shape of `labels` is out of range.
    """
    number, classes = logits.shape
    if not 1 <= k <= classes:
        raise ValueError(f"expected k from 1 to {classes}, got {k}; it is the number of answers")
    if number == 0 or labels.shape != (number,):
        raise ValueError(
            f"expected logits [N, K] and labels [N], N at least 1, got {tuple(logits.shape)} and "
            f"{tuple(labels.shape)}; give one label for each row"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"expected labels from 0 to {classes - 1}, got {labels.min().item()} to {labels.max().item()}; "
            "the logits have one column for each class"
        )
    answers = logits.topk(k, dim=1).indices  # [N, k], the largest first
    missed = (answers != labels[:, None]).all(dim=1)
    return 100 * missed.cpu().double().mean().item()


@torch.no_grad()
def neighbour_accuracy(
    model: nn.Module, known: Iterable[dict[str, Tensor]], asked: Iterable[dict[str, Tensor]]
) -> float:
    """Per cent of the asked images whose nearest known image has their label, by the cosine of the features.

    Args:
        model: images -> features [B, D].
        known, asked: {"images": [B, ...], "labels": [B]}. An image that is in both has to be left out of one.
    """
    with _evaluating(model):
        features, labels = zip(*[(model(b["images"]), b["labels"]) for b in known], strict=True)
        memory, labels = nn.functional.normalize(torch.cat(features), dim=1), torch.cat(labels)
        hits = [(labels[(model(b["images"]) @ memory.T).argmax(dim=1)] == b["labels"]) for b in asked]
    return 100 * torch.cat(hits).cpu().double().mean().item()


def looks(trainer: Trainer, steps: int, every: int, progress: bool = False) -> Iterator[int]:
    """Train, and stop for a look after each multiple of `every` steps, and at the end.

    Args:
        trainer: what trains.
        steps: all that are to be done, with those that are done already.
        every: steps between two looks, >= 1.
        progress: show a bar.

    Yields:
        The number of steps done.

    Raises:
        ValueError: `every` is below 1.
    """
    if every < 1:
        raise ValueError(f"expected every >= 1, got {every}; it is the number of steps between two looks")
    while trainer.step < steps:
        trainer.fit(min(steps, trainer.step + every - trainer.step % every), progress)
        yield trainer.step


def course(trainer: Trainer, images: Tensor, steps: int, every: int) -> Tensor:
    """Train as `looks` does, and ask at each look what the evaluated network says of some images.

    Returns:
        class probabilities, `[looks, N, K]`.
    """
    asked = [probabilities(trainer.method.evaluated, images) for _ in looks(trainer, steps, every)]
    return torch.stack(asked)


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while; then, whatever happened, each part has its own mode again.

    A part may have another mode than the whole: a frozen trunk under a head that trains.
    """
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _answers(
    model: nn.Module, batches: Iterable[dict[str, Tensor]], num_classes: int
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Logits and batch, of the batches that count."""
    for batch in batches:
        logits = model(batch["images"])
        if batch.get("counted", True):
            _require_labels(logits, batch, num_classes)
            yield logits, batch


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
            f"example {index}: expected a label from 0 to {num_classes - 1}, got {int(labels[place])}; fix "
            "the label, or build the model with more classes"
        )
