"""The still picture of Mixed: box before and after it is cut off, curves along λ."""

import numpy as np
import pytest

from dlbook.widgets.mixed_still import MixedLayout, curves
from tests.widgets.mixed_checks import mixed


def test_two_forms_with_both_boxes_for_cutmix_alone():
    text = mixed().still()
    assert text.count("<image") == 2 and text.count('stroke="var(--o)" stroke-dasharray="5 4"') == 2
    assert text.count('stroke="var(--o)" stroke-width="2.5"') == 2
    blended = mixed(start={"rule": "mixup"}).still()
    assert blended.count("<image") == 2 and 'dasharray="5 4"' not in blended


def test_curves_are_both_classes_the_best_other_and_the_label():
    figure = mixed()
    a, b, other, asked = curves(figure, "plain")
    probs = figure.along("plain")
    assert (a == probs[:, 0]).all() and (b == probs[:, 3]).all()
    assert (other == np.maximum(probs[:, 1], probs[:, 2])).all()
    assert asked[0] == figure.kept(0.0) > 0 and asked[-1] == 1  # a box at the edge never covers all


def test_the_curves_stand_at_their_heights():
    figure = mixed()
    desk, text = MixedLayout(960, 2), figure.still()
    for m, name in enumerate(("plain", "with mixup")):
        p = curves(figure, name)[0][0]
        assert f'stroke="var(--b)" d="M{desk.x(m, 0):.1f} {desk.y(p):.1f}L' in text


@pytest.mark.parametrize("width", [960, 380])
def test_everything_stands_within_the_picture(width):
    desk = MixedLayout(width, 2)
    assert desk.left >= 0 and desk.left + desk.size < width and desk.x(1, 1) < width
    assert desk.x(0, 1) + 20 < desk.x(1, 0) and desk.low < desk.height
    assert not desk.wide or desk.left + desk.size < desk.x(0, 0)
