"""Random networks of AnyNetX_A to E and of RegNetX, small ones: `python -m dlbook.book.record
design_spaces`.

Of each space `NETWORKS` networks are drawn: those draws of the paper's spaces that are small (at most 3
blocks a stage, at most 128 channels) and that cost between 0.30 and 0.36 million multiply-accumulates on one
digit of 28 x 28 pixels. Each is trained once by one recipe, as the paper trains its networks (SGD with
Nesterov's momentum, a cosine, weight decay 5e-5), but for some tens of steps in place of ten epochs, on the
4,000 digits of MNIST-5k; then it is asked about the 1,000 test digits. Nothing is chosen by looking at them.
A seventh population, "D reversed", has the widths of D in reversed order; and the networks of A are all
trained a second time, from other seeds ("again").

A network is written as `depth x width x group width x bottleneck ratio` for each stage. Each finished run is
kept at once in a file; started again, with `--state FILE` elsewhere too, the experiment goes on. The record's
seconds are those of its last start.
"""

import argparse
import itertools
import math
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from dlbook.book.experiment import fit
from dlbook.book.kept_runs import KeptRuns
from dlbook.book.record import ROOT, commit, device_name
from dlbook.data import mnist5k
from dlbook.models.regnet import AnyNet, Stage, fit_groups
from dlbook.nas.spaces.regnet import ANYNET, AnyNetSpace, RegNetSpace, cost
from dlbook.train.evaluate import accuracy

SEED = 0
NETWORKS = 20
SIDE, DEPTH, WIDTH, MACS = 28, 3, 128, (0.30e6, 0.36e6)
RECIPE = {"steps": 80, "batch": 32, "lr": 0.1, "momentum": 0.9, "weight_decay": 5e-5}
STATE = ROOT / "data" / "recorded" / "partial" / "design_spaces.json"


class Reversed(AnyNetSpace):
    """A space with increasing widths, the widths of each network in reversed order."""

    def sample(self, rng: random.Random) -> tuple[Stage, ...]:
        depths, widths, groups, ratios = zip(*self.draw(rng), strict=True)
        return tuple(map(fit_groups, depths, widths[::-1], groups, ratios))


SPACES = {
    **ANYNET,
    "D reversed": Reversed(shared_ratio=True, shared_group_width=True, increasing_widths=True),
    "RegNet": RegNetSpace(depths=(4, 4 * DEPTH)),
}


def small(space: AnyNetSpace | RegNetSpace, seed: int = SEED) -> Iterator[tuple[Stage, ...]]:
    """Draw networks of the space without end, and yield those that are small and within the window."""
    rng = random.Random(seed)
    while True:
        stages = space.sample(rng)
        fits = all(stage.depth <= DEPTH and stage.width <= WIDTH for stage in stages)
        if fits and MACS[0] <= cost(stages, SIDE, 10, 1).macs <= MACS[1]:
            yield stages


def text_of(stages: Sequence[Stage]) -> str:
    """Write a network as the record has it."""
    return " ".join(f"{s.depth}x{s.width}x{s.group_width}x{s.bottleneck_ratio}" for s in stages)


def error_of(stages: Sequence[Stage], seed: int) -> float:
    """Train the network and return its error on the test digits, in per cent."""
    torch.manual_seed(seed)
    train, test = mnist5k("train"), mnist5k("test")
    model, steps = AnyNet(stages, num_classes=10, in_channels=1), RECIPE["steps"]
    sgd = torch.optim.SGD(
        model.parameters(),
        RECIPE["lr"],
        RECIPE["momentum"],
        weight_decay=RECIPE["weight_decay"],
        nesterov=True,
    )
    cosine = lambda step: 0.5 * (1 + math.cos(math.pi * step / steps))
    options = {"steps": steps, "optimizer": sgd, "batch": RECIPE["batch"], "seed": seed, "schedule": cosine}
    fit(model, train.images, train.labels, **options)
    return round(100 - accuracy(model, test.images, test.labels), 2)


def kept_error(kept: KeptRuns, stages: Sequence[Stage], seed: int) -> float:
    """Return the error of a run that is kept, or train the network now."""
    definition = {"network": text_of(stages), "seed": seed, "recipe": RECIPE, "side": SIDE}
    started = time.process_time()
    error = kept.result(definition, lambda: {"error": error_of(stages, seed)})["error"]
    took = time.process_time() - started
    print(f"{text_of(stages)} seed {seed}: {error} % in {took:.1f} s", file=sys.stderr, flush=True)
    return error


def results(
    kept: KeptRuns, spaces: Sequence[str] = tuple(SPACES), networks: int = NETWORKS
) -> dict[str, Any]:
    """Train what is missing and return all, as the record has it."""
    drawn = {name: list(itertools.islice(small(SPACES[name]), networks)) for name in spaces}
    errors = {name: [] for name in spaces}
    for index in range(networks):  # one of each, so that a stopped experiment has as many of all
        for name in spaces:
            errors[name].append(kept_error(kept, drawn[name][index], index))
    first, *_ = spaces
    return {
        "recipe": RECIPE,
        "limits": {"side": SIDE, "depth": DEPTH, "width": WIDTH, "macs": list(MACS)},
        "spaces": {
            name: {"networks": [text_of(stages) for stages in drawn[name]], "errors": errors[name]}
            for name in spaces
        },
        "again": [kept_error(kept, stages, networks + i) for i, stages in enumerate(drawn[first])],
    }


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the options of a record."""
    parser = argparse.ArgumentParser(description="Train random networks of the design spaces.")
    parser.add_argument("--state", type=Path, default=STATE, help="the file of finished runs")
    return parser.parse_args(words)


def run(options: argparse.Namespace | None = None) -> dict[str, Any]:
    """Return recipe, limits, and for each space its networks as texts and their errors in per cent."""
    path = STATE if options is None else options.state
    return results(KeptRuns(path, {"commit": commit(), "device": device_name()}))


if __name__ == "__main__":
    for name, each in run()["spaces"].items():
        print(name, sorted(each["errors"]))
