"""Cluttered shapes against a painter that goes picture by picture in NumPy, and what the set promises: the
same bits for the same seed, factors that say what a picture shows, clutter that gives no class away.
"""

import importlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlbook.data import cluttered_shapes

module = importlib.import_module("dlbook.data.cluttered_shapes")
COLUMN, ROW = np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5)
TURN = 2 * np.pi


def place(x, y, angle):
    """Each pixel as a complex number, seen from a centre and turned back."""
    return ((COLUMN - x) + 1j * (y - ROW)) * np.exp(-1j * angle)


def depth(shape, z, size):
    """How far inside the shape a pixel lies, negative outside."""
    if shape == "circle":
        return size - abs(z)
    if shape == "square":
        return 0.85 * size - np.maximum(abs(z.real), abs(z.imag))
    if shape == "triangle":  # three edges, half the circumradius from the centre
        return size / 2 - np.max([(z * np.exp(-1j * a)).real for a in np.radians([-90, 30, 150])], axis=0)
    if shape == "cross":
        wide, narrow = size, size / 3
        bars = [
            np.minimum(wide - abs(a), 3 * (narrow - abs(b))) for a, b in ((z.real, z.imag), (z.imag, z.real))
        ]
        return np.maximum(*bars)
    return size / 4 - abs(abs(z) - 0.75 * size)


def share(texture, z, period):
    """The second colour's share."""
    if texture == "plain":
        return np.zeros((64, 64))
    wave = np.sin(TURN * z.real / period)
    if texture == "dots":
        off = [np.abs((part / period + 0.5) % 1 - 0.5) * period for part in (z.real, z.imag)]
        return np.clip(0.5 + 0.32 * period - np.hypot(*off), 0, 1)
    return np.clip(
        0.5 + period / 4 * wave * (np.sin(TURN * z.imag / period) if texture == "checks" else 1), 0, 1
    )


class Row:
    """The uniform numbers of one picture, in order."""

    def __init__(self, numbers):
        self.numbers = iter(numbers)

    def of(self, low, high):
        return low + (high - low) * next(self.numbers)

    def name(self, names):
        return names[int(next(self.numbers) * len(names))]

    def color(self):
        return np.array([self.of(0, 1) for _ in "rgb"])

    def near(self, color, least, most):
        """A colour that differs in each channel, mirrored where it would leave [0, 1]."""
        found = []
        for value in color:
            u = self.of(-1, 1)
            step = np.sign(u) * (least + (most - least) * abs(u))
            found.append(value + step if 0 <= value + step <= 1 else value - step)
        return np.array(found)

    def form(self, sizes, middles):
        shape, texture = self.name(module.SHAPES), self.name(module.TEXTURES)
        x, y, size = self.of(*middles), self.of(*middles), self.of(*sizes)
        angle, period, turn = self.of(0, TURN), self.of(9, 13), self.of(0, TURN)
        return shape, texture, x, y, size, angle, period, turn


def blend(canvas, color, amount):
    return canvas + amount[..., None] * (color - canvas)


def put(canvas, form, color, second):
    shape, texture, x, y, size, angle, period, turn = form
    filling = blend(np.broadcast_to(color, (64, 64, 3)), second, share(texture, place(x, y, turn), period))
    return blend(canvas, filling, np.clip(0.5 + depth(shape, place(x, y, angle), size), 0, 1))


def paint(numbers, noise):
    """One picture [3, 64, 64], back to front as the docstring of the package says."""
    row = Row(numbers)
    form = row.form((16, 23), (25, 39))
    ground = row.color()
    second, color = row.near(ground, 0.03, 0.08), row.near(ground, 0.3, 0.5)
    fill = row.near(color, 0.4, 0.5)
    texture, contrast, grain = row.name(module.TEXTURES), row.of(0.7, 1), row.of(0.02, 0.05)
    light, towards = row.of(0, 0.15), row.of(0, TURN)
    behind = share(texture, place(32, 32, form[5] + 2 * form[7]), 22 - form[6])
    canvas = blend(np.broadcast_to(ground, (64, 64, 3)), second, behind)
    for above in (False, False, True):
        if above:
            canvas = put(canvas, form, color, fill)
        small = row.form((4, 7), (2, 62))
        own = row.color()
        canvas = put(canvas, small, own, row.near(own, 0.15, 0.4))
    for _ in range(1):
        z = place(row.of(0, 64), row.of(0, 64), row.of(0, TURN))
        half, thick = row.of(8, 32), row.of(0.3, 1)
        distance = np.hypot(np.maximum(abs(z.real) - half, 0), z.imag) - thick
        canvas = blend(canvas, row.color(), np.clip(0.5 - distance, 0, 1))
    assert next(row.numbers, None) is None
    lit = 0.5 + contrast * (canvas - 0.5) + light * place(32, 32, towards).real[..., None] / 64
    return np.clip(lit.transpose(2, 0, 1) + grain * noise, 0, 1), f"{form[1]} {form[0]}"


def check_pictures(n=6, seed=7):
    data = cluttered_shapes(n, seed)
    numbers = np.random.RandomState(seed).random_sample((n, module._Numbers.COLUMNS))
    noise = np.random.RandomState([seed, 1]).standard_normal((n, 3, 64, 64))
    for index in range(n):
        picture, name = paint(numbers[index], noise[index])
        assert np.abs(data.images[index].numpy() - picture).max() < 3e-5, index  # float32 against float64
        assert data.classes[data.labels[index]] == name


