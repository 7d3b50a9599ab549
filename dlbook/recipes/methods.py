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

__all__ = ["ABOUT", "MEANINGS", "METHODS", "Facts", "MethodRow"]


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

# What the methods are, and what the fields of their hyper-parameters mean, for `dlbook train CONFIG --show`
# and the site; where one method says more of a field, as method.field.
EMA = "in [0, 1): an average of the weights over the steps is evaluated; each step keeps this share of it"
ABOUT = {
    "cross_entropy": "Plain classification: cross-entropy of labelled images.",
    "pseudo_label": "Pseudo-label (Lee 2013): the network's own guesses serve as labels, more and more.",
    "pi_model": "The Pi-model (Laine and Aila 2017): two views of an image shall get the same answer.",
    "fixmatch": "FixMatch (Sohn et al. 2020): confident guesses on weak views are labels of strong views.",
    "flexmatch": "FlexMatch (Zhang et al. 2021): FixMatch with a threshold that each class earns.",
}
MEANINGS = {
    "label_smoothing": "in [0, 1): share of the target that is spread over all classes; 0 is off",
    "ema_decay": EMA,
    "cross_entropy.ema_decay": f"{EMA}; null evaluates the weights themselves",
    "threshold": "in [0, 1]: tau, the probability from which a guess counts as a label",
    "unlabelled_weight": "at least 0: weight of the loss of the images without labels",
    "weight": "at least 0: largest weight of the difference between the answers to two views",
    "length": "at least 1: steps in which that weight grows from almost nothing",
    "start": "T1: the step from which guesses are learnt from",
    "end": "T2, not before start: the step from which guesses have their full weight",
    "final": "alpha_f, at least 0: that full weight",
}
