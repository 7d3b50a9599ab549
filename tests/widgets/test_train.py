"""Train's Python side: torch's curves, the answers, what travels, and errors.

Seeded faults, tried: an end that counts as slower as soon as it is above the healthy one is seen here; curves of
another seed than the page's are seen in `test_train_on_page`.
"""

import base64
import json
import math
import zlib

import pytest
import torch

from dlbook.browser import digits
from dlbook.widgets.train import CHOICES, Fault, outcome
from tests.widgets.train_checks import made, script


@pytest.fixture(scope="module")
def figure():
    return made()


@pytest.mark.parametrize(
    ("end", "answer"),
    [(0.5, 0), (0.74, 0), (0.8, 1), (1.9, 1), (2.3, 2), (3.1, 3), (math.nan, 3), (math.inf, 3)],
)
def test_the_end_of_a_curve_is_one_of_the_choices(end, answer):
    assert outcome([9.0] * 10 + [end] * 10, healthy=0.5) == answer


def test_every_fault_has_its_curve_and_its_answer(figure):
    names = ["nothing", "no shortcut", "labels", "sigmoid", "flat"]
    assert list(figure.curves) == figure.spec["parameters"]["broken"] == names
    assert len({tuple(curve) for curve in figure.curves.values()}) == len(names)
    means = {name: torch.tensor(curve[-10:]).mean().item() for name, curve in figure.curves.items()}
    assert figure.ends == pytest.approx(means)
    assert figure.answer("labels") in CHOICES and len(figure.spec["answers"]) == len(names)


def test_the_state_is_small(figure):
    assert figure.state_size() <= 61_440


def test_curves_travel_with_four_digits(figure):
    run = json.loads(zlib.decompress(base64.b64decode(figure.spec["run"])))
    for told, curve in zip(run["curves"], figure.curves.values()):
        assert told == pytest.approx(curve, rel=1e-3)


def test_a_notebook_gets_the_digits_when_it_asks(figure, monkeypatch):
    sent = []
    monkeypatch.setattr(type(figure), "send", lambda self, content: sent.append(content))
    figure._answer(None, {"ask": "something"}, [])
    figure._answer(None, {"ask": "digits"}, [])
    assert len(sent) == 1 and digits.NAME in script() and sent[0]["digits"] in script()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"side": 20}, "expected side to be 14 or 28, got 20; the page's digits"),
        ({"title": ""}, "expected a title"),
        ({"schedule": [1.0, 0.5]}, "expected 8 factors of a schedule, got 2; give one a step"),
        ({"start": "everything"}, "everything"),
        (
            {"model": torch.nn.Sequential(torch.nn.ELU(), torch.nn.Flatten())},
            "expected operations of the engine",
        ),
    ],
)
def test_what_does_not_fit_is_explained(changes, words):
    with pytest.raises(ValueError, match=words):
        made(**changes)


def test_a_fault_needs_no_change():
    assert Fault("Nothing is broken.").change == {}
