"""Parameters of a figure whose arrays name them in another order than the figure does, and only some of them."""

import base64
import functools
import io
import itertools
import re
import types

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from dlbook.widgets import Curve, Curves, Images, Stack, curves, images
from dlbook.widgets import parameters as module
from tests.seeded import edited

TEXTS = {"title": "A title", "description": "What it shows."}
# neither in alphabetical order nor of equal lengths, so that no two orders give the same
PARAMETERS = {"width": [1.0, 2.0], "depth": [1.0, 2.0, 3.0], "kind": ["a", "b"]}
PLACES = {"width": 1, "depth": 10, "kind": 100}


def codes(order) -> np.ndarray:
    """A number for each setting of the parameters `order`, axes in this order: 1, 10, 100 times their places."""
    axes = np.meshgrid(*(PLACES[name] * np.arange(len(PARAMETERS[name])) for name in order), indexing="ij")
    return sum(axes)


def code(order, values) -> int:
    return sum(PLACES[name] * PARAMETERS[name].index(values[name]) for name in order)


def orders():
    """Every choice of parameters in every order."""
    names = [tuple(names) for count in (1, 2, 3) for names in itertools.permutations(PARAMETERS, count)]
    return st.sampled_from(names)


def settings_of_all():
    return st.fixed_dictionaries({name: st.sampled_from(values) for name, values in PARAMETERS.items()})


def check_index(index, order, values) -> None:
    array = codes(order)
    assert array[index(PARAMETERS, order, values)] == code(order, values)


@given(orders(), settings_of_all())
def test_an_array_is_asked_in_the_order_of_its_own_axes(order, values):
    check_index(module.index, order, values)


def check_curves(figure, order, values) -> None:
    line = codes(order)[..., None] + np.zeros(3)
    made = figure(**TEXTS, x=[0, 1, 2], parameters=PARAMETERS, curves=[Curve("c", line, line, order)])
    made.values = values
    for part in made.curve("c"):
        np.testing.assert_allclose(part, code(order, values), atol=0.01)


@settings(max_examples=25, deadline=None)
@given(orders(), settings_of_all())
def test_curves_over_parameters_in_any_order(order, values):
    check_curves(Curves, order, values)


def pixels(uri: str) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))


def check_images(figure, order, values) -> None:
    """The frame of the still picture, and the one that the page takes out of the atlas; H is not W."""
    frames = np.broadcast_to(codes(order).astype(np.uint8)[..., None, None], (*codes(order).shape, 3, 5))
    stack = Stack(frames, order)
    made = figure(**TEXTS, parameters=PARAMETERS, images={"s": stack}, captions=str)
    made.values = values
    wanted = code(order, values)
    still = pixels(re.search(r'src="([^"]+)"', made.still())[1])
    assert still.shape == (3, 5) and (still == wanted).all()
    (entry,) = made.spec["images"]
    number = 0  # as images.js counts: the entry's own parameters, the last one fastest
    for name in entry["parameters"]:
        number = number * len(PARAMETERS[name]) + PARAMETERS[name].index(values[name])
    row, column = divmod(number, entry["columns"])
    high, wide = entry["height"], entry["width"]
    frame = pixels(entry["atlas"])[row * high : (row + 1) * high, column * wide : (column + 1) * wide]
    assert frame.shape == (3, 5) and (frame == wanted).all()
    number = 0  # the captions run over all parameters, in the order that the page is told
    for name in made.spec["order"]:
        number = number * len(PARAMETERS[name]) + PARAMETERS[name].index(values[name])
    assert made.spec["captions"][number] == str({name: values[name] for name in PARAMETERS})


@settings(max_examples=25, deadline=None)
@given(orders(), settings_of_all())
def test_images_over_parameters_in_any_order(order, values):
    check_images(Images, order, values)


ORDER, VALUES = ("kind", "width", "depth"), {"width": 2.0, "depth": 2.0, "kind": "a"}
ASK = "parameters[name].index(values[name])"
FAULTS = {
    "asked in alphabetical order": (
        module,
        "index",
        check_index,
        f"{ASK} for name in names",
        f"{ASK} for name in sorted(names)",
    ),
    "asked in the figure's order": (
        module,
        "index",
        check_index,
        f"{ASK} for name in names",
        f"{ASK} for name in parameters if name in names",
    ),
    "curves' names sorted": (curves, "Curves", check_curves, "list(names),", "sorted(names),"),
    "images' names sorted": (images, "Images", check_images, "list(names),", "sorted(names),"),
    "still asked in the figure's order": (
        images,
        "Images",
        check_images,
        'grid.index(self.spec["parameters"], entry["parameters"], self.values)',
        'grid.index(self.spec["parameters"], [n for n in self.values if n in entry["parameters"]], self.values)',
    ),
    "captions in alphabetical order": (
        images,
        "Images",
        check_images,
        '"order": list(parameters)',
        '"order": sorted(parameters)',
    ),
    "height and width exchanged": (
        images,
        "Images",
        check_images,
        "height, width = values.shape",
        "width, height = values.shape",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    place, name, check, old, new = FAULTS[fault]
    broken = types.SimpleNamespace(**edited(place, old, new))
    seen = functools.partial(check, getattr(broken, name))
    caught = []
    for order in (ORDER, ("depth", "width"), ("kind", "depth")):
        for values in (VALUES, {"width": 1.0, "depth": 3.0, "kind": "b"}):
            try:
                seen(order, values)
            except (AssertionError, IndexError, ValueError) as error:
                caught.append(error)
    assert caught
