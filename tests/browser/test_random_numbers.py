"""The generator: number for number that of the page, even, normal, and a fair order.

Seeded faults, tried: a shift of 20 instead of 21, a counter that stands still, and an order that swaps with any
place (not fair) are all seen.
"""

import math
from collections import Counter

import pytest

from dlbook.browser.random_numbers import Generator
from tests.browser.engine_runs import in_node


def test_it_equals_the_pages():
    draw = Generator(12345)
    told = in_node({})["random"]
    assert told["next"] == [draw.next(), draw.next()]
    assert told["normal"] == pytest.approx([draw.normal(), draw.normal()], rel=1e-14)
    assert told["order"] == draw.order(10)


def test_first_numbers_of_a_seed():
    """A seed says everything, and neighbouring seeds begin differently."""
    assert Generator(7).order(50) == Generator(7).order(50)
    assert len({Generator(seed).next() for seed in range(1000)}) == 1000


def test_uniform_and_normal_numbers():
    draw, n = Generator(3), 20000
    uniform, normal = [draw.uniform() for _ in range(n)], [draw.normal() for _ in range(n)]
    assert abs(sum(uniform) / n - 0.5) < 4 / math.sqrt(12 * n) and min(uniform) >= 0 and max(uniform) < 1
    assert abs(sum(normal) / n) < 4 / math.sqrt(n)
    assert abs(sum(v * v for v in normal) / n - 1) < 4 * math.sqrt(2 / n)


def test_every_order_is_as_likely():
    draw, n = Generator(5), 6000
    found = Counter(tuple(draw.order(3)) for _ in range(n))
    expected = n / 6
    assert len(found) == 6
    assert sum((count - expected) ** 2 / expected for count in found.values()) < 20.5  # 1 in 1,000, five free
