"""The still picture of Augmented: two pictures in two forms, the frame of the result, the pixels that answer."""

import re

from dlbook.widgets.augmented_still import AugmentedLayout, frame
from tests.widgets.augmented_checks import made


def test_two_forms_with_two_pictures():
    text = made().still()
    assert text.count("<image") == 4 and text.count("the result") == 2


def test_a_turned_frame_leans_and_an_unmoved_one_is_the_picture():
    assert frame("rotation", 0.0, 8) == "M0.00 0.00L8.00 0.00L8.00 8.00L0.00 8.00Z"
    assert frame("shift", 0.5, 8) == "M-2.00 0.00L6.00 0.00L6.00 8.00L-2.00 8.00Z"


def test_as_many_pixels_are_marked_as_answer():
    for strength, mode, count in ((0.15, "bilinear", 4), (0.15, "nearest", 1), (0.0, "bilinear", 1)):
        start = {"augmentation": "rotation", "strength": strength, "interpolation": mode}
        wide = made(start=start).still().split('"dls dls-narrow"')[0]
        assert len(re.findall("h1v1h-1Z", wide)) == count + 1  # and the one that asks


def test_both_pictures_fit_at_every_width():
    for width in (332, 380, 790, 960):
        layout = AugmentedLayout(width)
        assert layout.left > 0 and layout.right + layout.side < width and layout.side >= 145