def test_pictures_are_those_of_the_slow_painter():
    check_pictures()


FAULTS = {
    "upside down": ("_turned", lambda turned: lambda x, y, a: turned(x, 64 - y, a)),
    "turned the other way": ("_turned", lambda turned: lambda x, y, a: turned(x, y, -a)),
    "stripes across": ("_texture", lambda texture: lambda u, v, p, k: texture(v, u, p, k)),
    "another period": ("_texture", lambda texture: lambda u, v, p, k: texture(u, v, 1.05 * p, k)),
    "no lines": ("_line", lambda line: lambda canvas, numbers: (line(canvas, numbers), canvas)[1]),
    "a small shape is missing": ("_small", lambda small: lambda c, numbers: (small(c, numbers), c)[1]),
    "colours exchanged": ("_shape", lambda shape: lambda c, f, a, b: shape(c, f, b, a)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_drawing_fault_is_caught(fault, monkeypatch):
    name, broken = FAULTS[fault]
    monkeypatch.setattr(module, name, broken(getattr(module, name)))
    with pytest.raises(AssertionError):
        check_pictures()


def test_seeded_class_fault_is_caught(monkeypatch):
    monkeypatch.setitem(
        module.CLASSES, "both", tuple(f"{t} {s}" for t in module.TEXTURES for s in module.SHAPES)
    )
    with pytest.raises(AssertionError):
        check_pictures()


@settings(max_examples=6)
@given(n=st.integers(1, 6), more=st.integers(0, 4), seed=st.integers(0, 2**32 - 1))
def test_determined_by_seed_and_nested(n, more, seed):
    first, second = cluttered_shapes(n, seed), cluttered_shapes(n + more, seed)
    assert torch.equal(first.images, second.images[:n]) and torch.equal(first.labels, second.labels[:n])


def test_chunks_change_nothing(monkeypatch):
    whole = cluttered_shapes(7)
    monkeypatch.setattr(module, "CHUNK", 3)
    parts = cluttered_shapes(7)
    assert torch.allclose(whole.images, parts.images, atol=1e-6)
    assert all(torch.equal(values, parts.factors[name]) for name, values in whole.factors.items())


def test_same_set_for_ever():
    """Recorded once: whoever changes the drawing or the draw breaks experiments that were recorded."""
    data = cluttered_shapes(8)
    assert data.labels.tolist() == RECORDED_LABELS
    assert torch.allclose(data.images[:4].mean(dim=(1, 2, 3)), torch.tensor(RECORDED_MEANS), atol=1e-4)
    assert not torch.equal(data.images, cluttered_shapes(8, seed=1).images)


def test_labels_are_the_factors():
    sets = {label: cluttered_shapes(30, 3, label) for label in module.CLASSES}
    both, shape, texture = (sets[label] for label in ("both", "shape", "texture"))
    assert torch.equal(both.images, shape.images) and torch.equal(both.images, texture.images)
    assert torch.equal(shape.labels, both.factors["shape"]) and torch.equal(
        texture.labels, both.factors["texture"]
    )
    for index in range(30):
        texture_name, shape_name = both.classes[both.labels[index]].split()
        assert shape.classes[shape.labels[index]] == shape_name
        assert texture.classes[texture.labels[index]] == texture_name
    kinds = {name: values.dtype for name, values in both.factors.items()}
    assert {name for name, kind in kinds.items() if kind == torch.int64} == {"shape", "texture", "ground"}
    assert all(len(values) == 30 and values.ndim == 1 for values in both.factors.values())
    assert both.images.shape == (30, 3, 64, 64) and both.images.min() >= 0 and both.images.max() <= 1


def test_factors_are_uniform_and_independent(monkeypatch):
    monkeypatch.setattr(module, "_texture", lambda u, v, period, kind: torch.zeros(1, 1, 1))
    monkeypatch.setattr(module, "SIDE", 1)  # the factors of many pictures, of one pixel each
    factors = cluttered_shapes(4000, seed=2).factors
    for name, kinds in (("shape", 5), ("texture", 4), ("ground", 4)):
        expected = 4000 / kinds
        assert (torch.bincount(factors[name]) - expected).abs().max() < 5 * expected**0.5
    correlation = torch.corrcoef(torch.stack([values.float() for values in factors.values()]))
    assert (correlation - torch.eye(len(factors))).abs().max() < 5 / 4000**0.5


def test_the_shape_can_be_seen():
    """Its two colours differ from the ground's first by 0.3 in each channel, before light and noise."""
    numbers = module._Numbers(
        torch.rand(500, module._Numbers.COLUMNS, generator=torch.Generator().manual_seed(0))
    )
    color = numbers.color()
    other = numbers.other_color(color, 0.3, 0.5)
    step = (other - color).abs()
    assert step.min() >= 0.3 - 1e-6 and step.max() <= 0.5 + 1e-6 and other.min() >= 0 and other.max() <= 1


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n": 0}, "n to be a whole number >= 1, got 0"),
        ({"label": "size"}, "label to be 'both', 'shape' or 'texture', got 'size'"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        cluttered_shapes(**({"n": 4} | options))


RECORDED_LABELS = [10, 1, 3, 18, 19, 3, 7, 6]
RECORDED_MEANS = [0.68874, 0.49487, 0.45749, 0.33519]
