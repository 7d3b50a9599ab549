"""The still picture of Thinned: dropped units are crossed, every vote is a dot in the row of its class."""

import re

import pytest

from dlbook.widgets.thinned_still import CloudLayout, shifted
from tests.widgets.thinned_checks import thinned


def test_two_forms_with_a_cross_for_each_dropped_unit():
    figure = thinned()
    text, dropped = figure.still(), int((~figure.there()[0]).sum())
    assert dropped and text.count('stroke="var(--t)" stroke-width="1.5"') == 2 * dropped
    assert text.count("<image") == 2 and text.count('class="dls-orange"') == 2 * (12 - dropped)


def test_each_vote_stands_at_its_probability():
    figure = thinned()
    board, votes = CloudLayout(960), figure.votes()
    text = figure.still()
    for k in range(4):
        y = board.level(k, 4)
        dots = "".join(
            f"M{board.x(p):.1f} {y + shifted(v) * board.body / 4:.1f}h0" for v, p in enumerate(votes[:, k])
        )
        assert dots in text
    assert all(abs(shifted(v)) <= 0.3 for v in range(200))


def test_the_mean_comes_with_the_first_vote():
    bars = r'<path d="M[\d.]+ [\d.]+V[\d.]+" stroke="var\(--h\)"'
    assert len(re.findall(bars, thinned().still())) == 2 * 4
    assert not re.findall(bars, thinned(start={"thinned networks": 0}).still())


@pytest.mark.parametrize("width", [960, 380])
def test_everything_stands_within_the_picture(width):
    board = CloudLayout(width)
    assert board.left + board.size < board.columns[0] - 7 and board.columns[1] + 7 < board.names - 8
    assert board.names + 8 < board.start < board.stop < width
