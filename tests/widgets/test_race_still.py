"""The still picture of Race: every ball, the rings, and both charts."""

from dlbook.widgets import race_rules
from tests.widgets.race_checks import race


def test_still_shows_every_ball_the_rings_and_both_charts():
    still = race().still()
    assert still.count(race().spec["surfaces"]["ravine"]["rings"][0]) == 2
    assert all(still.count(f">{name}<") == 2 for name in race_rules.METHODS)
    assert "ravine, momentum at the rate 0.01" in still
    alone = race(chosen={"others": "hidden"}).still()
    assert alone.count('class="dls-line"') == 6 < still.count('class="dls-line"')
