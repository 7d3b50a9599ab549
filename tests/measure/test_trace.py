"""Where the inputs of each operation come from, on networks whose dataflow is known by construction. The
tracer's seeded faults stand in `test_tree`, whose checks see them.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.measure.small_networks import conv, rows


@pytest.mark.parametrize(
    ("forward", "join", "inputs", "through"),
    [
        (lambda m, x: x + m.b(m.a(x)), "+ shortcut", (-1, 1), ()),
        (lambda m, x: m.b(m.a(x)) + x, "+ shortcut", (1, -1), ()),
        (lambda m, x: (y := m.a(x)) + m.b(y), "+ shortcut", (0, 1), ()),
        (lambda m, x: (y := m.a(x)).add_(m.b(y.clone())), "+ shortcut", (0, 1), ()),
        (
            lambda m, x: torch.addcmul(x, torch.ones(4, 1, 1, device=x.device), m.b(m.a(x))),
            "+ shortcut",
            (-1, 1),
            (),
        ),
        (lambda m, x: m.a(x) + m.b(x), "+", (0, 1), ()),
        (lambda m, x: (y := m.a(x)) + m.b(y).relu(), "+ shortcut", (0, 2), ()),
        (lambda m, x: m.a(x) + F.relu(m.b(x)), "+ shortcut", (0, 2), (0,)),
        (lambda m, x: m.a(x) * m.b(m.a(x)).mean((2, 3), keepdim=True).sigmoid(), "× gate", (0, 3), (1, 2, 3)),
        (lambda m, x: m.a(x) * m.b(x), "×", (0, 1), ()),
        (lambda m, x: (y := m.a(x)) * m.b(y).mean((2, 3), keepdim=True).sigmoid(), "× gate", (0, 2), (1, 2)),
        (lambda m, x: torch.cat([x, m.a(x), m.b(x)], 1), "concat", (-1, 0, 1), ()),
        (lambda m, x: torch.stack([m.b(m.a(x)), x], 1), "concat", (1, -1), ()),
        (lambda m, x: m.b(m.a(x)) + 1, "", (1,), ()),
        (lambda m, x: m.b(m.a(x)).relu(), "", (1,), ()),
    ],
    ids=lambda value: "" if callable(value) else str(value),
)
def test_a_join_is_found_from_the_dataflow(forward, join, inputs, through):
    last = rows(forward, a=conv, b=lambda: conv(kernel=1))[-1]
    assert (last.join, last.inputs, last.through) == (join, inputs, through)


def test_a_leading_axis_that_holds_heads_is_shown():
    found = rows(
        lambda m, x: (q := m.a(x).flatten(2).unflatten(1, (2, 2)).flatten(0, 1)) @ q.transpose(1, 2), a=conv
    )
    assert [(row.type, row.shape) for row in found] == [("Conv2d", (4, 8, 8)), ("matmul", (2, 2, 2))]


def test_a_residual_block_that_works_in_place():
    found = rows(lambda m, x: F.relu_(m.b(F.relu_(m.a(x))) + x), a=conv, b=conv)
    assert [(row.type, row.inputs) for row in found] == [
        ("Conv2d", (-1,)),
        ("relu", (0,)),
        ("Conv2d", (1,)),
        ("+ shortcut", (2, -1)),
        ("relu", (3,)),
    ]


def test_dropout_is_idle_and_stays_in_the_flow():
    found = rows(lambda m, x: x + m.drop(m.a(x)), a=conv, drop=lambda: nn.Dropout(0.1))
    assert [(row.type, row.detail, row.inputs, row.note) for row in found] == [
        ("Conv2d", "3×3", (-1,), ""),
        ("Dropout", "p = 0.1", (0,), "idle in evaluation"),
        ("+ shortcut", "", (-1, 1), ""),
    ]
