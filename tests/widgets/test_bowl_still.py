"""The still picture of Bowl: the last balls, the floor as wide as the bowl there, a run that diverged."""

import math
import re

import pytest

from dlbook.widgets.bowl_still import Ground
from tests.widgets.bowl_checks import TEXTS, bowl


def test_floor_is_as_wide_as_the_bowl_at_its_loss():
    figure = bowl()
    ground = Ground(960, figure.spec)
    width = float(re.search(r'fill-opacity="0.4"[^/]* rx="([\d.]+)"', figure.still())[1])
    assert width == pytest.approx(math.sqrt(2 * figure.floor(0.5)) * ground.scale, abs=0.1)


def test_every_point_of_a_ring_has_its_loss():
    ground = Ground(960, bowl(curvatures=(1.0, 0.5), rim=20).spec)
    x, y, wide, far = ground.ring(4.0)
    side, near = ground.place(math.sqrt(8.0), 0.0), ground.place(0.0, 4.0)
    assert side == pytest.approx((x + wide, y)) and near == pytest.approx((x, y + far))


def test_still_shows_the_last_balls_the_floor_and_the_word_diverged():
    still = bowl(shown=20).still()
    assert still.count('r="3"') == 2 * 19 and still.count(">floor 0.167<") == 2 and TEXTS["title"] in still
    assert ">diverged<" not in still
    gone = bowl(start_rate=2.2).still()
    assert gone.count(">diverged<") == 2 and "floor 0" not in gone
