"""The page's digits: which ones, how they are packed, how small, and that four bits cost no accuracy to speak of.

Seeded faults, tried: halves of a byte exchanged, 200 digits in place of 160 to train on, and a changed hash are seen.
"""

import base64
import gzip
import hashlib
import zlib

import pytest
import torch

from dlbook.browser import digits
from dlbook.data import mnist5k


@pytest.fixture(scope="module")
def train():
    return mnist5k("train")


@pytest.fixture(scope="module")
def written(train):
    return digits.script(train.images, train.labels)


def unpacked(text):
    """The bytes, images as levels [2000, 28, 28], and labels of a script."""
    data = zlib.decompress(base64.b64decode(text.split('"')[1]))
    pixels = torch.frombuffer(bytearray(data[:-2000]), dtype=torch.uint8)
    images = torch.stack([pixels >> 4, pixels & 15], 1).reshape(2000, 28, 28)
    return data, images, torch.frombuffer(bytearray(data[-2000:]), dtype=torch.uint8)


def test_the_script_holds_the_digits_and_their_labels(train, written):
    data, images, labels = unpacked(written)
    places = digits.chosen(train.labels)
    assert torch.equal(images, (train.images[places, 0] * 15).round().byte())
    assert torch.equal(labels.long(), train.labels[places])
    assert hashlib.sha256(data).hexdigest() == digits.SHA256


def test_every_class_has_as_many_to_train_and_to_test_on(train):
    labels = train.labels[digits.chosen(train.labels)]
    assert labels[:1600].bincount().tolist() == [160] * 10 and labels[1600:].bincount().tolist() == [40] * 10
    assert len(set(digits.chosen(train.labels).tolist())) == 2000


def test_it_is_small_on_its_way(written):
    assert len(gzip.compress(written.encode(), 9)) <= 200_000


def test_other_digits_are_refused(train):
    with pytest.raises(ValueError, match="expected digits of hash 79d2f341.*write the new hash here"):
        digits.script(train.images.flip(0), train.labels.flip(0))
    with pytest.raises(ValueError, match="expected 200 digits of class 0, got "):
        digits.chosen(train.labels[:500])


def test_a_pixel_moves_by_half_a_level_at_most(train):
    rounded = digits.levels(train.images[:100]).float() / digits.TOP
    assert (rounded - train.images[:100]).abs().max() <= 0.5 / 15 + 1e-6
