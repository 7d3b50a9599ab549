"""Figures stay legible in light and in the inverted dark, also for colour-blind eyes."""

import colorsys
import re
from pathlib import Path

import numpy as np
import pytest

from dlbook import widgets
from dlbook.book import style

LIGHT, DARK = (255, 255, 255), (18, 18, 18)  # the theme's pages


def luminance(rgb):
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def in_the_dark(rgb):
    """The page's filter, invert(.93) hue-rotate(180deg), by the matrices of the CSS filter specification."""
    inverted = np.array([0.93 * 255 - 0.86 * value for value in rgb])
    turn = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])
    return np.clip(turn @ inverted, 0, 255)


def rgb_of(colour):
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


@pytest.mark.parametrize("colour", style.CYCLE)
def test_every_line_is_visible_on_both_pages(colour):
    assert contrast(rgb_of(colour), LIGHT) >= 3
    assert contrast(in_the_dark(rgb_of(colour)), DARK) >= 3


def test_text_is_legible_on_both_pages():
    assert contrast(rgb_of(style.INK), LIGHT) >= 7 and contrast(in_the_dark(rgb_of(style.INK)), DARK) >= 7


def colour_blind(rgb):
    """Deuteranopia, by the matrix of Machado, Oliveira and Fernandes 2009, full severity, on linear light."""
    linear = np.array([(v / 255) ** 2.2 for v in rgb])
    matrix = np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    )
    return 255 * np.clip(matrix @ linear, 0, 1) ** (1 / 2.2)


def test_neighbours_of_the_cycle_differ_for_colour_blind_eyes():
    seen = [colour_blind(rgb_of(colour)) for colour in style.CYCLE]
    for first, second in zip(seen, seen[1:], strict=False):
        assert np.abs(first - second).max() > 30


@pytest.mark.parametrize("name", ["signal", "gradient", "label", "data"])
def test_a_name_is_one_hue_in_charts_and_in_widgets(name):
    sheet = (Path(widgets.__file__).parent / "figure.css").read_text("utf8")
    slot = re.search(rf"--dlw-{name}: var\(--dlw-(c\d)\)", sheet)[1]
    shades = re.findall(rf"--dlw-{slot}: (#[0-9a-f]{{6}})", sheet)
    hues = [hue(rgb_of(colour)) for colour in (getattr(style, name.upper()), *shades)]
    assert len(hues) == 4  # chart, light, dark, print
    assert max(hues) - min(hues) < 0.07, hues


def hue(rgb):
    return colorsys.rgb_to_hsv(*(value / 255 for value in rgb))[0]
