"""What the still pictures of a dark stage share: powers of ten, the two forms, texts that cannot break the page."""

from types import SimpleNamespace

import numpy as np
import pytest

from dlbook.widgets.stage_still import page, power, signed


@pytest.mark.parametrize(("exponent", "text"), [(0, "1"), (1, "10¹"), (-6, "10⁻⁶"), (12, "10¹²")])
def test_powers_of_ten_are_raised(exponent, text):
    assert power(exponent) == text


def test_signed_values_are_blue_above_zero_and_red_below():
    pixels = signed(np.array([[2.0, -0.5], [0.0, 3.0]]), np.array([[254.6, 10.2], [0, 255]]))
    assert pixels.tolist() == [
        [[98, 180, 255, 255], [255, 136, 150, 10]],
        [[255, 136, 150, 0], [98, 180, 255, 255]],
    ]


def test_a_still_has_a_wide_and_a_narrow_form_with_one_description_each():
    figure = SimpleNamespace(title="<b>", description='"two"')
    text = page(figure, "rate 1", [(960, 400.4, "<g/>"), (380, 300, "<g/>")])
    assert text.count("<svg") == 2 and text.count('aria-label="&quot;two&quot;"') == 2
    assert 'class="dls dls-wide" role="img"' in text and 'viewBox="0 0 960 400"' in text
    assert "&lt;b&gt;" in text and "<b>" not in text and "(rate 1)" in text


def test_a_figure_without_choices_has_no_empty_brackets():
    figure = SimpleNamespace(title="t", description="d")
    assert "()" not in page(figure, "", [(1, 1, ""), (1, 1, "")])
