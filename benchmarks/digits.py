"""How long the bundled digits take to 98 % on the test images, with all 4,000 labels: `python
benchmarks/digits.py`.

The configuration `digits_quick` was chosen on validation images only (held out of the training images,
several seeds, see `dlbook/recipes/configs/digits_quick.yaml`). Here it trains on everything, once for each
seed, and the test images are looked at once, at the end. Seconds are of reading the data, building and
training; importing torch and the evaluation are not in them. On a busy machine look at the processor's
seconds, which are of all threads together.

Beside it, in turn within the same run, a plain reference as one finds it in tutorials: two convolutions of 5
x 5, a linear layer, Adam at 1e-3, no augmentation, ten epochs, in a few lines of torch.

`--json FILE` keeps the table; `python -m dlbook.book.record digits` records it under `data/recorded`.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from dlbook.data import mnist5k
from dlbook.recipes.bundled_configs import find
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig
from dlbook.train.configuration import load
from dlbook.train.evaluate import accuracy

SEED = [0, 1, 2]
TARGET = 98.0
CONFIG = "digits_quick"
PLAIN_EPOCHS = 10


def ours(seed: int, config: str = CONFIG, *overrides: str) -> nn.Module:
    """The configuration, trained to its end on all training images; nothing is held out, so nothing can be
    chosen here.
    """
    setup = build(
        load(
            RunConfig,
            find(config),
            ["data.validation=0", f"seed={seed}", "trainer.device=cpu", *overrides],
        )
    )
    setup.trainer.fit(setup.steps)
    return setup.method.evaluated


def plain(seed: int, epochs: int = PLAIN_EPOCHS) -> nn.Module:
    """The tutorial's network and loop."""
    torch.manual_seed(seed)
    train = mnist5k("train")
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        for chosen in torch.randperm(len(train)).split(50):
            optimizer.zero_grad()
            F.cross_entropy(model(train.images[chosen]), train.labels[chosen]).backward()
            optimizer.step()
    return model


def timed(train: Callable[[int], nn.Module], seed: int) -> tuple[float, float, float]:
    """(seconds of training, seconds of all processors together, accuracy on the test images)."""
    begin = time.perf_counter(), time.process_time()
    model = train(seed)
    took = time.perf_counter() - begin[0], time.process_time() - begin[1]
    test = mnist5k("test")
    return round(took[0], 2), round(took[1], 2), round(accuracy(model, test.images, test.labels), 1)


def run(seeds: list[int] = SEED) -> dict[str, dict]:
    """{who: {"seconds", "processor" seconds and "test" accuracy of each seed, "median": seconds, "reached":
    whether every seed did}}, and the conditions.
    """
    mnist5k("train"), mnist5k("test")
    ours(99, CONFIG, "trainer.epochs=1", "data.limit=500")  # warm: the first steps of a process are slower
    measured = {name: [] for name in ("dlbook", "plain")}
    for seed in seeds:
        measured["dlbook"].append(timed(ours, seed))
        measured["plain"].append(timed(plain, seed))
    table = {}
    for name, rows in measured.items():
        took, processor, reached = ([row[place] for row in rows] for place in range(3))
        table[name] = {
            "seconds": took,
            "processor": processor,
            "test": reached,
            "median": statistics.median(took),
            "reached": min(reached) >= TARGET,
        }
    return {
        "conditions": {
            "threads": torch.get_num_threads(),
            "target": TARGET,
            "config": CONFIG,
            "plain_epochs": PLAIN_EPOCHS,
        },
        "table": table,
    }


def main() -> None:
    """Read the command line, measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=SEED)
    parser.add_argument("--threads", type=int, help="torch's threads; by default its own choice")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    results = run(given.seeds)
    print(results["conditions"], f"load {os.getloadavg()[0]:.1f}")
    for name, row in results["table"].items():
        print(
            f"{name:8} {row['median']:6.2f} s in the median  {row['seconds']}  processor "
            f"{row['processor']}  test {row['test']} %"
        )
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + "\n", "utf8")


if __name__ == "__main__":
    main()
