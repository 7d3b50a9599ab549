"""The methods that a configuration can name: one row a method.

A row says three things: the method's class, its hyper-parameters (the frozen dataclass of its file, whose
fields become keys of the section `method`), and what its batches look like:

    images        labelled images                           recipes/classify/pools.py
    weak_strong   a few labelled images, many unlabelled    recipes/semi/pools.py
    two_views     two views of each image                   recipes/pretrain/pools.py
    multi_crop    large and small views of each image       recipes/pretrain/pools.py

A new method is one file, one row here, one configuration and one test. Everything else (run folder, resuming,
many processes, evaluation, prediction) is in `recipes/run/` and the same for all.

>>> METHODS["fixmatch"].batches
'weak_strong'
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from dlbook.semi.fixmatch import FixMatch, FixMatchConfig
from dlbook.semi.flexmatch import FlexMatch, FlexMatchConfig
from dlbook.semi.pi_model import PiModel, PiModelConfig
from dlbook.semi.pseudo_label import PseudoLabel, PseudoLabelConfig
from dlbook.supervised.cross_entropy import CrossEntropy, CrossEntropyConfig
from dlbook.train.method import Method

__all__ = ["MEANINGS", "METHODS", "Facts", "MethodRow"]


@dataclass(frozen=True)
class Facts:
    """What a method may need to know of the data: the numbers of training images and of classes."""

    num_images: int
    num_classes: int


@dataclass(frozen=True)
class MethodRow:
    """One method.

    Args:
        method: its class.
        hyper: its frozen dataclass of hyper-parameters, every field with a default.
        batches: what its batches look like, a name of the list above.
        make: (model, hyper-parameters, facts) -> method; None calls method(model, hyper-parameters).
    """

    method: type[Method]
    hyper: type
    batches: str
    make: Callable[[nn.Module, Any, Facts], Method] | None = None

    @property
    def answers(self) -> str:
        """What the evaluated network gives: "classes" (logits), or "features"."""
        return "classes" if self.batches in ("images", "weak_strong") else "features"

    def build(self, model: nn.Module, hyper: Any, facts: Facts) -> Method:
        """Make the method around a model."""
        return self.make(model, hyper, facts) if self.make else self.method(model, hyper)


METHODS = {
    "cross_entropy": MethodRow(CrossEntropy, CrossEntropyConfig, "images"),
    "pseudo_label": MethodRow(PseudoLabel, PseudoLabelConfig, "weak_strong"),
    "pi_model": MethodRow(PiModel, PiModelConfig, "weak_strong"),
    "fixmatch": MethodRow(FixMatch, FixMatchConfig, "weak_strong"),
    "flexmatch": MethodRow(
        FlexMatch,
        FlexMatchConfig,
        "weak_strong",
        lambda model, hyper, facts: FlexMatch(model, facts.num_images, facts.num_classes, hyper),
    ),
}

# What the fields of the methods' hyper-parameters mean, for `dlbook train CONFIG --show` and the site.
MEANINGS = {
    "label_smoothing": "share of the target that is spread over all classes; 0 is off",
    "ema_decay": "decay of the average of the weights that is evaluated; null keeps no average",
    "threshold": "tau: the probability from which a guess counts as a label",
    "unlabelled_weight": "weight of the loss of the images without labels",
    "weight": "largest weight of the consistency, times the share of labelled images",
    "length": "steps in which the weight of the consistency grows",
    "start": "T1: the step from which guesses count",
    "end": "T2: the step from which guesses have their full weight",
    "final": "alpha_f: that full weight",
}
