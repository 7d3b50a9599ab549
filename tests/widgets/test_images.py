"""Images: every frame in its place of the atlas, colours and limits, captions, and what does not fit."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from dlbook.widgets import Images, Stack
from tests.widgets.curves_checks import TEXTS


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
        ({"a": Stack(np.ones((2, 4, 4)), colormap="nope")}, "colormap of matplotlib.*nope"),
        ({"a": Stack(np.ones((2, 4, 4)), limits=(2, 1))}, "limits"),
        ({"a": Stack(np.ones((2, 4, 4)), parameters="z")}, "got the unknown"),
        (
            {"a": np.random.default_rng(0).integers(0, 256, (2, 200, 200, 3), np.uint8)},
            "KiB of state.*quality=75",
        ),
    ],
)
def test_images_explains_what_is_wrong(images, words):
    with pytest.raises(ValueError, match=words):
        Images(**TEXTS, parameters={"p": [1, 2]}, images=images)


def test_still_picture_of_images_shows_the_starting_frame_with_a_name():
    frames = np.stack([np.zeros((3, 3), np.uint8), np.full((3, 3), 200, np.uint8)])
    still = Images(**TEXTS, parameters={"p": [1, 2]}, images={"a": frames}, start={"p": 2}).still()
    data = re.search(r'src="data:image/png;base64,([^"]+)"', still)[1]
    assert np.array(Image.open(io.BytesIO(base64.b64decode(data)))).tolist() == [[200] * 3] * 3
    assert 'alt="a, p 2"' in still
