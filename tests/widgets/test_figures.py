"""The Python side of the three figures: shapes, values, limits, errors, the still picture."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import dlbook.widgets as widgets
from dlbook.widgets import STATE_LIMIT, Curve, Curves, Grid, Images, Stack, Step, Stepper
from dlbook.widgets import parameters as grid

X = np.linspace(-2, 2, 41)
TEXTS = {"title": "A title", "description": "What it shows."}


def slopes(**changes):
    """A figure of lines a * x + b over a and b."""
    a, b = np.array([1.0, 2.0, 4.0]), ["low", "high"]
    values = a[:, None, None] * X + np.array([0.0, 10.0])[:, None]
    arguments = {
        **TEXTS,
        "x": X,
        "parameters": {"a": a, "b": b},
        "curves": [
            Curve("line", values, np.broadcast_to(a[:, None, None], values.shape)),
            Curve("square", X**2, parameters=()),
        ],
        **changes,
    }
    return Curves(**arguments)


@pytest.mark.parametrize("a", [1.0, 2.0, 4.0])
@pytest.mark.parametrize(("b", "shift"), [("low", 0.0), ("high", 10.0)])
def test_a_curve_is_the_row_of_its_parameters(a, b, shift):
    figure = slopes(start={"a": a, "b": b})
    values, gradient = figure.curve("line")
    np.testing.assert_allclose(values, a * X + shift, atol=26 / 65534)
    np.testing.assert_allclose(gradient, a, atol=1e-4)
    assert figure.curve("square")[1] is None


def test_values_can_be_set_and_read():
    figure = slopes()
    assert figure.values == {"a": 2.0, "b": "low"}
    figure.values = {"a": 3.4}
    assert figure.values == {"a": 4.0, "b": "low"}
    figure.cursor = 0.123
    assert figure.cursor == 0.1
    figure.visible = ["square"]
    assert figure.visible == ["square"]
    with pytest.raises(ValueError, match="expected one of"):
        figure.values = {"b": "middle"}
    with pytest.raises(ValueError, match="no curve is called"):
        figure.visible = ["cube"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": [0, 0, 1]}, "ascending"),
        ({"x": [[0, 1]]}, "shape"),
        ({"x": X, "log_x": True}, "positive"),
        ({"title": " "}, "needs a title"),
        ({"description": ""}, "needs a description"),
        ({"parameters": {"a": [2, 1]}}, "ascending"),
        ({"parameters": {"a": []}}, "at least one"),
        ({"parameters": {"b": ["x", "x"]}}, "different choices"),
        ({"parameters": {"b": ["x", 1]}}, "mixture"),
        ({"start": {"c": 1}}, "unknown parameter"),
        ({"visible": ["no"]}, "no curve is called"),
        ({"curves": []}, "one or more curves"),
        ({"curves": [Curve("p", X), Curve("p", X)]}, "different names"),
        ({"curves": [Curve("p", X[:-1])]}, "as many as x"),
        ({"curves": [Curve("p", np.ones((3, 3, 41)))]}, "in the order of its axes"),
        ({"curves": [Curve("p", np.ones((3, 41)), parameters="c")]}, "unknown parameter"),
        ({"curves": [Curve("p", X, gradient=X[1:])]}, "shape of its values"),
        ({"curves": [Curve("p", X, panel=1)]}, "panel from 0 to 0"),
        ({"curves": [Curve("p", X)], "log_y": True}, "positive values"),
        ({"curves": [Curve("p", X + 3, gradient=X)], "log_y": True}, "may be negative"),
        ({"panels": ["a", "b"], "log_y": [True]}, "as many entries"),
        ({"y_range": (1, 0)}, "low < high"),
    ],
)
def test_curves_explains_what_is_wrong(changes, words):
    with pytest.raises(ValueError, match=words):
        slopes(**changes)


def test_too_much_state_is_refused_with_numbers_and_advice():
    noise = np.random.default_rng(0).random((40, 900))
    with pytest.raises(
        ValueError,
        match=r"\d+\.\d KiB of state .* may hold 60 KiB; largest: 'noise'.*fewer points \(x has 900\)",
    ):
        Curves(**TEXTS, x=np.arange(900), parameters={"a": np.arange(40)}, curves=[Curve("noise", noise)])


def test_state_is_never_larger_than_was_estimated():
    noise = np.random.default_rng(0).random((9, 900))
    figure = Curves(**TEXTS, x=np.arange(900), parameters={"a": np.arange(9)}, curves=[Curve("noise", noise)])
    estimate = (
        len(json.dumps(figure._esm))
        + len(json.dumps(figure._css))
        + len(json.dumps(figure.spec))
        + 1024
        + 4 * 22
    )
    assert figure.state_size() <= estimate <= STATE_LIMIT
    assert figure.state_size() > STATE_LIMIT / 2


def test_images_atlas_holds_every_frame_in_its_place():
    frames = np.random.default_rng(0).integers(0, 256, (3, 7, 5, 6), np.uint8)
    figure = Images(**TEXTS, parameters={"p": [1, 2, 3], "q": list("abcdefg")}, images={"noise": frames})
    entry = figure.spec["images"][0]
    atlas = np.array(Image.open(io.BytesIO(base64.b64decode(entry["atlas"].split(",")[1]))))
    for k, frame in enumerate(frames.reshape(-1, 5, 6)):
        row, column = divmod(k, entry["columns"])
        np.testing.assert_array_equal(atlas[row * 5 : row * 5 + 5, column * 6 : column * 6 + 6], frame)


def test_images_colours_follow_the_colormap_and_the_limits():
    import matplotlib

    figure = Images(
        **TEXTS, images={"ramp": Stack(np.array([[-1.0, 0.0, 1.0, 9.0]]), colormap="magma", limits=(0, 1))}
    )
    entry = figure.spec["images"][0]
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(entry["atlas"].split(",")[1]))).convert("RGB"))
    table = (matplotlib.colormaps["magma"](np.arange(256))[:, :3] * 255).round()
    np.testing.assert_array_equal(pixels[0], table[[0, 0, 255, 255]])
    assert (entry["bar"]["low"], entry["bar"]["high"]) == (0, 1)


def test_images_take_rgb_floats_and_captions_for_each_setting():
    rgb = torch.rand(2, 4, 4, 3)
    figure = Images(
        **TEXTS,
        parameters={"p": [1, 2]},
        images={"a": rgb, "b": torch.rand(4, 4)},
        captions=lambda v: f"p is {v['p']}",
    )
    assert figure.spec["captions"] == ["p is 1", "p is 2"]
    assert [e["parameters"] for e in figure.spec["images"]] == [["p"], []]


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ({}, "got nothing"),
        ({"a": np.ones((3, 4, 4))}, "name the parameters"),
        ({"a": np.ones((4,))}, "or 3 axes"),
        ({"a": np.full((2, 4, 4), np.nan)}, "finite"),
        ({"a": np.full((2, 4, 4, 3), 2.0)}, r"in \[0, 1\]"),
        ({"a": Stack(np.ones((2, 4, 4)), colormap="nope")}, "no colormap"),
        ({"a": Stack(np.ones((2, 4, 4)), limits=(2, 1))}, "limits"),
        ({"a": Stack(np.ones((2, 4, 4)), parameters="z")}, "unknown parameter"),
        (
            {"a": np.random.default_rng(0).integers(0, 256, (2, 200, 200, 3), np.uint8)},
            "KiB of state.*quality=75",
        ),
    ],
)
def test_images_explains_what_is_wrong(images, words):
    with pytest.raises(ValueError, match=words):
        Images(**TEXTS, parameters={"p": [1, 2]}, images=images)


def test_stepper_writes_numbers_as_asked():
    grids = [
        Grid("n", [[1.0, -2.5], [np.nan, np.inf]], digits=1, highlight=[(-1, 0)]),
        Grid("whole", torch.tensor([1, 2])),
        Grid("words", [["a", 1.25, None]]),
    ]
    figure = Stepper(**TEXTS, steps=[Step("One.", grids)])
    cells = [g["cells"] for g in figure.spec["steps"][0]["grids"]]
    assert cells == [[["1.0", "−2.5"], ["", "∞"]], [["1", "2"]], [["a", "1.25", ""]]]
    assert figure.spec["steps"][0]["grids"][0]["highlight"] == [[1, 0]]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([], "one Step or more"),
        ([Step("")], "caption in words"),
        ([Step("s", [Grid("g", [[[1]]])])], "2-D grid"),
        ([Step("s", [Grid("g", [[1, 2]], columns=["a"])])], "expected 2 labels in columns"),
        ([Step("s", [Grid("g", [[1, 2]], rows=["a", "b"])])], "expected 1 labels in rows"),
        ([Step("s", [Grid("g", [[1, 2]], highlight=[(0, 2)])])], "cannot highlight cell"),
        ([Step("s", [Grid("g", np.random.rand(80, 80))])], "KiB of state.*fewer steps"),
    ],
)
def test_stepper_explains_what_is_wrong(steps, words):
    with pytest.raises(ValueError, match=words):
        Stepper(**TEXTS, steps=steps)


def test_stepper_keeps_to_its_steps():
    figure = Stepper(**TEXTS, steps=[Step("a"), Step("b")], start=1)
    with pytest.raises(ValueError, match="expected 0 to 1"):
        figure.step = 2
    with pytest.raises(ValueError, match="autoplay"):
        Stepper(**TEXTS, steps=[Step("a")], autoplay=0.1)


def test_bundle_has_the_view_the_still_picture_and_words():
    data, _ = slopes(title="<b>&")._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] in data["text/html"]
    assert "&lt;b&gt;&amp;" in data["text/html"] and "<b>&" not in data["text/html"]
    assert data["text/html"].count("<svg") == 1 and "What it shows." in data["text/plain"]


def test_still_picture_of_images_shows_the_starting_frame_with_a_name():
    frames = np.stack([np.zeros((3, 3), np.uint8), np.full((3, 3), 200, np.uint8)])
    still = Images(**TEXTS, parameters={"p": [1, 2]}, images={"a": frames}, start={"p": 2}).still()
    data = re.search(r'src="data:image/png;base64,([^"]+)"', still)[1]
    assert np.array(Image.open(io.BytesIO(base64.b64decode(data)))).tolist() == [[200] * 3] * 3
    assert 'alt="a, p 2"' in still


def test_every_setting_runs_the_last_parameter_fastest():
    assert [tuple(s.values()) for s in grid.every_setting({"a": [1, 2], "b": ["x", "y"]})] == [
        (1, "x"),
        (1, "y"),
        (2, "x"),
        (2, "y"),
    ]


@pytest.mark.parametrize("path", sorted(Path(widgets.__file__).parent.iterdir()), ids=lambda p: p.name)
def test_files_stay_short(path):
    if path.suffix in {".py", ".js", ".css"}:
        assert len(path.read_text("utf8").splitlines()) < 300


def test_module_text_is_one_module():
    for figure in (Curves, Images, Stepper):
        assert "import " not in str(figure._esm) and str(figure._esm).count("export ") == 1
        assert "</script" not in str(figure._esm) and "<!--" not in str(figure._esm)
