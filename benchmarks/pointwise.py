"""Time of `dlbook.nn.pointwise.Pointwise` on the CPU beside the linear layer that it is: `python
benchmarks/pointwise.py`.

Both compute the two layers of a ConvNeXt-T block at 224 x 224 in each of its four stages, forward and
backward, in turn. Prints for each stage the median milliseconds and the ratio, linear layer over `Pointwise`,
as JSON. Above 1 the linear layer is slower.
"""

import json
import statistics
import time

import torch
from torch import Tensor, nn

from dlbook.nn.pointwise import Pointwise

STAGES = ((96, 56), (192, 28), (384, 14), (768, 7))  # channels and side of ConvNeXt-T's maps
BATCH, ROUNDS = 2, 15


def milliseconds(layers: nn.Module, x: Tensor) -> float:
    """Time one forward and backward pass."""
    start = time.perf_counter()
    layers(x).sum().backward()
    return 1e3 * (time.perf_counter() - start)


def compare(channels: int, side: int) -> dict[str, float]:
    """Time both in one stage: medians over the rounds after a first one that is not counted."""
    x = torch.randn(BATCH, side, side, channels, requires_grad=True)
    pairs = {
        kind: nn.Sequential(kind(channels, 4 * channels), kind(4 * channels, channels))
        for kind in (nn.Linear, Pointwise)
    }
    found: dict[type, list[float]] = {kind: [] for kind in pairs}
    for _ in range(ROUNDS + 1):
        for kind, layers in pairs.items():
            found[kind].append(milliseconds(layers, x))
    linear, pointwise = (statistics.median(found[kind][1:]) for kind in pairs)
    return {"linear, ms": linear, "pointwise, ms": pointwise, "ratio": linear / pointwise}


if __name__ == "__main__":
    torch.manual_seed(0)
    print(json.dumps({f"{c} channels, {side} x {side}": compare(c, side) for c, side in STAGES}, indent=1))
