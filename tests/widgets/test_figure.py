"""What all figures share: the limit on the state, the bundle of a notebook's cell, the text of the module."""

import json
from pathlib import Path

import numpy as np
import pytest

from dlbook import widgets
from dlbook.widgets import STATE_LIMIT, Curve, Curves, Images, Stepper
from dlbook.widgets import figure as module
from dlbook.widgets.figure import style_text
from tests.seeded import edited
from tests.widgets.curves_checks import TEXTS, slopes


def test_too_much_state_is_refused_with_numbers_and_advice():
    noise = np.random.default_rng(0).random((40, 900))
    with pytest.raises(
        ValueError,
        match=r"at most 60 KiB .* got \d+\.\d KiB of state .*; largest: 'noise'.*fewer points \(x has 900\)",
    ):
        Curves(**TEXTS, x=np.arange(900), parameters={"a": np.arange(40)}, curves=[Curve("noise", noise)])


def test_state_is_never_larger_than_was_estimated():
    noise = np.random.default_rng(0).random((9, 800))
    figure = Curves(**TEXTS, x=np.arange(800), parameters={"a": np.arange(9)}, curves=[Curve("noise", noise)])
    estimate = (
        len(json.dumps(figure._esm))
        + len(json.dumps(figure._css))
        + len(json.dumps(figure.spec))
        + 1024
        + len(json.dumps([figure.title, figure.description]))
    )
    assert figure.state_size() <= estimate <= STATE_LIMIT
    assert figure.state_size() > STATE_LIMIT / 2


def test_bundle_has_the_view_the_still_picture_and_words():
    data, _ = slopes(title="<b>&")._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] in data["text/html"]
    assert "&lt;b&gt;&amp;" in data["text/html"] and "<b>&" not in data["text/html"]
    assert data["text/html"].count("<svg") == 1 and "What it shows." in data["text/plain"]


def test_module_text_is_one_module():
    for figure in (Curves, Images, Stepper):
        assert "import " not in str(figure._esm) and str(figure._esm).count("export ") == 1
        assert "</script" not in str(figure._esm) and "<!--" not in str(figure._esm)


def test_style_text_has_no_comments():
    text = style_text("figure.css", "curves.css")
    assert "/*" not in text and "\n\n" not in text and text.count("{") == text.count("}") > 5


@pytest.mark.parametrize("path", sorted(Path(widgets.__file__).parent.iterdir()), ids=lambda p: p.name)
def test_files_stay_short(path):
    if path.suffix in {".js", ".css"}:
        assert len(path.read_text("utf8").splitlines()) < 300


def check_limit(module) -> None:
    """A figure of exactly the limit is taken, one with a byte more is not. Texts count as the page has them:
    a Greek letter travels as six bytes.
    """

    class Plain(module["Figure"]):
        _esm, _css = "export default {}", "p{}"

    assert module["STATE_LIMIT"] == 61_440
    code = len(json.dumps(Plain._esm)) + len(json.dumps(Plain._css)) + 1024
    for text, bytes_of_text in (("a" * 1500, 1502), ("\u03b1" * 1500, 9002)):
        rest = code + len('["Title", ]') + bytes_of_text + len('{"text": ""}')
        spec = {"text": "x" * (61_440 - rest)}
        assert Plain("Title", text, spec).state_size() <= 61_440
        with pytest.raises(ValueError, match="at most 60 KiB"):
            Plain("Title", text, {"text": spec["text"] + "x"})


LIMIT_FAULTS = {
    "refused at the limit": ("if size <= STATE_LIMIT:", "if size < STATE_LIMIT:"),
    "a byte more": ("if size <= STATE_LIMIT:", "if size <= STATE_LIMIT + 1:"),
    "letters for bytes": ("len(json.dumps([title, description]))", "len(title) + len(description) + 8"),
    "texts are not counted": (" + texts\n", "\n"),
    "code is not counted": ("size = code + data", "size = data"),
    "the start is not counted": ("code + data + _OVERHEAD", "code + data"),
}


def test_the_limit_itself():
    check_limit(vars(module))


@pytest.mark.parametrize("fault", LIMIT_FAULTS)
def test_the_check_sees_another_limit(fault):
    old, new = LIMIT_FAULTS[fault]
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        check_limit(edited(module, old, new))
