"""Layers: what travels of every strength, and what does not fit.

Seeded faults, tried: a run counts as diverged only where both halves lost every layer.
"""

import base64
import zlib

import numpy as np
import pytest

from dlbook.widgets import History, Layers
from tests.widgets.layers_checks import DIGITS, RATES, TEXTS, fading


def test_strengths_are_kept_to_a_sixth_of_a_power_of_ten():
    values = 10.0 ** np.random.default_rng(0).uniform(-6, 0, (5, 7))
    figure = Layers(**TEXTS, signal=values, gradient=-values)
    for part in ("signal", "gradient"):
        assert np.abs(np.log10(figure.strengths(part) / values)).max() <= 1 / 6 + 1e-9


def test_each_setting_layer_and_unit_travels_in_its_place():
    figure = fading()
    packed = np.frombuffer(zlib.decompress(base64.b64decode(figure.spec["levels"])), np.uint8)
    bytes_ = packed.reshape(2, len(RATES), len(DIGITS), 4, 3)
    assert bytes_[0, 1, 0, :, 0].tolist() == [18, 15, 12, 9]  # three steps for each tenth, from 10^-6
    assert bytes_[0, 0, 1, :, 0].tolist() == [18, 12, 6, 0]
    assert bytes_[1, 1, 0, :, 0].tolist() == [9, 12, 15, 18]
    assert (bytes_[:, 2] == 255).all() and bytes_[0, 0, 0, 3].tolist() == [9, 9, 255]


def test_a_layer_without_any_number_makes_the_whole_setting_diverge():
    values = np.ones((3, 2, 4, 3))
    values[1, 0, 2] = np.nan  # the first layers may still hold numbers
    values[1, 1, 2, 0] = np.nan  # one unit alone is one that is not there
    figure = fading(signal=np.ones_like(values), gradient=values, start={"rate": 0.1})
    assert np.isnan(figure.strengths("signal")).all() and np.isnan(figure.strengths("gradient")).all()
    figure.values = {"digit": "2"}
    assert np.isnan(figure.strengths("gradient")).sum() == 1


def test_strengths_beyond_the_scale_stay_at_its_ends():
    figure = Layers(**TEXTS, signal=[[1e-9, 0.0], [50.0, 1.0]], gradient=np.ones((2, 2)))
    assert figure.strengths("signal").tolist() == [[1e-6, 1e-6], [1, 1]]


def test_end_of_a_history_is_the_mean_of_its_last_ten_steps_and_a_broken_run_has_none():
    ends = fading().spec["history"]["ends"]
    assert ends == [2.3, float(f"{np.linspace(2.3, 0.5, 20)[-10:].mean():.3g}"), None]


def test_an_exploded_but_finite_loss_keeps_its_number():
    figure = fading(history=History("loss", np.full((3, 20), 64.4), (2.3, "guessing"), 3, ("rate",)))
    assert figure.spec["history"]["ends"] == [64.4] * 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"signal": np.ones((2, 3))},
            r"expected the axes \(rate, digit, layers, units\), got shape \(2, 3\)",
        ),
        ({"signal": np.ones((2, 2, 4, 3))}, "rate: 3"),
        ({"signal": np.ones((3, 2, 1, 3))}, "two layers or more"),
        ({"signal": np.ones((3, 2, 4, 5))}, "signal and gradient of one shape"),
        ({"decades": (0, -6)}, "swap them"),
        ({"pictures": ("digit", [np.ones((2, 2))])}, "one image for each value"),
        ({"pictures": ("rate", [np.ones((2, 2))] * 3)}, "a parameter of strings"),
        ({"outputs": range(4)}, "3 names or fewer, got 4"),
        ({"shortcuts": ("digit", "9")}, "one of its values"),
        ({"history": History("loss", np.ones((2, 9)), (1, "a"), 3, ("rate",))}, "history.*rate: 3"),
    ],
)
def test_layers_explain_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        fading(**changes)


def test_too_many_units_are_refused_with_the_counts():
    noise = 10.0 ** np.random.default_rng(0).uniform(-6, 0, (3, 2, 40, 400))
    with pytest.raises(ValueError, match=r"400 a layer.*rate has 3"):
        fading(signal=noise, gradient=noise, outputs=())
