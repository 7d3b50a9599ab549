"""Mixed's rules are the package's mixup and CutMix; seeded faults."""

import itertools
import sys

import numpy as np
import pytest
import torch

from dlbook.regularize import cutmix, mixup  # noqa: F401  (they load the modules below)
from dlbook.widgets import mixed_rule as module
from tests.seeded import edited
from tests.widgets.mixed_checks import pairs

CUTMIX, MIXUP = (sys.modules[f"dlbook.regularize.{name}"] for name in ("cutmix", "mixup"))
EYE = torch.eye(2, dtype=torch.float64)
OTHER = torch.tensor([1, 0])


def check_box(names) -> None:
    """Every box and every share is the package's, at every place and λ, odd sides too."""
    for side, weight in itertools.product((7, 8, 28), (0.0, 0.02, 0.3, 0.5, 0.75, 0.98, 1.0)):
        images = torch.zeros(2, 1, side, side, dtype=torch.float64)
        for row, column in ((0, 0), (side // 2, side // 2), (1, side - 1), (side - 1, 2)):
            where = CUTMIX.box(side, side, weight, (row, column))
            how = {"rule": "CutMix", "weight": weight, "row": row, "column": column}
            assert tuple(names["box"](side, weight, row, column)[1]) == where
            _, soft = CUTMIX.paste(images, EYE, OTHER, where)
            assert names["kept"](side, how) == pytest.approx(float(soft[0, 0]), abs=1e-12)


def check_mix(names) -> None:
    """Every mixture is the package's."""
    first, second = (picture[0].double() for picture in pairs()["a 0 and a 3"])
    batch = torch.stack([first, second])[:, None]
    for weight, row, column in itertools.product((0.0, 0.3, 0.8, 1.0), (0, 3), (1, 7)):
        how = {"weight": weight, "row": row, "column": column}
        blend = MIXUP.mix(batch, EYE, OTHER, weight)[0][0, 0]
        cut = CUTMIX.paste(batch, EYE, OTHER, CUTMIX.box(8, 8, weight, (row, column)))[0][0, 0]
        for rule, expected in (("mixup", blend), ("CutMix", cut)):
            found = names["mix"](first.numpy(), second.numpy(), {**how, "rule": rule})
            np.testing.assert_allclose(found, expected.numpy(), atol=1e-12)


def test_boxes_and_shares_are_the_packages():
    check_box(vars(module))


def test_mixtures_are_the_packages():
    check_mix(vars(module))


FAULTS = {
    "the box is not cut off": (check_box, "max(0, min(side, v))", "v"),
    "λ itself is the label": (
        check_box,
        "return 1 - (bottom - top) * (right - left) / side**2",
        "return how['weight']",
    ),
    "rows and columns exchanged": (
        check_box,
        "[row - half, row + half, column",
        "[column - half, row + half, column",
    ),
    "the side is 1 - λ, without the root": (check_box, "math.sqrt(1 - weight)", "(1 - weight)"),
    "λ for the second picture": (check_mix, 'how["weight"] * first', '(1 - how["weight"]) * first'),
    "the box out of the first picture": (check_mix, "= second[top", "= first[top"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, right, wrong = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(edited(module, right, wrong))
