"""What the trainer costs beside a bare loop, on real models: `python benchmarks/trainer.py`.

The bare loop is what one would write by hand: an index into a shuffled tensor, forward, cross-entropy,
backward, the optimizer's step, the rate of the schedule. The trainer does the same through `Batches`, the
method and its loop: it counts, logs, and looks whether the loss is a number. Both train their own copy of the
same network from the same weights, with the same optimizer. In each round both take the same number of steps,
in an order that is drawn anew, so that a slower minute of the machine slows both; given are medians over the
rounds, and the median of the ratios within the rounds; also of processor time, which other programs of a busy
machine disturb less.

Two rows: `convnet_digits`, with steps of some milliseconds the least favourable one, and `resnet20_cifar`. A
third puts the bare loop beside itself and says how far to trust the ratios.

`--json FILE` keeps the table; `python -m dlbook.book.record trainer` records it under `data/recorded`.
"""

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F

from dlbook import book
from dlbook.recipes.run.build import Setup, build
from dlbook.recipes.run.config import RunConfig, resolve
from dlbook.train.batches import generator_of

SEED = 0
ROUNDS = 60
TARGET = 1.03
ROWS = {  # name: data, batch, steps a round
    "convnet_digits": ("mnist5k", 50, 10),
    "resnet20_cifar": ("color_shapes", 32, 1),
}
Loop = Callable[[int], None]


def setup(name: str) -> Setup:
    """The parts of a run; the number of epochs only stretches the schedule."""
    data, batch, _ = ROWS[name]
    sections = {
        "model": {"name": name},
        "data": {"name": data, "batch_size": batch},
        "trainer": {"epochs": 1000, "device": book.device()},
        "seed": SEED,
    }
    return build(resolve(RunConfig, sections))


def trained(name: str) -> tuple[Loop, torch.nn.Module]:
    """The trainer: a function that takes so many steps more, and the network that it trains."""
    made = setup(name)
    return lambda steps: made.trainer.fit(made.trainer.step + steps), made.method.model


def bare(name: str) -> tuple[Loop, torch.nn.Module]:
    """The loop written out, over the same data in the same order."""
    made = setup(name)
    model, optimizer, rate_at, batches = (
        made.method.model.train(),
        made.trainer.optimizer,
        made.trainer.rate_at,
        made.trainer.batches,
    )
    images, labels = (value.to(made.device) for value in (made.splits.train.images, made.splits.train.labels))
    losses: list[torch.Tensor] = []
    order, size = torch.empty(0), batches.pools[0].size

    def loop(steps: int) -> None:
        nonlocal order
        for step in range(len(losses), len(losses) + steps):
            epoch, place = divmod(step, batches.per_epoch)
            if place == 0:
                key = (SEED, "order", "images", epoch)
                order = torch.randperm(len(images), generator=generator_of(*key)).to(made.device)
            chosen = order[place * size : (place + 1) * size]
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step)
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images[chosen]), labels[chosen])
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())

    return loop, model


def seconds(loop: Loop, steps: int) -> tuple[float, float]:
    """Of so many steps, to their end on the device: on the clock, and of the processor."""
    synchronise = torch.cuda.synchronize if book.device() == "cuda" else lambda: None
    synchronise()
    begin = time.perf_counter(), time.process_time()
    loop(steps)
    synchronise()
    return time.perf_counter() - begin[0], time.process_time() - begin[1]


def measure(first: Loop, second: Loop, steps: int, rounds: int) -> dict[str, float]:
    """Median milliseconds a step of both, and the median ratio of the first to the second, on the clock and
    in processor time.
    """
    order, times = random.Random(SEED), {first: [], second: []}
    for loop in times:
        loop(steps)  # warm
    for _ in range(rounds):
        for loop in order.sample([first, second], 2):
            times[loop].append(seconds(loop, steps))
    one, two = (
        1e3 * statistics.median(clock for clock, _ in times[loop]) / steps for loop in (first, second)
    )
    ratios = [
        statistics.median(a[kind] / b[kind] for a, b in zip(times[first], times[second], strict=True))
        for kind in (0, 1)
    ]
    return {
        "ms": round(one, 3),
        "bare ms": round(two, 3),
        "ratio": round(ratios[0], 4),
        "processor ratio": round(ratios[1], 4),
    }


def run(rounds: int = ROUNDS) -> dict[str, dict]:
    """The whole table: {row: {"ms", "bare ms", "ratio", "processor ratio"}}, and the conditions."""
    table = {}
    for name, (_, _, steps) in ROWS.items():
        table[name] = measure(trained(name)[0], bare(name)[0], steps, rounds)
    table["bare beside itself"] = measure(
        bare("convnet_digits")[0], bare("convnet_digits")[0], ROWS["convnet_digits"][2], rounds
    )
    return {
        "conditions": {"threads": torch.get_num_threads(), "rounds": rounds, "target": TARGET},
        "table": table,
    }


def main() -> None:
    """Read the command line, measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--threads", type=int, help="torch's threads; by default its own choice")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    results = run(given.rounds)
    print(results["conditions"], f"load {os.getloadavg()[0]:.1f}")
    for name, row in results["table"].items():
        print(f"{name:20}" + "".join(f"  {key} {value:>8}" for key, value in row.items()))
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + "\n", "utf8")


if __name__ == "__main__":
    main()
