"""The zip-code network against its paper's counts and against a loop over its units, with seeded faults."""

import math

import pytest
import torch

from dlbook.measure import count
from dlbook.models import lenet_1989 as module
from dlbook.models.lenet_1989 import H2_INPUTS, VARIANTS, Config, LeNet1989, lenet_1989
from tests.parity import close, randomise
from tests.seeded import check_sees

UNITS = {"h1": 12 * 8 * 8, "h2": 12 * 4 * 4, "h3": 30, "output": 10}
PARAMETERS = {"h1": 1068, "h2": 2592, "h3": 5790, "output": 310}  # the paper's, layer by layer


def check_counts(build) -> None:
    """The paper's parameters, and its connections: a product of each, and one bias a unit."""
    model, counts = build(), count(build, (1, 16, 16))
    sizes = {name: sum(p.numel() for p in layer.parameters()) for name, layer in model.named_children()}
    assert sizes == PARAMETERS and counts.parameters == sum(PARAMETERS.values()) == 9760
    assert counts.macs + sum(UNITS.values()) == 19_968 + 38_592 + 5_790 + 310 == 64_660
    assert 256 + sum(UNITS.values()) == 1256


def test_exact_counts():
    check_counts(lenet_1989)


def squash(total):
    return 1.7159 * math.tanh(2 / 3 * total)


def unit(weight, bias, maps, out, row, column, inputs):
    """One unit of a layer of maps: its 5 x 5 fields, -1 beyond the border, and its own bias."""
    total, side = bias[out][row][column], len(maps[0])
    for place, channel in enumerate(inputs):
        for i in range(5):
            for j in range(5):
                y, x = 2 * row + i - 2, 2 * column + j - 2
                inside = 0 <= y < side and 0 <= x < side
                total += weight[out][place][i][j] * (maps[channel][y][x] if inside else -1.0)
    return squash(total)


def naive(model, image):
    """The paper's text, one unit at a time, in Python's numbers."""
    maps, sees = image.tolist(), [[0]] * 12
    for layer, side in ((model.h1, 8), (model.h2, 4)):
        of = layer.weight.tolist(), layer.bias.tolist(), maps
        cells = range(side)
        maps = [[[unit(*of, m, r, c, sees[m]) for c in cells] for r in cells] for m in range(12)]
        sees = [[(m + k) % 12 for k in range(8)] for m in range(12)]
    x = [value for plane in maps for line in plane for value in line]
    for layer in (model.h3, model.output):
        rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        x = [squash(sum(w * v for w, v in zip(row, x, strict=True)) + bias) for row, bias in rows]
    return torch.tensor(x, dtype=torch.float64)


def check_loop(build) -> None:
    torch.manual_seed(0)
    model, images = randomise(build()), torch.rand(2, 1, 16, 16, dtype=torch.float64) * 2 - 1
    with torch.no_grad():
        assert close(model(images), torch.stack([naive(model, image) for image in images]))


def test_equals_the_loop():
    check_loop(lenet_1989)


def test_each_map_of_h2_sees_another_eight_and_each_of_h1_is_seen_by_eight():
    (config,) = VARIANTS.values()
    assert config.inputs == H2_INPUTS and len({frozenset(row) for row in H2_INPUTS}) == 12
    assert all(len(set(row)) == 8 for row in H2_INPUTS)
    seen = [channel for row in H2_INPUTS for channel in row]
    assert [seen.count(channel) for channel in range(12)] == [8] * 12


def check_bounds(build) -> None:
    """Uniform in +-2.4 / fan_in, biases 0."""
    torch.manual_seed(0)
    model = build(in_channels=2)
    for name, fan in {"h1": 50, "h2": 200, "h3": 192, "output": 30}.items():
        layer = model.get_submodule(name)
        assert 0.9 * 2.4 / fan < layer.weight.abs().max() <= 2.4 / fan and not layer.bias.any(), name
        assert abs(layer.weight.std() * fan / 2.4 * 3**0.5 - 1) < 5 / layer.weight.numel() ** 0.5, name


def test_initial_bounds():
    check_bounds(lenet_1989)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: lenet_1989("lenet_1988"), "did you mean lenet_1989"),
        (lambda: lenet_1989(num_classes=0), "expected num_classes"),
        (lambda: lenet_1989(in_channels=0), "expected in_channels"),
        (lambda: lenet_1989()(torch.zeros(1, 1, 28, 28)), "images of 16 x 16 pixels"),
        (lambda: LeNet1989(Config(((0, 1), (2,)))), "rows of one length"),
        (lambda: LeNet1989(Config(((0, 12),))), "maps 0 to 11"),
        (lambda: LeNet1989(Config(((0, 1),), 18)), "resolution that 4 divides, got 18"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


FAULTS = {
    "one bias a map": (
        check_counts,
        "nn.Parameter(torch.empty(len(inputs), side, side))",
        "nn.Parameter(torch.empty(len(inputs), 1, 1))",
    ),
    "every map sees all twelve": (
        check_counts,
        "MAPS, SEEN, HIDDEN = 12, 8, 30",
        "MAPS, SEEN, HIDDEN = 12, 12, 30",
    ),
    "a border of 0": (check_loop, "BACKGROUND = -1.0", "BACKGROUND = 0.0"),
    "another eight maps": (check_loop, "(j + step) % MAPS for", "(j + step + 1) % MAPS for"),
    "no squash at the output": (check_loop, "return squash(super().forward(x))", "return super().forward(x)"),
    "the kernel one pixel off": (check_loop, "F.pad(x, (2, 2, 2, 2)", "F.pad(x, (1, 3, 2, 2)"),
    "the root of the fan_in": (
        check_bounds,
        "2.4 / layer.weight[0].numel()",
        "2.4 / layer.weight[0].numel() ** 0.5",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, old, new = FAULTS[fault]
    check_sees(check, module, "lenet_1989", old, new)
