"""How fast the zoo is beside torchvision and timm: what `benchmarks/zoo.py` finds, as numbers and as a table.

The benchmark gives for each row that a library shares the medians of every model ("ours", and each peer by "library/name"), and
for a peer the ratios, ours over theirs, with the interval of those of time::

    {"resnet18": {"input": [2, 3, 224, 224], "models": {"ours": {"median": {"forward": seconds, ...}},
                                                        "torchvision/resnet18": {"median": ..., "ratio": ..., "interval": ...}}}}

>>> peer = {"ratio": {"forward": 0.9, "training step": 1.0, "forward memory": 1.0, "training memory": 1.0}}
>>> against_the_better({"models": {"ours": {}, "torchvision/vgg11": peer}})["forward"]
0.9
"""

from collections.abc import Mapping
from typing import Any

from dlbook.book.tables import Table, table

__all__ = ["MEASURES", "against_the_better", "speed"]

MEASURES = ("forward", "training step", "forward memory", "training memory")


def against_the_better(result: Mapping[str, Any]) -> dict[str, float]:
    """The largest ratio of each measure over the peers of one row: ours against the peer that is better at it."""
    ratios = [model["ratio"] for model in result["models"].values() if "ratio" in model]
    return {measure: max(ratio[measure] for ratio in ratios) for measure in MEASURES}


def speed(rows: Mapping[str, Mapping[str, Any]], caption: str = "Ours over theirs; below 1 ours is faster or smaller") -> Table:
    """One line a row and peer: our milliseconds for one image, then the ratios, those of time with their 95 % interval."""
    lines = []
    for row, result in rows.items():
        ours, images = result["models"]["ours"]["median"], result["input"][0]
        for name, model in result["models"].items():
            if "ratio" in model:
                milliseconds = (f"{1e3 * ours[measure] / images:.1f}" for measure in MEASURES[:2])
                lines.append((row, name, *milliseconds, *(_ratio(model, measure) for measure in MEASURES)))
    return table(lines, ("row", "peer", "forward, ms", "step, ms", *(f"{measure}, ratio" for measure in MEASURES)), caption)


def _ratio(model: Mapping[str, Any], measure: str) -> str:
    between = model["interval"].get(measure)
    return f"{model['ratio'][measure]:.2f}" + (f" ({between[0]:.2f}–{between[1]:.2f})" if between else "")
