"""Time and memory of the zoo against torchvision and timm: `python benchmarks/zoo.py --rows resnet50_v1_5
vit_b_16`.

For each row that a library shares (tests/oracles/peers.py), ours and theirs get the same weights and run in
turn: forward pass in evaluation mode, then a training step (cross-entropy, backward, SGD). The order changes
each round. A ratio is the median of the rounds' ratios, ours over theirs: neighbours in time share what else
the machine does; its 95 % interval is between order statistics of these ratios. Memory is the peak of the
allocator above what the model itself holds, in one pass: counted from every allocation on the CPU, asked from
the allocator on CUDA.

Below 1 ours is faster, or smaller. A row passes where no ratio is above --limit times the better peer. One
that does not is measured again at the end, four times as long; what was found first is kept beside it.
"""

import argparse
import gc
import itertools
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # torch's profiler, which counts the memory, is talkative

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.zoo.comparison import MEASURES, ratios_to_best_peer, speed

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for tests

SEED = 0


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    from tests.oracles.peers import PEERS

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", nargs="+", default=list(PEERS), choices=list(PEERS), metavar="ROW")
    parser.add_argument("--repeats", type=int, default=5, help="rounds at least, each of one run a model")
    parser.add_argument("--seconds", type=float, default=4, help="go on with rounds for so long")
    parser.add_argument("--batch", type=int, default=0, help="images; default 2 on the CPU, 64 on CUDA")
    parser.add_argument(
        "--side", type=int, default=0, help="pixels; default: the row's own, on the CPU 224 at most"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--bf16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("--compile", action="store_true", help="torch.compile all models")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--limit", type=float, default=1.03)
    parser.add_argument(
        "--keep",
        type=Path,
        help="an earlier result: its rows stay, but those of --rows, which are measured anew",
    )
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "benchmarks")
    return parser.parse_args(words)


def peer_names(row: str) -> list[str]:
    """The row's peer, and timm's model of the same parameters where the peer is torchvision's."""
    import timm

    from tests.oracles.peers import PEERS, TIMM_NAMES
    from tests.zoo import imports

    library, _, name = PEERS[row].partition("/")
    candidate = TIMM_NAMES.get(name, name)
    if library == "torchvision" and timm.is_model(candidate):
        sizes = [
            sum(p.numel() for p in imports.peer_on_meta(peer).parameters())
            for peer in (PEERS[row], f"timm/{candidate}")
        ]
        if sizes[0] == sizes[1]:
            return [PEERS[row], f"timm/{candidate}"]
    return [PEERS[row]]


def contestants(row: str, options: argparse.Namespace) -> dict[str, nn.Module]:
    """Ours with the first peer's weights, and the peers, on the device."""
    from dlbook.models import create
    from tests.zoo import imports

    torch.manual_seed(SEED)
    peers = {name: imports.peer(name) for name in peer_names(row)}
    ours = imports.load(create(row), row, next(iter(peers.values())).state_dict())
    models = {"ours": ours} | peers
    layout = torch.channels_last if options.channels_last else torch.preserve_format
    models = {name: model.to(options.device, memory_format=layout) for name, model in models.items()}
    return {name: torch.compile(model) for name, model in models.items()} if options.compile else models


