"""One step of each optimizer beside torch's, on the parameters of ResNet-50: `python
benchmarks/optimizers.py`.

For each optimizer the variants are ours (tensor by tensor, which it chooses by itself on the CPU, and as
lists, which it chooses on a GPU) and torch's (for-loop, foreach, fused where torch has it). All variants of
one optimizer take one step in each round, in an order that is drawn anew, on the same parameters and
gradients; a round is thus a pair under the same conditions, and a slower minute of the machine slows all of
them. Given are medians over the rounds, in milliseconds, and the medians of the ratios within the rounds: our
choice over torch's foreach, over the faster of torch's loop and foreach, and over fused.

What to expect: a step is bound by memory. A fused kernel reads and writes each tensor once, ours and torch's
other paths once for each operation of the update; so fused wins wherever it exists, and by more the more
operations there are. On the CPU the list form is slower than the loop, as a tensor has left the cache before
the next operation comes to it.

Muon gets the weights as matrices [O, C kh kw]; torch has no foreach for it. Its step takes a second, so it
has a third of the rounds.

`--json FILE` keeps the table. `python -m dlbook.book.record optimizers` records it under `data/recorded`;
DLBOOK_SCALE=gpu measures on the GPU.
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
from torch import Tensor

from dlbook import book, models, optim

SEED = 0
ROUNDS = 15
WARM_UP = 2
OPTIONS = {"lr": 1e-6, "weight_decay": 1e-4}
Make = Callable[..., torch.optim.Optimizer]

# name: ours, torch's, options of both
ROWS: dict[str, tuple[Make, Make | None, dict]] = {
    "SGD": (optim.SGD, torch.optim.SGD, {}),
    "Momentum": (optim.Momentum, torch.optim.SGD, {"momentum": 0.9}),
    "Nesterov": (optim.Nesterov, torch.optim.SGD, {"momentum": 0.9}),
    "Adagrad": (optim.Adagrad, torch.optim.Adagrad, {}),
    "RMSprop": (optim.RMSprop, torch.optim.RMSprop, {"momentum": 0.9, "alpha": 0.99}),
    "Adam": (optim.Adam, torch.optim.Adam, {}),
    "AdamW": (optim.AdamW, torch.optim.AdamW, {}),
    "Muon": (optim.Muon, torch.optim.Muon, {"momentum": 0.95}),
    "PolyakMomentum": (optim.PolyakMomentum, None, {}),
    "SutskeverNesterov": (optim.SutskeverNesterov, None, {}),
    "RMSpropTF": (optim.RMSpropTF, None, {"momentum": 0.9}),
    "PaperAdamW": (optim.PaperAdamW, None, {}),
    "LARS": (optim.LARS, None, {}),
}
FUSED = ("SGD", "Momentum", "Nesterov", "Adagrad", "Adam", "AdamW")


def parameters(device: str, matrices: bool) -> list[Tensor]:
    """ResNet-50's parameters with gradients; as matrices only the weights, flattened to two axes."""
    torch.manual_seed(SEED)
    found = []
    for param in models.create("resnet50_v1_5").parameters():
        if not matrices or param.ndim > 1:
            tensor = param.detach().flatten(1) if matrices else param.detach()
            found.append(tensor.to(device).clone().requires_grad_())
            found[-1].grad = torch.randn_like(found[-1]) * 1e-3
    return found


def variants(name: str, params: list[Tensor]) -> dict[str, torch.optim.Optimizer]:
    """Our optimizer and torch's in all their paths, over the same parameters."""
    ours, theirs, options = ROWS[name]
    made = {
        f"ours, {path}": ours(params, **OPTIONS, **options, foreach=choice)
        for path, choice in (("each", False), ("lists", True))
    }
    if theirs is torch.optim.Muon:
        made["torch, loop"] = theirs(params, **OPTIONS, **options)
    elif theirs is not None:
        more = options | ({"nesterov": True} if name == "Nesterov" else {})
        made["torch, loop"] = theirs(params, **OPTIONS, **more, foreach=False)
        made["torch, foreach"] = theirs(params, **OPTIONS, **more, foreach=True)
        if name in FUSED:
            made["torch, fused"] = theirs(params, **OPTIONS, **more, fused=True)
    return made


def seconds(optimizer: torch.optim.Optimizer, device: str) -> float:
    """Of one step, to its end on the device."""
    if device == "cuda":
        torch.cuda.synchronize()
    begin = time.perf_counter()
    optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def measure(name: str, device: str, rounds: int) -> dict[str, float]:
    """Median milliseconds of each variant, and the median ratios of ours to torch's."""
    params = parameters(device, matrices=name == "Muon")
    made, order = variants(name, params), random.Random(SEED)
    times: dict[str, list[float]] = {variant: [] for variant in made}
    for number in range(WARM_UP + rounds):
        for variant in order.sample(list(made), len(made)):
            took = seconds(made[variant], device)
            if number >= WARM_UP:
                times[variant].append(took)
    row = {variant: round(1e3 * statistics.median(values), 3) for variant, values in times.items()}
    chosen = times["ours, lists" if device == "cuda" else "ours, each"]
    for key, others in (
        ("/ foreach", ["torch, foreach"]),
        ("/ best", ["torch, foreach", "torch, loop"]),
        ("/ fused", ["torch, fused"]),
    ):
        there = [other for other in others if other in times]
        if there:
            fastest = times[min(there, key=row.get)]
            row[key] = round(
                statistics.median(ours / theirs for ours, theirs in zip(chosen, fastest, strict=True)), 3
            )
    return row


def run(rounds: int = ROUNDS, names: list[str] | None = None) -> dict[str, dict]:
    """The whole table: {optimizer: {variant: milliseconds, "/ foreach": ratio, ...}}, and the conditions."""
    device = book.device()
    table = {
        name: measure(name, device, rounds if name != "Muon" else max(1, rounds // 3))
        for name in names or ROWS
    }
    conditions = {
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "parameters": sum(p.numel() for p in parameters("cpu", False)),
    }
    return {"conditions": conditions, "milliseconds": table}


def show(results: dict[str, dict]) -> None:
    """Print the table in columns."""
    table = results["milliseconds"]
    columns = list(dict.fromkeys(column for row in table.values() for column in row))
    print(results["conditions"], f"load {os.getloadavg()[0]:.1f}")
    print(f"{'milliseconds a step':20}" + "".join(f"{column:>15}" for column in columns))
    for name, row in table.items():
        print(f"{name:20}" + "".join(f"{row.get(column, '-'):>15}" for column in columns))


def main() -> None:
    """Read the command line, measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), metavar="NAME")
    parser.add_argument("--threads", type=int, help="torch's threads; by default its own choice")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    results = run(given.rounds, given.only)
    show(results)
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + "\n", "utf8")


if __name__ == "__main__":
    main()
