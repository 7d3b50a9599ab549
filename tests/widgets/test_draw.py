"""Draw's Python side: what travels, and errors.

Seeded fault, tried: a count of other bytes than the script's is seen.
"""

import base64
import hashlib
import json
import zlib

import numpy as np
import pytest
import torch

from dlbook.browser import digit_networks as site
from tests.widgets.draw_checks import made, networks, samples


@pytest.fixture(scope="module")
def figure():
    return made()


def test_the_state_is_small_with_room_for_a_pages_words(figure):
    own = len(figure.title) + len(figure.description)
    assert figure.state_size() - own + 500 <= 61_440


def test_the_script_has_the_bytes_that_the_figure_expects(figure):
    texts, _ = networks()
    variable, data, _ = site.script(texts).split('"')
    held = zlib.decompress(base64.b64decode(data))
    told = figure.spec["file"]
    assert variable == f"globalThis.{told['variable']}=" and len(held) == told["count"]
    assert hashlib.sha256(held).hexdigest() == told["sha256"]
    assert json.loads(held) == {name: json.loads(text) for name, text in texts.items()}


def test_the_samples_travel_with_sixteen_levels(figure):
    held = np.frombuffer(zlib.decompress(base64.b64decode(figure.spec["samples"])), np.uint8)
    images, labels = samples()
    assert (held.reshape(images.shape) / 15 - images.numpy()).__abs__().max() <= 1 / 30 + 1e-6
    assert figure.spec["parameters"]["sample"] == [str(label) for label in labels.tolist()]


def test_a_notebook_gets_the_networks_when_it_asks(figure, monkeypatch):
    sent = []
    monkeypatch.setattr(type(figure), "send", lambda self, content: sent.append(content))
    figure._answer(None, {"ask": "digits"}, [])
    figure._answer(None, {"ask": "networks"}, [])
    assert len(sent) == 1 and sent[0]["networks"] in site.script(networks()[0])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"networks": {"ConvNet": "{}"}}, "expected ConvNet and transformer, got ConvNet; give these two"),
        ({"labels": torch.tensor([1, 1, 2, 3])}, "expected samples of different digits"),
        ({"title": ""}, "expected a title"),
        ({"start": {"network": "perceptron"}}, "perceptron"),
    ],
)
def test_what_does_not_fit_is_explained(changes, words):
    with pytest.raises(ValueError, match=words):
        made(**changes)
