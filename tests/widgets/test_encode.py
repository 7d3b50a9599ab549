"""Quantisation, compression and pictures: what arrives on the page is what Python had."""

import base64
import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dlbook.widgets import encode

finite = st.floats(-1e6, 1e6, allow_nan=False, width=32)


@settings(max_examples=60, deadline=None)
@given(st.lists(finite, min_size=1, max_size=300))
def test_error_is_at_most_half_a_step(values):
    packed = encode.pack(values)
    step = (packed["high"] - packed["low"]) / encode.LEVELS
    error = np.abs(encode.unpack(packed) - np.array(values))
    assert error.max() <= step / 2 * (1 + 1e-6) + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1e-8, 1e8), min_size=1, max_size=100))
def test_logarithmic_code_keeps_the_relative_error_small(values):
    packed = encode.pack(values, log=True)
    decades = packed["high"] - packed["low"]
    relative = np.abs(encode.unpack(packed) / np.array(values) - 1)
    assert relative.max() <= 10 ** (decades / encode.LEVELS / 2) - 1 + 1e-9


def test_gaps_stay_gaps():
    values = np.array([[0.0, np.nan, 2.0], [np.inf, 1.0, -np.inf]])
    back = encode.unpack(encode.pack(values))
    assert back.shape == (2, 3)
    assert np.isnan(back).tolist() == [[False, True, False], [True, False, True]]
    np.testing.assert_allclose(back[[0, 0, 1], [0, 2, 1]], [0, 2, 1], atol=1e-4)


def test_a_constant_is_exact():
    assert encode.unpack(encode.pack([0.3, 0.3])).tolist() == [0.3, 0.3]


@pytest.mark.parametrize("seeded_fault", ["no cumulative sum", "bytes the wrong way round", "half the range"])
def test_the_bound_catches_a_wrong_decoder(seeded_fault, monkeypatch):
    values = np.sin(np.linspace(0, 9, 200))
    packed = encode.pack(values)
    if seeded_fault == "no cumulative sum":
        monkeypatch.setattr(encode.np, "cumsum", lambda a, dtype: a.astype(dtype))
    elif seeded_fault == "bytes the wrong way round":
        packed["data"] = base64.b64encode(
            encode.zlib.compress(encode.zlib.decompress(base64.b64decode(packed["data"]))[::-1])
        ).decode()
    else:
        packed["high"] = packed["high"] / 2
    assert np.abs(encode.unpack(packed) - values).max() > (values.max() - values.min()) / encode.LEVELS


def test_smooth_curves_are_stored_in_less_than_half_of_two_bytes_a_value():
    values = np.tanh(np.linspace(-5, 5, 401))[None] * np.linspace(0.1, 2, 20)[:, None]
    assert len(encode.pack(values)["data"]) < values.size


@pytest.mark.parametrize(
    "values",
    [
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.tensor([1.0, 2.0], dtype=torch.bfloat16),
        torch.tensor([1, 2]),
        torch.tensor([1.0, 2.0], dtype=torch.float16),
        np.array([1, 2], np.uint8),
        [1, 2],
        (1.0, 2.0),
        [np.float32(1), 2],
    ],
)
def test_tensors_arrays_and_lists_are_accepted(values):
    assert encode.to_array(values).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "words"), [([[1, 2], [3]], "differ in length"), (["a"], "expected numbers")]
)
def test_what_is_no_array_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        encode.to_array(values)


@pytest.mark.parametrize(
    ("values", "log", "words"), [([np.nan], False, "finite"), ([1.0, 0.0], True, "positive")]
)
def test_what_cannot_be_packed_is_refused(values, log, words):
    with pytest.raises(ValueError, match=words):
        encode.pack(values, log)


def test_a_png_address_holds_the_exact_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    address = encode.data_uri(Image.fromarray(pixels))
    head, data = address.split(",")
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(base64.b64decode(data)))), pixels)


def test_webp_is_smaller_than_png():
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    picture = Image.fromarray(pixels)
    assert len(encode.data_uri(picture, 60)) < len(encode.data_uri(picture)) / 2
