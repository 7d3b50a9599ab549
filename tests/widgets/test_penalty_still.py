"""The still picture of Penalty: one cost on the region's border, one loss on an ellipse, marks in place."""

import re

import numpy as np
import pytest

from dlbook.widgets import penalty_still as module
from dlbook.widgets.penalty_still import PenaltyLayout
from tests.widgets.penalty_checks import CURVATURE, TEXTS, penalty


def check_region():
    for share in (0, 0.3, 1):
        for bound in (0.1, 0.9):
            w = module.region(share, bound)
            costs = share * np.abs(w).sum(1) + (1 - share) * (w**2).sum(1)
            np.testing.assert_allclose(costs, bound, rtol=1e-9)


def check_ellipse():
    h, m = np.array(CURVATURE), np.array([0.2, -0.4])
    for loss in (0.05, 0.7):
        off = module.ellipse(h, m, loss) - m
        np.testing.assert_allclose(((off @ h) * off).sum(1) / 2, loss, rtol=1e-9)


def test_the_region_s_border_has_one_cost():
    check_region()


def test_an_ellipse_has_one_loss():
    check_ellipse()


def test_the_minimum_stands_in_its_place_and_is_told():
    figure = penalty(start={"share of L1": 1, "λ": 0.3})
    w = figure.minimiser()
    x, y = PenaltyLayout(960).place(*w)
    still = figure.still()
    assert f'cx="{x:.1f}" cy="{y:.1f}"' in still and TEXTS["title"] in still
    said = re.search(r">w1 = ([^,]+), w2 = ([^<]+)<", still)
    assert float(said[1]) == pytest.approx(w[0], abs=5e-4) and said[2] == "0"


def diamond_only(share, bound):
    return region(1, bound)


def half_the_loss(curvature, minimum, loss):
    return ellipse(curvature, minimum, loss / 2)


region, ellipse = module.region, module.ellipse


@pytest.mark.parametrize(
    ("name", "broken", "check"),
    [("region", diamond_only, check_region), ("ellipse", half_the_loss, check_ellipse)],
)
def test_the_check_sees_the_fault(name, broken, check, monkeypatch):
    monkeypatch.setattr(module, name, broken)
    with pytest.raises(AssertionError):
        check()
