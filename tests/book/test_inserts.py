"""Inserted numbers: what they accept, the spread of several, and what they tell where they cannot."""

import numpy as np
import pytest
import torch

from dlbook.book.inserts import as_text, insert


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (24.67, "{:.1f} %", "24.7 %"),
        (25_557_032, "{:,}", "25,557,032"),
        (torch.tensor(0.5), "{:.2f}", "0.50"),
        (torch.tensor([0.5]), "{:.2f}", "0.50"),
        (np.float32(0.5), "{}", "0.5"),
        ("words", "{}", "words"),
        (torch.tensor([1.0, 2.0, 3.0]), "{:.1f} %", "2.0 ± 1.0 %"),
        ((1, 2, 3), "about {:.2f} nats", "about 2.00 ± 1.00 nats"),
        (np.array([0.25, 0.25]), "{:.2f}", "0.25 ± 0.00"),
        (-0.5, "{:.1f}", "−0.5"),
        (torch.tensor([-1.0, -2.0, -3.0]), "{:+.1f} points", "−2.0 ± 1.0 points"),
        ("-2 to -1", "between {}", "between −2 to −1"),
        (float("-inf"), "{}", "−inf"),
        (1e-5, "{:.0e}", "1e-05"),
        ("ResNet-50, 2026-11-29, one-by-one", "{}", "ResNet-50, 2026-11-29, one-by-one"),
    ],
)
def test_numbers_as_text(value, form, text):
    assert as_text(value, form) == text


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (1, "{} {}"),
        (1, "{name}"),
        ("a", "{:.1f}"),
        (1, "none"),
        (torch.ones(2), "{}"),
        ([], "{:.1f}"),
        (torch.ones(2, 2), "{:.1f}"),
        (["a", "b"], "{:.1f}"),
    ],
)
def test_bad_formats_are_refused(value, form):
    with pytest.raises(ValueError, match="; "):
        as_text(value, form)


@pytest.mark.parametrize("name", ["", "two words", "-a", "a:b", "a`b"])
def test_bad_names_are_refused(name):
    with pytest.raises(ValueError, match="name"):
        insert(name, 1)
