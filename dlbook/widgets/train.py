"""Train it, then break it: a network trains in the page, on real digits, and the reader breaks one thing.

The page trains with the engine of `dlbook.browser`; below its loss lies the one that torch had from the same
first weights, batches and fault. Before a training the reader says what the loss will do.

>>> outcome([2.3] * 10 + [0.5] * 10, healthy=0.5), outcome([2.3, float("nan")], healthy=0.5)
(0, 3)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.browser import digits as page
from dlbook.browser.bundle import engine_text
from dlbook.browser.export import graph_of
from dlbook.browser.torch_run import he_start, losses
from dlbook.widgets import encode, reserve, train_still
from dlbook.widgets.figure import Figure, module_text, style_text

CHOICES = ("falls fast", "falls, but slower", "stays near guessing", "climbs")
QUESTION = {"question": "Predict first: what will the loss do?", "choices": list(CHOICES)}
LAST = 10  # the end of a curve is the mean of so many steps
GUESSING = math.log(page.CLASSES)
NOTHING = "nothing"
IN_GRAPH = ("shortcuts", "activation")  # changes of the graph, for which a fault brings its network


@dataclass(frozen=True)
class Fault:
    """Describe one thing that the reader can break.

    Args:
        says: why the loss does what it does, a sentence or two, shown after the training.
        change: what is changed, see `dlbook.browser.torch_run.losses`; {"shortcuts": "none"} takes them out,
            {"activation": "sigmoid"} puts that function in the place of every ReLU.
        model: the changed network in torch, for these two.
    """

    says: str
    change: Mapping[str, Any] = field(default_factory=dict)
    model: nn.Module | None = None


class Train(Figure):
    """A network that trains in the page, faults to switch on, and torch's curve for each.

    Args:
        title, description: texts; both are needed.
        model: the network, of digits [B, 1, H, W], H = W = 28 or 14; its weights are not used.
        images: all images of `mnist5k("train")`, [N, 1, 28, 28] in [0, 1].
        labels: their labels, [N].
        faults: {name: `Fault`}; the healthy network comes first by itself.
        says: what is shown after the healthy training.
        optimiser: options of optimisers.js: "kind", "rate", "momentum", "decay" ...
        side: H, 28 or 14.
        steps, batch, seed: of the training.
        schedule: factor of the rate at each step; None: 1.
        gain: factor of the first weights' deviations, beside He's.
        every, most: after how many steps how many test digits are asked; at most 400.
        start: name of the fault that is chosen at first.

    Raises:
        ValueError: an operation that the engine does not have, a missing text, or a state over 60 KiB.
    """

    _esm = engine_text() + "const { connect } = engine();\n"
    _esm += module_text("controls.js", "site_file.js", "train_data.js", "train_picture.js", "train.js")
    _css = style_text("figure.css", "stage.css", "train.css")

    def __init__(
        self,
        *,
        model,
        images,
        labels,
        faults,
        optimiser,
        says="",
        side=14,
        steps=100,
        batch=32,
        seed=0,
        schedule=None,
        gain=1.0,
        every=20,
        most=200,
        start=NOTHING,
        title="",
        description="",
    ):
        everything = {NOTHING: Fault(says), **faults}
        everything = {name: _with_factors(fault, steps) for name, fault in everything.items()}
        pixels, known = _digits(images, labels, side)
        setup = _setup(model, pixels, gain, None if schedule is None else factors(schedule, steps))
        setup |= {"seed": seed, "batch": batch, "optimiser": optimiser}
        self.curves = _recorded(everything, model, setup, pixels, known, steps)
        spec = _spec(everything, setup, self.curves)
        spec |= {"steps": int(steps), "every": int(every), "most": int(most), "digits": _packed(side)}
        self._set = (images, labels)
        super().__init__(title, description, spec, {"run": len(spec["run"])}, values={"broken": start})
        self.on_msg(self._answer)

    def _answer(self, _, message, buffers):
        """Send the digits to a notebook, which has no file of them beside it."""
        if message.get("ask") == "digits":
            self.send({"digits": page.script(*self._set).split('"')[1]})

    @property
    def ends(self) -> dict[str, float]:
        """The end of torch's loss with each fault, `NOTHING` first: the mean of the last steps."""
        return {name: _end(curve) for name, curve in self.curves.items()}

    def answer(self, name):
        """Return what the loss does with a fault, in the words of the choices."""
        return CHOICES[self.spec["answers"][list(self.curves).index(name)]]

    def how_to_shrink(self, spec):
        return "Give a smaller network, fewer faults or fewer steps."

    def height(self, inside):
        rows = reserve.wrapped([8 * len(text) + 26 for text in CHOICES], inside, 5.6)
        guesses = 35 + 32 * len(rows) + 5.6 * (len(rows) - 1)
        below = reserve.controls(self.spec["parameters"], inside, cursor=0) + reserve.GAP + guesses
        return reserve.staged(self, inside, train_still.height(inside), 52, 0, below)

    def still(self):
        return train_still.draw_training(self)


