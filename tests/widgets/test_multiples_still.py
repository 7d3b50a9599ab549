"""The still picture of Multiples: both forms, the numbers at x, flat curves, and jumps as gaps."""

import re

from tests.widgets.multiples_checks import multiples


def test_both_forms_hold_all_names_and_numbers():
    still = multiples().still()
    for text in ("line", "square", "ramp"):
        assert still.count(f">{text}</text>") == 2
    assert still.count(">0.5</text>") == 2 * 3 and "flat" not in still


def test_a_flat_curve_says_so():
    assert multiples(cursor=-1.0).still().count(">0, flat</text>") == 2


def test_a_jump_leaves_a_gap_and_no_slanted_line():
    slopes = re.findall(r'stroke="var\(--o\)" stroke-dasharray="5 4" d="([^"]+)"', multiples().still())
    assert [path.count("M") for path in slopes[:3]] == [1, 1, 2]
