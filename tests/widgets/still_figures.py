"""Figures for the check of every still picture: with names, labels and numbers as long as the chapters have them.

`FIGURES` has a function for each module `dlbook/widgets/*_still.py`, and for `still.py`; it returns figures.
"""

import math

import numpy as np

from dlbook.widgets import (
    Axis,
    Curve,
    Curves,
    Fault,
    Point,
    Row,
    Scatter,
    Tiles,
    augmented_rules,
    norms_rules,
    unit_values,
)
from tests.widgets import (
    augmented_checks,
    backprop_checks,
    bowl_checks,
    cortex_checks,
    draw_checks,
    flow_checks,
    layers_checks,
    map_checks,
    mixed_checks,
    multiples_checks,
    norms_checks,
    nudge_checks,
    penalty_checks,
    race_checks,
    separator_checks,
    shift_checks,
    sweep_checks,
    thinned_checks,
    train_checks,
    unit_checks,
    views_checks,
)

TEXTS = {"title": "A title", "description": "What it shows."}
DIGITS = [str(digit) for digit in range(10)]
RING = [(math.sin(0.2 * math.pi * k), math.cos(0.2 * math.pi * k)) for k in range(10)]
FAULTS = (
    "no batch norm, first weights halved",
    "no batch norm, first weights doubled",
    "BN in evaluation mode",
    "warm-up stepped by epoch",
    "gradients not cleared",
    "the same, with biases of one",
)
FUNCTIONS = ("sigmoid", "hard sigmoid", "leaky ReLU, 0.1", "GELU (tanh)", "hard swish", "softplus", "SELU")
STAGES = ["8 × 14 × 14", "16 × 7 × 7", "32 × 4 × 4"]
CONTROLS = {"operation": unit_values.CONVOLUTION, "sharpness": 16}


def _still():
    x = np.linspace(0, 10_000, 201)
    wide = [Curve("falls", 1e-6 * (1 + x)), Curve("rises", -1_234 * x / 1e4, panel=1)]
    panels = ["mean squared gradient, as a part of the first one's", "loss after a thousand updates, nats"]
    return [
        Curves(**TEXTS, x=x, x_label="updates", curves=wide, panels=panels),
        Curves(**TEXTS, x=1 + x, x_label="updates", curves=wide, panels=panels, log_x=True),
    ]


def _scatter():
    axes = [
        Axis("stored numbers", log=True, unit="millions"),
        Axis("last width over first", log=True),
        Axis("error", unit="% of the test images"),
    ]
    names = [axis.name for axis in axes]
    values = [(0.0123, 1.5, 7.05), (138.36, 64, 28.11), (25.6, 8, 100)]
    points = [Point(f"net {k}", "plain", dict(zip(names, row, strict=True))) for k, row in enumerate(values)]
    pairs = ((names[0], names[2]), (names[1], names[0]), (names[2], names[1]))
    return [Scatter(**TEXTS, axes=axes, points=points, start={"across": a, "up": b}) for a, b in pairs]


def _augmented():
    return [
        augmented_checks.made(start={"augmentation": kind, "strength": 0.15})
        for kind in augmented_rules.KINDS
    ]


def _backprop():
    numbers = [-12.345, -0.987, -10.12, -4.444, -1.555, -3.333, -12.25, -11.111, -0.222]
    starts = {"a first guess": numbers}
    return [backprop_checks.net(case=3), backprop_checks.net(starts=starts)]


def _bowl():
    return [bowl_checks.bowl(start_rate=rate) for rate in (0.1, 0.5, 1.5, 2.2)]


def _flow():
    two = {"stages": STAGES, "mouth": "3a", "start": {"shortcuts": "off", "step": 0}}
    return [
        flow_checks.river(**two),
        flow_checks.river(start={"shortcuts": "on", "step": 5}),
    ]


def _layers():
    signal = np.random.default_rng(0).random((3, 2, 24, 10))
    deep = {"signal": signal, "gradient": signal, "outputs": DIGITS}
    return [
        layers_checks.fading(),
        layers_checks.fading(**deep),
        layers_checks.fading(**deep, pictures=None, decades=(-12, 10)),
    ]


def _map():
    ring = dict(zip(DIGITS, RING, strict=True))
    points = [[place for place in RING for _ in range(60)]] * 2
    states = [[0] * 600, [1] * 400 + [2] * 200]
    return [map_checks.made(steps=[10, 20], positions=points, states=states, anchors=ring)]


