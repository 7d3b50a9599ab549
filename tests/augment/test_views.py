"""Two views, multi-crop and weak-strong pairs: sizes, which part of the image, independence of the views,
rates; seeded faults.
"""

from functools import partial

import pytest
import torch

from dlbook.augment import digits as augment
from dlbook.augment import views
from dlbook.augment.views import multi_crop, simclr, two_views, weak_strong
from tests.augment.augment_checks import (
    check_on_gpu,
    check_own_draw,
    check_rate,
    check_step,
    check_uniform,
    check_unrelated,
    cuda,
    pictures,
    seeded,
)

STEPS = {
    "simclr": simclr(20),
    "first view": lambda images, generator: two_views(images, generator, size=20)[0],
    "second view": lambda images, generator: two_views(images, generator, size=20)[1],
    "multi-crop": lambda images, generator: multi_crop(images, generator, 16, 8, 2)[-1],
    "weak": lambda images, generator: weak_strong(images, generator)[0],
    "strong": lambda images, generator: weak_strong(images, generator)[1],
}


@pytest.mark.parametrize("name", STEPS)
def test_step(name):
    check_step(STEPS[name])
    check_own_draw(STEPS[name])


def test_sizes():
    images = pictures(2)
    assert [view.shape for view in two_views(images, seeded(1))] == [(2, 3, 24, 24)] * 2
    assert [view.shape for view in two_views(images, seeded(1), size=10)] == [(2, 3, 10, 10)] * 2
    assert [view.shape for view in multi_crop(images, seeded(1), 16, 8, 3)] == [(2, 3, 16, 16)] * 2 + [
        (2, 3, 8, 8)
    ] * 3
    assert len(multi_crop(images, seeded(1), 16, 8, 0)) == 2


def ramps(count, side=64):
    """Channel 0 rises to the right, channel 1 downwards, so that a view says where it was cut."""
    rise = (torch.arange(side) + 0.5) / side
    return torch.stack(
        [rise.expand(side, side), rise[:, None].expand(side, side), torch.zeros(side, side)]
    ).expand(count, -1, -1, -1)


@pytest.fixture
def geometry_only(monkeypatch):
    """Crops and flips without colours."""
    monkeypatch.setattr(views, "color_jitter", lambda images, generator=None, **how: images)
    for name in ("grayscale", "solarize"):
        monkeypatch.setattr(views, name, lambda images, *given: images)
    monkeypatch.setattr(views, "blur", lambda images, sigma, kernel_size: images)


