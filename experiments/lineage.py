"""Every network of the book on one data set by one recipe: `python -m dlbook.book.record lineage`.

The networks are the small rows of `experiments/networks/small_rows.py`, from a linear model to ConvNeXt; the
data are `cluttered_shapes`, 20 classes. The recipe is one for all: first weights by one rule, centred pixels,
random flips, AdamW, one cycle. Only its largest rate is chosen for each network, with equal care:

1. Sweep. Each network is trained once with each rate of the grid, and asked about the validation pictures.
   The rate with the highest accuracy there is chosen. Where the smallest or the largest rate is clearly the
   best of a network (by more than the standard error of a difference between two accuracies), its grid grows
   on that side by one rate, at most twice on a side.
2. Test. Each network is trained from three other seeds with the rate that was chosen for it, and each of
   these three is asked about the test pictures, once.

It takes hours on one processor, so each finished run is kept at once in a file, by default
`data/recorded/partial/lineage.json`; started again, with `--state FILE` on another machine too, it goes on.

    python -m dlbook.book.record lineage [--state FILE]        all that is missing, then the record
    python -m experiments.lineage --list                       what is finished
    python -m experiments.lineage --only resnet34 convnext     the sweep and tests of some networks, no record
    python -m experiments.lineage --only resnet34 --sweep      the sweep alone

How the recipe was found. Per cent of the validation pictures, one seed, 12 epochs of 4,000 pictures:

- Each paper's own first weights, the best of four rates: AlexNet 6, NiN 6 (its loss is ln 20), VGG-11 37,
  LeNet-5 51.
- One rule for the first weights (`experiments/networks/start.py`), one rate: AlexNet 45, NiN 29, VGG-11 41,
  ResNet-34 54.
- The same with batches of 16: VGG-11 44, ResNet-34 54, in 1.4 times the seconds. It stayed at 32.
- Batches of 32, easier pictures (one line, not four; bolder fillings; calmer grounds), no ReLU on NiN's
  scores, layer scale from 1, one rate: VGG-11 52, NiN 53, ResNet-34 73, ViT 33, ConvNeXt 46.

ConvNeXt's training loss was then 0.92 and its validation loss 1.46: hence the second flip, upside down. The
pictures have no up.
"""

import argparse
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dlbook.book.kept_runs import KeptRuns
from dlbook.book.record import ROOT, commit, device_name
from dlbook.measure.costs import count
from experiments.networks.small_rows import ROWS, SIDE
from experiments.networks.training import Data, Recipe, speed_of, structure, train

SEED = [0, 1, 2]
DATA, RECIPE = Data(), Recipe()
SWEEP_SEED = 100  # another one: the luck of the seed that chose the rate must not be in the result
STATE = ROOT / "data" / "recorded" / "partial" / "lineage.json"