def _mixed():
    plain, mixed = mixed_checks.networks().values()
    networks = {"without mixup": plain, "with mixup": mixed}
    return [mixed_checks.mixed(networks=networks, start={"rule": rule}) for rule in ("mixup", "CutMix")]


def _multiples():
    x = multiples_checks.X
    curves = [Curve(name, x * (0.001 + 0.05 * k), x * 0 - 0.00123 * k) for k, name in enumerate(FUNCTIONS)]
    return [multiples_checks.multiples(curves=curves, cursor=at) for at in (-1.9, 0.1, 2.0)]


def _norms():
    block = np.random.default_rng(0).standard_normal((4, 8, 7, 7)) * 12.3
    shown = {"block": block, "pictures": np.zeros((4, 7, 7))}
    return [norms_checks.made(**shown, start={"normalisation": kind}) for kind in norms_rules.KINDS]


def _nudge():
    shifts = list(range(-8, 9))
    cells = lambda h, w: np.arange(17.0 * h * w).reshape(1, 17, h, w)
    probabilities = np.full((1, 17, 10), 0.1)
    tiles = [Tiles("one map, 8 × 8", cells(8, 8)), Tiles("the 48 means", cells(4, 12))]
    rows = [Row(name, tiles, probabilities) for name in ("max pooling", "max, blur, subsample")]
    digits = {"names": ["a 7"], "pictures": np.zeros((1, 16, 16)), "classes": DIGITS, "truths": [7]}
    return [nudge_checks.nudged(**digits, shifts=shifts, rows=rows, start={"shift": -3})]


def _penalty():
    return [
        penalty_checks.penalty(minimum=(-0.876, -0.987), start={"share of L1": share}) for share in (0, 1)
    ]


def _race():
    surfaces = {"ravine": race_checks.RAVINE, "curved": race_checks.CURVED}
    rates = [float(f"{10 ** (k / 12):.3g}") for k in range(-36, 7)]
    return [
        race_checks.race(surfaces=surfaces, rates=rates, chosen={"surface": name, "rate": rates[20]})
        for name in surfaces
    ]


def _separator():
    return [
        separator_checks.separator(start=name, opens=opens)
        for name in separator_checks.SETS
        for opens in (1, None)
    ]


def _shift():
    field = np.full((1, 17, 17, 10), 0.1)
    pairs = [
        {"Fully connected": ("101,770 parameters", field), "Convolutional": ("3,950 parameters", field)},
        {"templates": ("ten mean pictures", field), "ConvNet": ("three learned stages", field)},
    ]
    return [shift_checks.made(networks=networks) for networks in pairs]


def _sweep():
    return [sweep_checks.lens(6), sweep_checks.cross_entropy()[0]]


def _train():
    faults = {name: Fault("It says why.", {"labels": "shuffled"}) for name in FAULTS}
    return [train_checks.made(faults=faults, steps=2, schedule=None)]


def _unit():
    binomial = np.array([1, 4, 6, 4, 1]) / 16
    kernels = {"blur 5 by 5": np.outer(binomial, binomial).tolist(), **unit_checks.KERNELS}
    starts = [{"operation": name} for name in unit_values.CONTROLS]
    starts += [{**CONTROLS, "kernel": name} for name in kernels]
    return [unit_checks.unit(kernels=kernels, start=start) for start in starts]


def _views():
    sure = [[0.001, *[0.0] * 8, 0.999], [0.1] * 10]
    ten = {"classes": DIGITS, "weak_probs": sure, "strong_probs": [sure, sure]}
    return [
        views_checks.views(**ten, truths=[9, 2], start={"picture": name, "τ": high})
        for name in ("sure", "mistaken")
        for high in (0.5, 0.99)
    ]


FIGURES = {
    "still": _still,
    "scatter_still": _scatter,
    "augmented_still": _augmented,
    "backprop_still": _backprop,
    "bowl_still": _bowl,
    "cortex_still": lambda: [cortex_checks.cortex()],
    "draw_still": lambda: [draw_checks.made()],
    "flow_still": _flow,
    "layers_still": _layers,
    "map_still": _map,
    "mixed_still": _mixed,
    "multiples_still": _multiples,
    "norms_still": _norms,
    "nudge_still": _nudge,
    "penalty_still": _penalty,
    "race_still": _race,
    "separator_still": _separator,
    "shift_still": _shift,
    "sweep_still": _sweep,
    "thinned_still": lambda: [thinned_checks.thinned()],
    "train_still": _train,
    "unit_still": _unit,
    "views_still": _views,
}
