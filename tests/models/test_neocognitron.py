"""The Neocognitron against loops over its cells and against the limit of what a cell learns, with seeded
faults.
"""

import pytest
import torch
from torch.nn import functional as F

from dlbook.models import neocognitron as module
from dlbook.models.neocognitron import CLayer, Neocognitron, SLayer, Stage
from tests.parity import close
from tests.seeded import check_sees


def layer(build, planes=3, channels=2, selectivity=1.5):
    torch.manual_seed(0)
    made = build(Stage(planes, selectivity, 8.0), channels).double()
    made.a.uniform_(0, 0.35)
    made.b.uniform_(2, 6)
    return made


def field(u, row, column):
    """What a cell sees, [C, 5, 5], with silence beyond the border."""
    return F.pad(u, (2, 2, 2, 2))[:, row : row + 5, column : column + 5]


def check_s_cells(build) -> None:
    """One cell at a time: excitation over inhibition, less 1."""
    s, u = layer(build), torch.rand(2, 6, 7, dtype=torch.float64)
    c = torch.tensor([[0.9 ** ((i**2 + j**2) ** 0.5) for j in range(-2, 3)] for i in range(-2, 3)]).double()
    c = c / c.sum() / 2  # over both channels it sums to 1
    expected = torch.zeros(3, 6, 7, dtype=torch.float64)
    for plane in range(3):
        for row in range(6):
            for column in range(7):
                seen = field(u, row, column)
                v = (c * seen**2).sum() ** 0.5
                excited, inhibited = 1 + (s.a[plane] * seen).sum(), 1 + 2 * 1.5 / 2.5 * s.b[plane] * v
                expected[plane, row, column] = 1.5 * max(0.0, float(excited / inhibited - 1))
    assert close(s(u[None])[0], expected, 1e-6) and (expected > 0).any() and (expected == 0).any()


def test_s_cells_equal_the_loop():
    check_s_cells(SLayer)


def check_c_cells(build) -> None:
    """Every second cell: a blurred plane over the mean of all planes, squashed to [0, 1)."""
    torch.manual_seed(0)
    c, s = build().double(), torch.rand(4, 6, 6, dtype=torch.float64)
    d = torch.tensor([[0.8 ** ((i**2 + j**2) ** 0.5) for j in range(-2, 3)] for i in range(-2, 3)]).double()
    d = d / d.sum()
    blurred = torch.stack(
        [(field(s, 2 * row, 2 * column) * d).sum((1, 2)) for row in range(3) for column in range(3)], 1
    )
    over = ((1 + blurred) / (1 + blurred.mean(0)) - 1).clamp(min=0)
    assert close(c(s[None])[0].flatten(1), over / (0.5 + over), 1e-6)


def test_c_cells_equal_the_loop():
    check_c_cells(CLayer)


def test_the_last_c_cell_sees_its_whole_plane_alike():
    torch.manual_seed(0)
    s = torch.rand(1, 3, 4, 4)
    turned = s.flatten(2)[..., torch.randperm(16)].unflatten(2, (4, 4))
    assert CLayer(4)(s).shape == (1, 3, 1, 1) and torch.allclose(CLayer(4)(s), CLayer(4)(turned))


def check_limit(build) -> None:
    """Having seen one pattern often, a cell fires as max(0, (1 + r) cos - r): 1 for the pattern."""
    for selectivity in (1.0, 4.0):
        torch.manual_seed(1)
        s = build(Stage(1, selectivity, 1e7), 2).double()
        pattern, other = torch.rand(2, 2, 5, 5, dtype=torch.float64)
        s.a.zero_()
        s.a += 1e-9
        u = F.pad(pattern, (4, 4, 4, 4))[None]  # the pattern stands in an empty field
        s.learn(u)
        (plane, row, column) = s.learn(u)[0]
        assert plane == 0 and abs(float(s(u)[0, 0, row, column]) - 1) < 1e-4
        for part in (0.05, 0.2, 1.0):
            seen = (1 - part) * field(u[0], row, column) + part * other
            c = s.c[0]
            learned = field(u[0], row, column)
            cos = (c * seen * learned).sum() / ((c * seen**2).sum() * (c * learned**2).sum()).sqrt()
            expected = max(0.0, float((1 + selectivity) * cos - selectivity))
            assert abs(float(s(seen[None])[0, 0, 2, 2]) - expected) < 1e-3, (selectivity, part)