def shares(view):
    """Share of the image's area that a view of `ramps` shows, its centre (x, y), and whether it is mirrored;
    each [B].
    """
    size = view.shape[2]
    across, down = view[:, 0, size // 2], view[:, 1, :, size // 2]
    quarter, rest = size // 4, size - 1 - size // 4
    width = (across[:, rest] - across[:, quarter]) * size / (rest - quarter)
    height = (down[:, rest] - down[:, quarter]) * size / (rest - quarter)
    return width.abs() * height.abs(), view[:, 0].mean((1, 2)), view[:, 1].mean((1, 2)), width < 0


def check_two(make):
    first, second = (shares(view) for view in make(ramps(3000), seeded(1), size=16, area=(0.1, 0.3)))
    for area, x, y, mirrored in (first, second):
        check_uniform(area, 0.1, 0.3)
        assert 0.1 < x.min() < 0.25 and 0.75 < x.max() < 0.9 and (x.mean() - 0.5).abs() < 0.02
        check_rate(mirrored, 0.5)
        check_unrelated(x, y)
    for one, other in zip(first, second, strict=True):
        check_unrelated(one, other)


def test_two_views_are_independent(geometry_only):
    check_two(two_views)


def check_multi(make):
    """Global views show 40 to 100 % of the area, local ones 5 to 40 %; each view for itself."""
    found = make(ramps(2000, side=96), seeded(1), 32, 16, 3)
    assert [view.shape[2] for view in found] == [32, 32, 16, 16, 16]
    parts = [shares(view) for view in found]
    for area, *_ in parts[:2]:
        assert 0.38 < area.min() < 0.45 and 0.9 < area.max() < 1.03 and 0.6 < area.mean() < 0.72
    for area, *_ in parts[2:]:
        check_uniform(area, 0.05, 0.4, tolerance=0.08)
    for number in range(5):
        check_rate(parts[number][3], 0.5)
        check_unrelated(parts[number][1], parts[(number + 1) % 5][1])


def test_multi_crop_shows_the_parts(geometry_only):
    check_multi(multi_crop)


def check_colors(make, monkeypatch):
    """How often each distortion is applied, counted by replacing it with a mark; the crop is left out."""
    marks = {"color_jitter": 1000.0, "grayscale": 100.0, "blur": 10.0, "solarize": 1.0}
    for name, mark in marks.items():
        monkeypatch.setattr(views, name, lambda images, *given, mark=mark, **how: images + mark)
    monkeypatch.setattr(views, "random_resized_crop", lambda images, generator, size, area: images)
    wanted = [(0.8, 0.2, 1.0, 0.0), (0.8, 0.2, 0.1, 0.2), (0.8, 0.2, 0.5, 0.0)]
    for view, rates in zip(make(torch.zeros(3000, 3, 4, 4), seeded(1), 16, 8, 1), wanted, strict=True):
        digits = view[:, 0, 0, 0].long()
        hits = [digits // int(mark) % 10 for mark in marks.values()]
        for found, rate in zip(hits, rates, strict=True):
            check_rate(found, rate)
        for one, other in zip(hits, hits[1:], strict=False):
            if one.double().std() > 0 < other.double().std():
                check_unrelated(one, other)


def test_how_often_colors_change(monkeypatch):
    check_colors(multi_crop, monkeypatch)


def test_simclr_rates_and_strength(monkeypatch):
    given = []
    monkeypatch.setattr(
        views, "color_jitter", lambda images, generator=None, **how: given.append(how) or images
    )
    monkeypatch.setattr(views, "blur", lambda images, sigma, kernel_size: images * 0 + 0.123)
    for size, kernel_size in ((32, 3), (224, 23), (96, 9)):
        assert views._random_blur(1.0, size)(torch.zeros(2, 3, 4, 4), seeded(1)).mean() == pytest.approx(
            0.123
        ), kernel_size
    out = simclr(16, strength=0.5, blur_probability=0.3)(pictures(2000), seeded(1))
    assert given[0] == pytest.approx({"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1})
    check_rate((out == 0.123).flatten(1).all(1), 0.3)


def test_blur_reaches_over_a_tenth_of_the_side(monkeypatch):
    sizes = []
    monkeypatch.setattr(
        views, "blur", lambda images, sigma, kernel_size: sizes.append((kernel_size, sigma)) or images
    )
    for size in (16, 96, 224):
        views._random_blur(1.0, size)(torch.zeros(3000, 3, 2, 2), seeded(1))
    assert [kernel_size for kernel_size, _ in sizes] == [3, 9, 23]
    check_uniform(sizes[0][1], 0.1, 2.0)


def test_weak_strong_takes_any_steps():
    images = pictures(channels=1)
    weak, strong = weak_strong(images, seeded(1))
    assert torch.equal(weak, augment.weak(images, seeded(1)))
    assert ((strong - images) ** 2).mean() > 1.5 * ((weak - images) ** 2).mean()
    first, second = weak_strong(images, seeded(1), lambda i, g: i, lambda i, g: 1 - i)
    assert torch.equal(first, images) and torch.equal(second, 1 - images)


@pytest.mark.cuda
@cuda
@pytest.mark.parametrize("name", STEPS)
def test_step_on_a_gpu(name):
    check_on_gpu(STEPS[name], tolerance=2e-3)


FAULTS = {
    "one view twice": (lambda *given, **how: [two_views(*given, **how)[0]] * 2, check_two),
    "one crop for the batch": (
        lambda i, *given, **how: [
            view.expand(len(i), -1, -1, -1) for view in two_views(i[:1], *given, **how)
        ],
        check_two,
    ),
    "second view cut from the first": (
        lambda i, g, size, area: (lambda first: (first, simclr(size, area=area)(first, g)))(
            simclr(size, area=area)(i, g)
        ),
        check_two,
    ),
    "never mirrored": (
        lambda i, g, size, area: [views.random_resized_crop(i, g, (size, size), area) for _ in range(2)],
        check_two,
    ),
    "local views of the whole": (lambda *given: multi_crop(*given, local_area=(0.4, 1.0)), check_multi),
    "SwAV's parts for DINO's": (
        lambda *given: multi_crop(*given, global_area=(0.14, 1.0), local_area=(0.05, 0.14)),
        check_multi,
    ),
    "local views all alike": (
        lambda *given: (lambda found: [*found[:2], *[found[2]] * 3])(multi_crop(*given)),
        check_multi,
    ),
    "sizes exchanged": (lambda i, g, large, small, n: multi_crop(i, g, small, large, n), check_multi),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault, geometry_only):
    broken, check = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


def test_exchanged_global_views_are_caught(monkeypatch):
    with pytest.raises(AssertionError):
        check_colors(
            lambda *given: (lambda found: [found[1], found[0], *found[2:]])(multi_crop(*given)), monkeypatch
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (partial(simclr, 16, strength=3.0), "strength <= 2.5"),
        (partial(multi_crop, pictures(), None, 2), "sizes >= 3"),
        (partial(multi_crop, pictures(), None, 16, 8, -1), "local_views >= 0"),
        (partial(two_views, pictures(channels=2)), "1 or 3, H, W"),
        (partial(two_views, pictures(), area=(0.5, 2.0)), "0 < area"),
        (partial(weak_strong, pictures()[0]), "batch axis"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
