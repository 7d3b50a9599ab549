"""The still picture of Layers: every unit in its light, the picture that goes in, a run that diverged."""

import re

from tests.widgets.layers_checks import fading


def test_still_picture_has_a_wide_and_a_narrow_form_with_every_unit_and_the_chosen_picture():
    still = fading().still()
    forms = re.findall(r"<svg.*?</svg>", still, re.DOTALL)
    assert [len(re.findall("dls-unlit", form)) for form in forms] == [2 * 4 * 3 - 2] * 2
    assert [len(re.findall("<image", form)) for form in forms] == [1, 0]
    lit = [float(text) for text in re.findall(r'dls-blue" [^>]*fill-opacity="([\d.]+)"', forms[0])]
    assert lit[0] == 1 and lit[0] > lit[3] > lit[6] > lit[9] > 0  # three units a layer
    assert "rate 0.1, digit 7" in still and "What it shows." in still


def test_still_picture_of_a_run_that_diverged_says_so():
    assert ">diverged<" in fading(start={"rate": 3.0}).still()
    assert ">diverged<" not in fading().still()
