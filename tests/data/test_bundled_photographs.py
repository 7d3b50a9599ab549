"""The photographs and the names of the classes, against their sources; seeded faults."""

import numpy as np
import pytest
import torch

from dlbook.data import imagenet_classes, photograph, photographs
from dlbook.data.bundled_photographs import PHOTOGRAPHS


def test_photographs():
    pictures = photographs()
    assert list(pictures) == list(PHOTOGRAPHS) and {"cat", "espresso", "camera"} <= set(pictures)
    for name, pixels in pictures.items():
        assert pixels.dtype == torch.uint8 and pixels.shape[0] == 3 and min(pixels.shape[1:]) >= 256, name
        assert pixels.float().std() > 30, name
    assert torch.equal(pictures["camera"][0], pictures["camera"][2])  # grey
    with pytest.raises(ValueError, match="'cat', 'espresso', 'camera'.*got 'dog'"):
        photograph("dog")


def check_source(ours, source):
    """JPEG of quality 90 changes a value by less than 4 on average."""
    assert ours.shape == source.shape and np.abs(ours - source).mean() < 4


def test_photograph_matches_its_source():
    skimage = pytest.importorskip("skimage.data")
    for name, source in {"cat": skimage.chelsea(), "espresso": skimage.coffee()}.items():
        ours = photograph(name).permute(1, 2, 0).numpy().astype(float)
        check_source(ours, source)


def test_imagenet_classes():
    names = imagenet_classes()
    assert len(names) == 1000 and all(names)
    assert [names[i] for i in (0, 281, 285, 872, 967, 999)] == [
        "tench",
        "tabby",
        "Egyptian cat",
        "tripod",
        "espresso",
        "toilet tissue",
    ]


FAULTS = {
    "channels in the order of OpenCV": lambda pixels: pixels[..., ::-1],
    "upside down": lambda pixels: pixels[::-1],
    "mirrored": lambda pixels: pixels[:, ::-1],
    "width and height exchanged": lambda pixels: pixels.swapaxes(0, 1),
    "grey": lambda pixels: np.repeat(pixels.mean(2, keepdims=True), 3, axis=2),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    skimage = pytest.importorskip("skimage.data")
    with pytest.raises(AssertionError):
        check_source(
            FAULTS[fault](photograph("cat").permute(1, 2, 0).numpy().astype(float)), skimage.chelsea()
        )