def test_a_cell_measures_an_angle():
    check_limit(SLayer)


def check_seeds(choose) -> None:
    """By the words: of each column the strongest, of a plane the strongest of those; nobody at 0."""
    torch.manual_seed(2)
    for case in range(20):
        cells = torch.rand(5, 7, 6) * (torch.rand(5, 7, 6) > 0.6)
        if case == 0:
            assert choose(torch.zeros(5, 7, 6)) == []
        won = set()
        for row in range(7):
            for column in range(6):
                places = [
                    (float(cells[k, y, x]), k, y, x)
                    for k in range(5)
                    for y in range(max(0, row - 2), min(7, row + 3))
                    for x in range(max(0, column - 2), min(6, column + 3))
                ]
                won.add(max(places))
        planes = {k for value, k, _, _ in won if value > 0}
        expected = [max(each for each in won if each[1] == k)[1:] for k in sorted(planes)]
        assert [tuple(each) for each in choose(cells)] == expected


def test_who_learns():
    check_seeds(module.seeds)


def check_shift(build) -> None:
    """All that a shift by a whole pixel of the last layers moves is the place: the answer stays."""
    torch.manual_seed(0)
    net, digit = build(side=64), torch.zeros(1, 1, 64, 64)
    digit[0, 0, 28:33, 30:34] = torch.rand(5, 4)
    net.learn(digit, 5)
    moved = net(digit.roll(4, 3))  # four pixels are one cell of the last layers, and the border is far
    assert net(digit).max() > 0 and torch.allclose(net(digit), moved, atol=1e-5)


def test_the_answer_does_not_move():
    check_shift(Neocognitron)


def test_shapes_of_all_layers():
    shapes = [tuple(x.shape[1:]) for x in Neocognitron().layers(torch.rand(2, 1, 16, 16))]
    assert shapes == [(24, s, s) for s in (16, 8, 8, 4, 4, 1)]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Neocognitron(side=18), "each of 3 stages but the last can halve, got 18"),
        (lambda: Neocognitron(()), "one stage at least"),
        (lambda: Neocognitron((Stage(0),)), "expected planes"),
        (lambda: Neocognitron((Stage(3, 0.0),)), "expected selectivity"),
        (lambda: Neocognitron((Stage(3, 1.0, 0.0),)), "expected gain"),
        (lambda: Neocognitron()(torch.rand(1, 1, 28, 28)), "images of 16 x 16"),
        (lambda: Neocognitron().s[0].learn(torch.rand(2, 1, 16, 16)), "one input, got 2"),
        (lambda: Neocognitron().learn(torch.rand(2, 1, 16, 16), -1), "expected epochs >= 0"),
        (lambda: Neocognitron()(torch.rand(1, 3, 16, 16)), "float \\[B, 1, H, W\\]"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


FAULTS = {
    "half the inhibition": (check_s_cells, "SLayer", "2 * self.r / (1 + self.r)", "self.r / (1 + self.r)"),
    "no root": (check_s_cells, "SLayer", ".clamp(min=0).sqrt()", ".clamp(min=0)"),
    "no inhibition by the neighbours": (
        check_c_cells,
        "CLayer",
        "(1 + blurred.mean(1, keepdim=True))",
        "(1 + blurred)",
    ),
    "no squash": (check_c_cells, "CLayer", "return over / (ALPHA + over)", "return over"),
    "the inhibition learns as fast": (check_limit, "SLayer", "self.q / 2 * v", "self.q * v"),
    "c left out of the rule": (check_limit, "SLayer", "self.q * self.c[0] * fields", "self.q * fields"),
    "everybody learns": (check_seeds, "seeds", "if value > chosen.get(at[0], (0.0,))[0]", "if value >= 0"),
    "one pixel off": (check_seeds, "seeds", "width + inside // COLUMN - ", "width + inside // COLUMN + 1 - "),
    "one stage too few": (check_shift, "Neocognitron", "2 ** (len(stages) - 1)", "2 ** len(stages)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check_sees(*FAULTS[fault][:1], module, *FAULTS[fault][1:], error=(AssertionError, RuntimeError))