def outcome(curve: list[float], healthy: float) -> int:
    """Return which of `CHOICES` a curve is, from its end and the end of the healthy one."""
    end = _end(curve)
    if not end <= 1.3 * GUESSING:  # not a number counts as climbing
        return 3
    if end > 0.85 * GUESSING:
        return 2
    return 1 if end > healthy + 0.25 else 0


def _setup(model, pixels, gain, plan) -> dict[str, Any]:
    """Return the graph, what its weights start from, and the factors of the rate, if there are any."""
    first = {name: [gain * deviation, value] for name, (deviation, value) in he_start(model).items()}
    setup = {"graph": graph_of(model, pixels[:4]), "start": first}
    return setup if plan is None else {**setup, "schedule": plan}


def _spec(everything, setup, curves) -> dict[str, Any]:
    """Return what the page has to know of the network, of its faults, and of torch's curves."""
    run = {"setup": setup, "curves": [[_short(v) for v in curve] for curve in curves.values()]}
    return {
        "parameters": {"broken": list(everything)},
        "run": encode.deflated_json(run),
        "changes": [dict(fault.change) for fault in everything.values()],
        "says": [fault.says for fault in everything.values()],
        "answers": _answers(curves),
        **QUESTION,
        "layers": sum(name in ("conv2d", "linear") for name, *_ in setup["graph"]["operations"]),
    }


def factors(schedule, steps: int) -> list[float]:
    """Return the factor of the rate at each step, with the six digits that travel.

    Raises:
        ValueError: there are not as many as steps.
    """
    rounded = [float(f"{float(factor):.6g}") for factor in schedule]
    if len(rounded) != steps:
        raise ValueError(f"expected {steps} factors of a schedule, got {len(rounded)}; give one a step")
    return rounded


def _with_factors(fault: Fault, steps: int) -> Fault:
    """Return the fault with its schedule as it travels."""
    if "schedule" not in fault.change:
        return fault
    return replace(fault, change={**fault.change, "schedule": factors(fault.change["schedule"], steps)})


def _recorded(faults, model, setup, pixels, labels, steps):
    """Return the losses of torch with each fault, by its name."""
    curves = {}
    for name, fault in faults.items():
        change = {key: value for key, value in fault.change.items() if key not in IN_GRAPH}
        curves[name] = losses(fault.model or model, setup, pixels, labels, steps, change)
    return curves


def _answers(curves):
    """Return the place in `CHOICES` of each curve."""
    return [outcome(curve, _end(curves[NOTHING])) for curve in curves.values()]


def _end(curve: list[float]) -> float:
    return sum(curve[-LAST:]) / len(curve[-LAST:])


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _digits(images: Tensor, labels: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return the digits that the page trains on, as it has them, and their labels."""
    if side not in (14, 28):
        raise ValueError(f"expected side to be 14 or 28, got {side!r}; the page's digits have 28 x 28 pixels")
    places = page.chosen(labels)[: page.CLASSES * page.TRAIN]
    pixels = page.levels(images[places].cpu()).float()
    if side == 14:
        pixels = F.avg_pool2d(pixels, 2)
    return pixels / page.TOP, labels[places].cpu().to(torch.long)


def _packed(side: int) -> dict[str, Any]:
    """Return what the page has to know of the digits' file."""
    return {
        "train": page.CLASSES * page.TRAIN,
        "test": page.CLASSES * page.TEST,
        "side": 28,
        "small": side == 14,
        "top": page.TOP,
        "sha256": page.SHA256,
    }
