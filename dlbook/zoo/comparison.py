"""How fast the zoo is beside torchvision and timm: what `benchmarks/zoo.py` finds, as numbers and as a table.

The benchmark gives for each row that a library shares the medians of every model ("ours", and each peer by
"library/name"), and for a peer the ratios, ours over theirs, with the interval of those of time::

    {"resnet18": {"input": [2, 3, 224, 224], "models": {"ours": {"median": {"forward": seconds, ...}},
                                                        "torchvision/resnet18": {"median": ..., "ratio": ...,
                                                        "interval": ...}}}}

>>> peer = {"ratio": {"forward": 0.9, "training step": 1.0, "forward memory": 1.0, "training memory": 1.0}}
>>> ratios_to_best_peer({"models": {"ours": {}, "torchvision/vgg11": peer}})["forward"]
0.9
"""

from collections.abc import Mapping
from typing import Any

from dlbook.book.tables import Table, table

__all__ = ["MEASURES", "ratios_to_best_peer", "milliseconds", "peers", "speed"]

MEASURES = ("forward", "training step", "forward memory", "training memory")


def peers(result: Mapping[str, Any]) -> dict[str, Any]:
    """The models of one row that are not ours, by "library/name"."""
    return {name: model for name, model in result["models"].items() if name != "ours"}


def milliseconds(result: Mapping[str, Any], measure: str) -> float:
    """Return our time for one image of one row, of `measure` "forward" or "training step"."""
    return 1e3 * result["models"]["ours"]["median"][measure] / result["input"][0]


def ratios_to_best_peer(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest ratio of each measure over the peers of one row: ours against the peer that is
    better at it.
    """
    return {measure: max(model["ratio"][measure] for model in peers(result).values()) for measure in MEASURES}


def speed(
    rows: Mapping[str, Mapping[str, Any]],
    caption: str = "Ours over theirs; below 1 ours is faster or smaller",
) -> Table:
    """Return one line a row and peer: our milliseconds for one image, then the ratios, those of time with
    their 95 % interval.
    """
    lines = []
    for row, result in rows.items():
        times = [f"{milliseconds(result, measure):.1f}" for measure in MEASURES[:2]]
        lines += [
            (row, name, *times, *(_ratio(model, measure) for measure in MEASURES))
            for name, model in peers(result).items()
        ]
    return table(
        lines,
        ("row", "peer", "forward, ms", "step, ms", *(f"{measure}, ratio" for measure in MEASURES)),
        caption,
    )


def _ratio(model: Mapping[str, Any], measure: str) -> str:
    between = model["interval"].get(measure)
    return f"{model['ratio'][measure]:.2f}" + (f" ({between[0]:.2f}–{between[1]:.2f})" if between else "")
