"""What the figure's augmentations do, against the package's; with seeded faults."""

import numpy as np
import pytest
import torch

from dlbook.augment.pca_color import color_components
from dlbook.widgets import augmented_rules as rules
from tests.seeded import edited
from tests.widgets.augmented_checks import EXACT, PLACE, STRENGTHS, by_package, made


def check_changes(names):
    picture = made().picture()
    for kind in EXACT:
        for strength in STRENGTHS:
            for mode in (rules.BILINEAR, rules.NEAREST):
                found = names["changed"](picture, kind, strength, PLACE, mode, (0, 0, 0))
                assert np.allclose(found, by_package(picture, kind, strength, mode), atol=1e-9)


def check_noise(names):
    grey = np.full((60, 60, 3), 0.5)
    noise = names["changed"](grey, "Gaussian noise", -0.2, PLACE, "bilinear", None) - grey
    assert abs(noise.mean()) < 3e-3 and abs(noise.std() - 0.1) < 3e-3
    specks = names["changed"](grey, "salt and pepper", 0.3, PLACE, "bilinear", None)
    assert (specks == specks[..., :1]).all()
    for value, share in ((0, 0.15), (1, 0.15), (0.5, 0.7)):
        assert abs((specks == value).mean() - share) < 0.03


def check_erasing(names):
    for strength, place in ((0.5, (30, 30)), (1.0, (0, 59)), (-0.1, (59, 2))):
        box = names["changed"](np.full((60, 60, 3), 2.0), "random erasing", strength, place, "nearest", None)
        inside = box != 2
        assert inside.mean() == pytest.approx(0.4 * abs(strength), rel=0.06)
        assert box[inside].min() >= 0 and box[inside].max() < 1 and box[inside].std() > 0.2
        rows, columns = inside.any((1, 2)).sum(), inside.any((0, 2)).sum()
        assert columns == pytest.approx(2 * rows, abs=1.5)


CHECKS = {"changes": check_changes, "noise": check_noise, "erasing": check_erasing}


@pytest.mark.parametrize("check", CHECKS)
def test_each_augmentation_is_the_packages(check):
    CHECKS[check](vars(rules))


FAULTS = {
    "turned clockwise": ("changes", "return cos, -sin, 0, sin, cos, 0", "return cos, sin, 0, -sin, cos, 0"),
    "scaled the other way": (
        "changes",
        "3.0**-strength, 0, 0, 0, 3.0**-strength",
        "3.0**strength, 0, 0, 0, 3.0**-strength",
    ),
    "weights exchanged": (
        "changes",
        "(top, left, (1 - down) * (1 - right))",
        "(top, left, down * (1 - right))",
    ),
    "edge repeated": ("changes", "(weight * inside)[..., None]", "weight[..., None]"),
    "contrast by pixel": ("changes", 'if kind == "contrast":', 'if kind == "contrast" and strength > 9:'),
    "hue of five sixths": ("changes", "start + 6 * turns", "start + 5 * turns"),
    "cutout not clipped evenly": ("changes", "for by in (-half, half)]", "for by in (-half, half + 1)]"),
    "specks by channel": ("noise", "picture.shape[:2])\n    amount", "picture.shape[:2]) * 0.9\n    amount"),
    "noise twice as strong": ("noise", "strength / 2 * noise", "strength * noise"),
    "erasing over the edge": (
        "erasing",
        "top = max(0, min(side - high, place[0] - high // 2))",
        "top = place[0]",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, *edit = FAULTS[fault]
    with pytest.raises((AssertionError, ValueError)):
        CHECKS[check](edited(rules, *edit))


def test_the_axis_of_the_colours_is_the_packages():
    figure = made()
    values, axes = color_components(torch.tensor(figure.picture()).permute(2, 0, 1)[None])
    ours, theirs = np.array(figure.spec["axes"][0]), (values[0] * axes[:, 0]).numpy()
    assert np.allclose(ours, theirs * np.sign(theirs.sum()), atol=1e-5) and ours.sum() > 0
    shifted = rules.changed(figure.picture() / 2 + 0.25, "PCA colour", 0.4, PLACE, "bilinear", ours)
    assert np.allclose(shifted - (figure.picture() / 2 + 0.25), 0.4 * ours)
