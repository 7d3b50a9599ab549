"""The walk over windows against torch's pooling; the rules of mixed, gated and stochastic pooling by hand."""

import pytest
import torch
from torch.nn import functional as F

from dlbook.naive import pooling as module
from dlbook.naive.pooling import (
    gated,
    mixed,
    pool,
    stochastic_expectation,
    stochastic_probabilities,
)
from tests.seeded import edited

GEOMETRY = ((3, 2), (2, 1), (1, 1))


def image():
    return torch.rand(2, 3, 6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def wrong(names: dict) -> list[str]:
    """What a version of the file gets wrong: the limits of the mixed rule are torch's max and mean
    pooling.
    """
    found = []
    for proportion, torchs in ((1.0, F.max_pool2d), (0.0, F.avg_pool2d)):
        ours = names["pool"](image(), *GEOMETRY, names["mixed"](proportion))
        if ours.shape != torchs(image(), *GEOMETRY).shape or not torch.allclose(
            ours, torchs(image(), *GEOMETRY)
        ):
            found.append("mixed")
    if names["gated"]([[1.0, -1.0]])([2.0, 1.0], [(0, 0), (0, 1)], 2) != pytest.approx(
        1.5 + 0.5 * 0.7310585786
    ):
        found.append("gated")  # sigmoid(1) 2 + (1 - sigmoid(1)) 1.5
    if names["stochastic_expectation"]([0.0, 1.0, 2.0, 3.0]) != pytest.approx(14 / 6):
        found.append("stochastic")
    return found


def test_by_torch_and_by_hand():
    assert wrong(vars(module)) == []
    assert stochastic_probabilities([1.0, 3.0]) == [0.25, 0.75] and stochastic_expectation([0.0, 0.0]) == 0
    assert mixed(0.5)([1.0, 3.0], [], 4) == 2.0 and gated([[0.0]])([4.0], [(0, 0)], 1) == 4.0
    assert pool(image(), *GEOMETRY, mixed(0.5)).shape == (2, 3, 3, 6)


FAULTS = {
    ("i * stride[0] - padding[0] + u", "i * stride[1] - padding[0] + u"): "mixed",
    ("range(kernel[1])", "range(kernel[0])"): "mixed",
    ("(1 - proportion) * sum(values) / count", "(1 - proportion) * sum(values) / len(values)"): "mixed",
    ("mask[u][v] * value", "mask[v][u] * value"): "gated",
    ("1 / (1 + math.exp(-sum", "1 / (1 + math.exp(sum"): "gated",
    ("[value / sum(values) for", "[1 / len(values) for"): "stochastic",
}


@pytest.mark.parametrize("edit", FAULTS)
def test_faults_are_seen(edit):
    try:
        found = wrong(edited(module, *edit))
    except IndexError:
        found = [FAULTS[edit]]
    assert FAULTS[edit] in found