def passes(model: nn.Module, images: Tensor, labels: Tensor, bf16: bool) -> dict[str, Callable[[], None]]:
    """The forward pass and the training step of a model, as functions without arguments."""
    from tests.parity import first_output

    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    autocast = lambda: torch.autocast(images.device.type, torch.bfloat16, enabled=bf16)

    def forward() -> None:
        with torch.no_grad(), autocast():
            model(images)

    def training_step() -> None:
        with autocast():
            loss = F.cross_entropy(first_output(model(images)).float(), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return {"forward": forward, "training step": training_step}


def seconds(run: Callable[[], None], device: str) -> float:
    """Seconds of one run."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    run()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def peak_memory(run: Callable[[], None], device: str) -> int:
    """Bytes that the allocator holds at most during a run, above what it held before."""
    gc.collect()
    if device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        return torch.cuda.max_memory_allocated() - before
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profile:
        run()
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak


def measure(row: str, options: argparse.Namespace) -> dict:
    """Everything about one row: medians and ratios against each peer."""
    from dlbook.zoo.sizes import input_size, size_options

    models, (channels, side, _) = contestants(row, options), input_size(row)
    on_gpu = options.device == "cuda"
    batch, wanted = (
        options.batch or (64 if on_gpu else 2),
        options.side or (side if on_gpu else min(side, 224)),
    )
    if "resolution" not in size_options(row, (channels, wanted, wanted)):
        side = wanted  # a net with learned positions keeps its own
    shape = (batch, channels, side, side)
    images = torch.randn(shape, device=options.device)
    images = images.contiguous(memory_format=torch.channels_last) if options.channels_last else images
    labels = torch.arange(batch, device=options.device) % 10
    runs = {name: passes(model, images, labels, options.bf16) for name, model in models.items()}
    found: dict = {name: {} for name in models}
    for kind in ("forward", "training step"):
        for model in models.values():
            model.train(kind != "forward")
        times = rounds({name: run[kind] for name, run in runs.items()}, options)
        for name, run in runs.items():
            found[name][kind] = times[name]
            found[name][MEASURES[2] if kind == "forward" else MEASURES[3]] = [
                peak_memory(run[kind], options.device)
            ]
    return {"input": list(shape), "models": summarise(found)}


def rounds(runs: dict[str, Callable[[], None]], options: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds of each model, one entry a round, after warming up; the order turns by one each round."""
    names = list(runs)
    for name in names * 2:
        seconds(runs[name], options.device)
    times: dict[str, list[float]] = {name: [] for name in names}
    end = time.perf_counter() + options.seconds
    for turn in itertools.count():
        if turn >= options.repeats and time.perf_counter() >= end:
            return times
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            times[name].append(seconds(runs[name], options.device))


def interval(ratios: list[float]) -> list[float]:
    """Where the median lies with a probability of 95 % at least: two order statistics (all values, where six
    are not there).
    """
    n, outside, tail = len(ratios), 0, 0.0
    while (tail := tail + math.comb(n, outside) / 2**n) <= 0.025:
        outside += 1
    return [sorted(ratios)[max(0, outside - 1)], sorted(ratios)[n - max(1, outside)]]


def summarise(found: dict[str, dict[str, list[float]]]) -> dict[str, dict]:
    """Medians of each model, and for a peer the median of the rounds' ratios, ours over theirs."""
    ours = found["ours"]
    summary: dict[str, dict] = {}
    for name, measured in found.items():
        summary[name] = {"median": {kind: statistics.median(values) for kind, values in measured.items()}}
        if name != "ours":
            pairs = {
                kind: [a / b for a, b in zip(ours[kind], values, strict=True) if b]
                for kind, values in measured.items()
            }
            summary[name]["ratio"] = {
                kind: round(statistics.median(values or [1.0]), 4) for kind, values in pairs.items()
            }
            summary[name]["interval"] = {
                kind: [round(end, 4) for end in interval(pairs[kind])] for kind in MEASURES[:2]
            }
            summary[name]["rounds"] = {kind: len(pairs[kind]) for kind in MEASURES[:2]}
    return summary


def plot(results: dict[str, dict], path: Path, limit: float) -> None:
    """A point for each row and measure, ours over the better peer; the grey band is what passes by
    the limit.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = list(results)
    figure, axis = pyplot.subplots(figsize=(8, 1.2 + 0.22 * len(rows)), layout="constrained")
    axis.axvspan(0, limit, color="0.92", zorder=0)
    axis.axvline(1, color="0.4", linewidth=1)
    for kind, marker in zip(MEASURES, "osx+", strict=True):
        axis.plot(
            [ratios_to_best_peer(results[row])[kind] for row in rows],
            range(len(rows)),
            marker,
            label=kind,
            markersize=5,
        )
    axis.set_yticks(range(len(rows)), rows)
    axis.set(xlabel="ours over the better peer", ylim=(len(rows) - 0.4, -0.6))
    axis.set_xlim(left=min(0.5, *(min(ratios_to_best_peer(r).values()) for r in results.values())) * 0.95)
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, frameon=False)
    figure.savefig(path)
    pyplot.close(figure)


def kept(file: Path | None, settings: dict) -> dict[str, dict]:
    """The rows of an earlier result, those of a recorded one with its commit; {} without a file."""
    if file is None:
        return {}
    earlier = json.loads(file.read_text("utf8"))
    found = earlier.get("results", earlier)
    if found["settings"] != settings:
        sys.exit(
            f"{file} was measured otherwise: {found['settings']}, now {settings}; measure all rows, "
            "or give its options"
        )
    return {
        row: ({"commit": earlier["commit"]} if "commit" in earlier else {}) | result
        for row, result in found["rows"].items()
    }


def run(options: argparse.Namespace | None = None) -> dict:
    """Measure all rows; prints each, and rewrites the JSON, as it is done: a run that is stopped keeps what
    it has.

    Returns settings and results, as `python -m dlbook.book.record zoo` keeps them.
    """
    options = options or arguments([])
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {key: value for key, value in vars(options).items() if key not in ("rows", "keep", "out")}
    results = kept(options.keep, settings)
    found = {"settings": settings, "rows": results}
    longer = argparse.Namespace(
        **vars(options) | {"repeats": 4 * options.repeats, "seconds": 4 * options.seconds}
    )
    above = (
        row for row in options.rows if max(ratios_to_best_peer(results[row]).values()) > options.limit
    )  # asked when the first pass is over
    for row, how in itertools.chain(
        ((row, options) for row in options.rows), ((row, longer) for row in above)
    ):
        first = {"first": ratios_to_best_peer(results[row])} if how is longer else {}
        result = results[row] = measure(row, how) | first
        gc.collect()
        if options.compile:
            torch._dynamo.reset()
        file_of(options, "json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf8")
        told = "  ".join(f"{kind} {value:.3f}" for kind, value in ratios_to_best_peer(result).items())
        print(
            f"{row:<28} {told}"
            + ("   above the limit" if max(ratios_to_best_peer(result).values()) > options.limit else ""),
            flush=True,
        )
    return found


def file_of(options: argparse.Namespace, ending: str) -> Path:
    """The file of a result, named for how it was measured."""
    words = [word for word in ("bf16", "compile", "channels_last") if getattr(options, word)]
    return options.out / f"{'-'.join(['zoo', options.device, *words])}.{ending}"


def main() -> int:
    """Measure, print the table, write table, plot and JSON; the exit code says whether a row is above the
    limit.
    """
    options = arguments()
    found = run(options)
    shown = speed(found["rows"])
    file_of(options, "txt").write_text(f"{shown!r}\n", encoding="utf8")
    plot(found["rows"], file_of(options, "svg"), options.limit)
    print(f"\n{shown!r}\nwrote {file_of(options, 'txt')}, and .json and .svg beside it")
    return int(
        any(max(ratios_to_best_peer(result).values()) > options.limit for result in found["rows"].values())
    )


if __name__ == "__main__":
    sys.exit(main())