class Lineage:
    """The experiment: what it trains, and what it has finished.

    Args:
        kept: the finished runs.
        names: rows of `ROWS`.
        data, recipe: as above; tests have smaller ones.
        seeds: of the test's runs.
    """

    def __init__(
        self,
        kept: KeptRuns,
        names: Sequence[str] = tuple(ROWS),
        data: Data = DATA,
        recipe: Recipe = RECIPE,
        seeds: Sequence[int] = tuple(SEED),
    ) -> None:
        self.kept, self.names, self.data, self.recipe, self.seeds = (
            kept,
            tuple(names),
            data,
            recipe,
            tuple(seeds),
        )

    def definition(self, name: str, rate: float, seed: int, part: str) -> dict[str, Any]:
        """All that decides one run: network, data, recipe, rate, seed, and the part that is asked about."""
        recipe = asdict(self.recipe)
        del recipe["rates"], recipe["widenings"]  # what a run is does not depend on the other rates
        return {
            "network": name,
            "network_hash": structure(name, self.data.num_classes),
            "data": {**asdict(self.data), "pictures_hash": self.data.pictures_hash},
            "recipe": recipe,
            "rate": rate,
            "seed": seed,
            "asked": part,
        }

    def trained(self, name: str, rate: float, seed: int, part: str) -> dict[str, Any]:
        """The result of one run, kept or computed now."""
        definition = self.definition(name, rate, seed, part)

        def make() -> dict[str, Any]:
            result = train(name, rate, seed, self.data, self.recipe, part)
            print(f"{name} rate {rate:g} seed {seed} {part}: {result}", file=sys.stderr, flush=True)
            return result

        return self.kept.result(definition, make)

    def sweep(self, name: str) -> dict[float, float]:
        """Train a network with each rate of the grid, and with more where one at an edge is clearly the best.

        What it does depends on no other network, so that networks can be swept apart.

        Returns:
            {rate: validation accuracy in per cent}, the rates ascending.
        """
        rates = self.recipe.rates
        while True:
            found = {r: self.trained(name, r, SWEEP_SEED, "validation")["accuracy"] for r in rates}
            at = edge(found, self.data.validation)
            wider = self.recipe.wider(rates, below=at == -1, above=at == 1)
            if wider == rates:
                return found
            rates = wider

    def results(self) -> dict[str, Any]:
        """Run what is missing and return all, as the record has it."""
        sweeps = {name: self.sweep(name) for name in self.names}
        chosen = {name: best_rate(sweep) for name, sweep in sweeps.items()}
        runs = {name: [] for name in self.names}
        for seed in self.seeds:  # seed after seed, so that a stopped experiment has a first one of all
            for name in self.names:
                runs[name].append(self.trained(name, chosen[name], seed, "test"))
        return {
            "data": {"name": "cluttered_shapes", "classes": self.data.num_classes, **asdict(self.data)},
            "recipe": {
                **asdict(self.recipe),
                "rates": list(self.recipe.rates),
                "optimizer": "AdamW",
                "schedule": "one cycle",
            },
            "networks": {
                name: self._described(name, chosen[name], sweeps[name], runs[name]) for name in self.names
            },
        }

    def _described(
        self,
        name: str,
        rate: float,
        sweep: Mapping[float, float],
        runs: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        """One network as the record has it."""
        row, k = ROWS[name], self.data.num_classes
        counts = count(lambda: row.fresh(k), (3, SIDE, SIDE))
        speed = self.kept.result(
            {"network": name, "classes": k, "what": "speed"}, lambda: speed_of(row.fresh(k))
        )
        accuracies = [run["accuracy"] for run in runs]
        return {
            "title": row.title,
            "family": row.family,
            "year": row.year,
            "about": row.about,
            "parameters": counts.parameters,
            "macs": counts.macs,
            "rate": rate,
            "rate_at_edge": rate in (min(sweep), max(sweep)),
            "validation_accuracy": {f"{r:g}": accuracy for r, accuracy in sweep.items()},
            "test_accuracy": accuracies,
            "test_accuracy_mean": statistics.mean(accuracies),
            "test_accuracy_deviation": statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0,
            "test_loss": [run["loss"] for run in runs],
            "training_loss": [run["training_loss"] for run in runs],
            "training_seconds": statistics.median(run["processor_seconds"] for run in runs),
            "forward_seconds": speed["forward_seconds"],
        }


def best_rate(sweep: Mapping[float, float]) -> float:
    """The rate of the highest validation accuracy; of equal ones the smallest."""
    return max(sorted(sweep), key=lambda rate: sweep[rate])


def edge(sweep: Mapping[float, float], pictures: int) -> int:
    """Say whether the smallest rate is clearly the best (-1), the largest (1), or neither (0).

    Clearly: better than every rate inside the grid by more than the standard error of the difference between
    two accuracies in per cent, each over so many pictures. A model that guesses is best with any rate.
    """
    first, *inside, last = sorted(sweep)
    best = sweep[best_rate(sweep)]
    error = 100 * math.sqrt(2 * best / 100 * (1 - best / 100) / pictures)
    if not inside or best - max(sweep[rate] for rate in inside) <= error:
        return 0
    return -1 if best_rate(sweep) == first else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train every network of the lineage.")
    parser.add_argument("--state", type=Path, default=STATE, help="the file of finished runs")
    parser.add_argument("--only", nargs="+", choices=tuple(ROWS), metavar="NAME", help="these networks alone")
    parser.add_argument("--sweep", action="store_true", help="choose the rates, and test nothing")
    parser.add_argument("--list", action="store_true", help="say what is finished, and train nothing")
    return parser


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the options of a record.

    Raises:
        ValueError: an option that leaves something out; a record is whole.
    """
    options = _parser().parse_args(list(words))
    if options.only or options.sweep or options.list:
        raise ValueError(
            f"expected --state alone, since a record is whole, got {' '.join(words)}; for --only, --sweep "
            "and --list run `python -m experiments.lineage`"
        )
    return options


def opened(path: Path) -> KeptRuns:
    """The finished runs of a file; new ones are kept with commit and device."""
    return KeptRuns(path, {"commit": commit(), "device": device_name()})


def run(options: argparse.Namespace | None = None) -> dict[str, Any]:
    """All results; what is finished is not computed again."""
    return Lineage(opened(options.state if options else STATE)).results()


def progress(lineage: Lineage) -> str:
    """How many runs of each network are kept, and its best validation and test accuracies so far."""
    kept = [entry for entry in lineage.kept.runs.values() if "network_hash" in entry["definition"]]
    lines = [f"{'network':14} {'sweep':>5} {'rate':>8} {'validation':>10} {'tests':>5}  test accuracies"]
    for name in lineage.names:
        mine = [(e["definition"], e["result"]) for e in kept if e["definition"]["network"] == name]
        sweep = {d["rate"]: r["accuracy"] for d, r in mine if d["asked"] == "validation"}
        tests = [f"{r['accuracy']:.1f}" for d, r in mine if d["asked"] == "test"]
        rate = best_rate(sweep) if sweep else math.nan
        best = sweep.get(rate, math.nan)
        lines.append(f"{name:14} {len(sweep):5} {rate:8.3g} {best:10.1f} {len(tests):5}  {' '.join(tests)}")
    return "\n".join(lines)


if __name__ == "__main__":
    asked = _parser().parse_args()
    experiment = Lineage(opened(asked.state), asked.only or tuple(ROWS))
    if asked.sweep and not asked.list:
        for network in experiment.names:
            experiment.sweep(network)
    elif not asked.list:
        experiment.results()
    print(progress(experiment))
