"""Colour shapes against a drawing by one loop over the pixels, written from the docstring.

Seeded faults that the oracle must catch: x and y exchanged, y upside down, a palette shifted by one, the
angle turned the other way, labels taken from another factor.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlbook.data import color_shapes
from dlbook.data import drawn_shapes as shapes

COLORS = {
    "red": (0.90, 0.10, 0.10),
    "orange": (1, 0.55, 0),
    "yellow": (0.95, 0.90, 0.10),
    "green": (0.15, 0.70, 0.20),
    "cyan": (0.10, 0.80, 0.85),
    "blue": (0.15, 0.30, 0.95),
    "violet": (0.55, 0.20, 0.85),
    "pink": (1, 0.5, 0.75),
}


def distance(shape, u, v, size):
    """Signed distance (or its bound along the axes) to the edge, for one point."""
    if shape == "circle":
        return math.hypot(u, v) - size
    if shape == "square":
        return max(abs(u), abs(v)) - 0.85 * size
    if shape == "triangle":  # three half-planes whose normals are 120 degrees apart, at half the circumradius
        normals = [
            (math.cos(a), math.sin(a)) for a in (math.radians(-90), math.radians(30), math.radians(150))
        ]
        return max(u * x + v * y for x, y in normals) - size / 2
    if shape == "cross":
        return min(max(abs(u), 3 * abs(v)), max(3 * abs(u), abs(v))) - size
    return abs(math.hypot(u, v) - 0.75 * size) - size / 4


def ground(background, row, column, shade):
    stripe = 1 if int(row) % 8 < 4 else -1
    offset = {
        "plain": 0,
        "gradient": 0.2 * ((row + column) / 32 - 1),
        "stripes": 0.1 * stripe,
        "checks": 0.1 * stripe * (1 if int(column) % 8 < 4 else -1),
    }[background]
    return min(max(shade + offset, 0), 0.8)


def draw(factor):
    """One picture [3, 32, 32] by a loop over its pixels."""
    picture = torch.empty(3, 32, 32)
    for i in range(32):
        for j in range(32):
            right, up = j + 0.5 - factor["x"], factor["y"] - (i + 0.5)
            a = factor["angle"]
            u, v = right * math.cos(a) + up * math.sin(a), up * math.cos(a) - right * math.sin(a)
            cover = min(max(0.5 - distance(factor["shape"], u, v, factor["size"]), 0), 1)
            base = ground(factor["background"], i + 0.5, j + 0.5, factor["shade"])
            for channel, value in enumerate(COLORS[factor["color"]]):
                picture[channel, i, j] = base + cover * (value - base)
    return picture


def check_pictures(data, label, count=12):
    for index in range(count):
        factor = {name: values[index].item() for name, values in data.factors.items()}
        factor |= {name: shapes.NAMES[name][int(factor[name])] for name in shapes.NAMES}
        assert torch.allclose(data.images[index], draw(factor), atol=2e-5), factor
        assert data.classes[data.labels[index]] == factor[label]


@pytest.mark.parametrize("label", ["shape", "color", "background"])
def test_pictures_are_what_their_factors_say(label):
    data = color_shapes(40, seed=1, label=label)
    check_pictures(data, label)
    assert data.images.shape == (40, 3, 32, 32) and data.images.min() >= 0 and data.images.max() <= 1
    assert {name: values.dtype for name, values in data.factors.items()} == {
        name: torch.int64 if name in shapes.NAMES else torch.float32 for name in shapes.FACTORS
    }


def exchanged(paint):
    return lambda f: paint(f | {"x": f["y"], "y": f["x"]})


def upside_down(paint):
    return lambda f: paint(f).flip(2)


def shifted_palette(paint):
    return lambda f: paint(f | {"color": (f["color"] + 1) % 8})


def turned_back(paint):
    return lambda f: paint(f | {"angle": -f["angle"]})


def other_background(paint):
    return lambda f: paint(f | {"background": 3 - f["background"]})


@pytest.mark.parametrize("fault", [exchanged, upside_down, shifted_palette, turned_back, other_background])
def test_seeded_drawing_fault_is_caught(fault, monkeypatch):
    monkeypatch.setattr(shapes, "_paint", fault(shapes._paint))
    with pytest.raises(AssertionError):
        check_pictures(color_shapes(12, seed=1), "shape")


def test_seeded_label_fault_is_caught():
    data = color_shapes(12, seed=1, label="shape")
    with pytest.raises(AssertionError):
        check_pictures(type(data)(data.images, data.labels.roll(1), data.classes, data.factors), "shape")


@settings(max_examples=15)
@given(n=st.integers(1, 40), more=st.integers(0, 20), seed=st.integers(0, 2**32 - 1))
def test_determined_by_seed_and_nested(n, more, seed):
    first, second = color_shapes(n, seed), color_shapes(n + more, seed)
    assert torch.equal(first.images, second.images[:n]) and torch.equal(first.labels, second.labels[:n])


def test_same_set_for_ever():
    """Recorded once: whoever changes the drawing or the draw breaks experiments that were recorded
    with it.
    """
    data = color_shapes(6, seed=0)
    assert data.labels.tolist() == RECORDED_SHAPES and data.factors["color"].tolist() == RECORDED_COLORS
    assert not torch.equal(data.images, color_shapes(6, seed=1).images)


def test_chunks_change_nothing():
    assert torch.equal(
        color_shapes(1030).images[1020:],
        torch.cat([shapes._paint({k: v[1020:] for k, v in color_shapes(1030).factors.items()})]),
    )


def test_factors_are_uniform_and_independent():
    factors = color_shapes(4000, seed=2).factors
    for name, names in shapes.NAMES.items():
        expected = 4000 / len(names)
        assert (torch.bincount(factors[name]) - expected).abs().max() < 5 * expected**0.5
    for name, (low, high) in shapes.RANGES.items():
        assert low <= factors[name].min() and factors[name].max() <= high
        assert abs(factors[name].mean() - (low + high) / 2) < 5 * (high - low) / (12 * 4000) ** 0.5
    correlation = torch.corrcoef(torch.stack([values.float() for values in factors.values()])) - torch.eye(8)
    assert correlation.abs().max() < 5 / 4000**0.5


def test_given_factors():
    free, bound = color_shapes(20, seed=3), color_shapes(20, seed=3, given={"color": "blue", "size": 6.0})
    assert bound.factors["color"].unique().tolist() == [5] and bound.factors["size"].unique().tolist() == [6]
    assert all(
        torch.equal(free.factors[name], bound.factors[name])
        for name in ("shape", "x", "y", "angle", "background", "shade")
    )
    check_pictures(bound, "shape", count=3)
    tied = color_shapes(20, seed=3, given={"color": free.factors["shape"]})
    assert torch.equal(tied.factors["color"], tied.labels)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n": 0}, "n to be a whole number >= 1, got 0"),
        ({"label": "size"}, "label to be 'shape', 'color' or 'background', got 'size'"),
        ({"given": {"colour": 1}}, "given: expected factors among shape, color"),
        ({"given": {"color": "grey"}}, "expected one of: red.*got 'grey'"),
        ({"given": {"x": "left"}}, "a number from 10.0 to 22.0, got 'left'"),
        ({"given": {"size": 20.0}}, "values from 5.0 to 9.0"),
        ({"given": {"color": 8}}, "values from 0 to 7"),
        ({"given": {"color": 0.5}}, "expected integers"),
        ({"given": {"x": [11.0, 12.0]}}, "one number or 4 numbers"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        color_shapes(**({"n": 4} | options))


RECORDED_SHAPES = [2, 4, 0, 0, 2, 1]
RECORDED_COLORS = [5, 3, 6, 5, 4, 3]
