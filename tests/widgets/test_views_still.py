"""The still picture of Views: bars as high as the probabilities, the threshold, the arrow, both pictures."""

import re

import pytest

from dlbook.widgets.views_still import Desk
from tests.widgets.views_checks import views


def test_bars_are_as_high_as_the_probabilities():
    heights = [float(h) for h in re.findall(r'<rect [^>]* height="([\d.]+)" fill=', views().still())][:6]
    desk = Desk(960, 3)
    assert heights == pytest.approx([desk.tall * p for p in (0.02, 0.96, 0.02, 0.3, 0.5, 0.2)], abs=0.06)


def test_label_and_loss_are_told_or_where_it_ends():
    assert views().still().count(">label b, loss 0.693<") == 2
    below = views(start={"picture": "mistaken", "τ": 0.95}).still()
    assert below.count(">below τ: no label, loss 0<") == 2 and '#4fd1a5"/>' not in below


def test_pictures_are_those_of_the_state():
    one, other = views(), views(start={"picture": "mistaken", "strength": 0.0})
    assert one.pictures()[0] != other.pictures()[0] and one.pictures()[1] != other.pictures()[1]
    assert one.still().count("<image") == 4
