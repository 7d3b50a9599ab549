"""Errors say what was expected, what was given and how to fix it; each end of a range is where it is said to
be.

`FAULTS` holds edits of dlbook/checks.py that the checks here must catch.
"""

import math

import pytest
import torch
from torch import nn

from dlbook import checks
from dlbook.checks import find_row
from dlbook.nn.state import load_state
from tests.seeded import check_sees, edited

NAN = math.nan
RANGES = {  # call of a check -> (values that pass, values that are refused, the refusal's words)
    "require_positive('n', value)": ((1, 7), (0, -1, 2.0, True, "3", None), "n to be a whole number >= 1"),
    "require_probability('p', value)": ((0, 0.5, 0.999), (-0.1, 1.0, 2, True, "0.5", NAN), "p in [0, 1)"),
    "require_at_least('lr', value, 0)": ((0, 0.0, 3), (-1e-9, math.inf, NAN, False, "1"), "lr >= 0"),
    "require_at_least('n', value, 2)": ((2, 2.5), (1, 1.999, None), "n >= 2"),
    "require_above('eps', value)": ((1e-9, 3), (0, -1, math.inf, NAN, True), "eps > 0"),
    "require_above('n', value, 1)": ((1.001, 2), (1, 0), "n > 1"),
    "require_in('x', value, 0, 1)": ((0, 0.5, 1), (-0.1, 1.1, NAN, True), "x in [0, 1]"),
    "require_in('x', value, 0, 1, '[)')": ((0, 0.5), (1, 1.0), "x in [0, 1)"),
    "require_in('x', value, 0, 1, '(]')": ((0.5, 1), (0, 0.0), "x in (0, 1]"),
    "require_in('x', value, 0, 1, '()')": ((0.5,), (0, 1), "x in (0, 1)"),
    "require_one_of('stem', value, ('a', 'b', 'c'))": (("a", "c"), ("d", None), "stem to be 'a', 'b' or 'c'"),
    "require_one_of('stem', value, ('a',))": (("a",), ("b",), "stem to be 'a'"),
    "require(value > 2, 'n > 2', value, 'count')": ((3,), (2,), "n > 2"),
    "require_resolution(value)": (
        (28, (4, 6)),
        (0, 2.5, (4, 0), (0, 4)),
        "resolution to be a whole number >= 1",
    ),
}


def shaped(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.zeros(shape, dtype=dtype)


SHAPES = {
    "require_shape('x', value, ('B', 3, 'H', 'W'), 'fix')": (
        (shaped(2, 3, 4, 5), shaped(0, 3, 1, 1)),
        (shaped(2, 4, 4, 5), shaped(3, 3, 3), shaped(1, 2, 3, 4, 5)),
        "x of shape [B, 3, H, W]",
    ),
    "require_shape('x', value, ('...', 6), 'fix')": (
        (shaped(6), shaped(2, 3, 6)),
        (shaped(5), shaped(6, 5), torch.tensor(1.0)),
        "x of shape [..., 6]",
    ),
    "require_images(value, 3)": (
        (shaped(1, 3, 2, 2), shaped(1, 3, 2, 2, dtype=torch.float64)),
        (shaped(3, 8, 8), shaped(1, 1, 8, 8), shaped(1, 3, 8, 8, dtype=torch.uint8), shaped(0, 3, 8, 8)),
        "images as float [B, 3, H, W]",
    ),
    "require_images(value, (1, 3))": (
        (shaped(1, 3, 2, 2), shaped(1, 1, 2, 2)),
        (shaped(1, 2, 2, 2), shaped(1, 13, 2, 2)),
        "images as float [B, 1 or 3, H, W]",
    ),
    "require_images(value)": (
        (shaped(1, 7, 2, 2),),
        (shaped(1, 7, 2, 0), shaped(7, 2, 2)),
        "images as float [B, C, H, W]",
    ),
    "require_sides(value, 32)": (
        (shaped(1, 3, 32, 32), shaped(1, 3, 32, 64)),
        (shaped(1, 3, 31, 64), shaped(1, 3, 64, 31)),
        "images at least 32 pixels high and wide",
    ),
    "require_size(value, (4, 6))": (
        (shaped(1, 3, 4, 6),),
        (shaped(1, 3, 6, 4), shaped(1, 3, 4, 7), shaped(1, 3, 5, 6)),
        "images of 4 x 6 pixels",
    ),
}


def wrong(names: dict, call: str) -> list[str]:
    """What a check lets pass or refuses against the table, or says in another form."""
    passes, refused, words = (RANGES | SHAPES)[call]
    found = []
    for value in (*passes, *refused):
        try:
            eval(call, names | {"value": value})
            said = None
        except ValueError as error:
            said = str(error)
        right = any(value is ok for ok in passes)
        if right != (said is None):
            found.append(f"{call} {'refuses' if right else 'lets pass'} {value!r}")
        if said and not (said.startswith(f"expected {words}, got ") and said.partition("; ")[2]):
            found.append(f"{call} says {said!r}")
    return found


@pytest.mark.parametrize("call", RANGES | SHAPES)
def test_what_is_right_passes_and_what_is_wrong_is_refused(call):
    assert wrong(vars(checks), call) == []


def test_ends_are_four():
    with pytest.raises(ValueError, match="expected ends to be"):
        checks.require_in("x", 0, 0, 1, "][")


def test_unknown_rows_suggest_the_nearest():
    with pytest.raises(
        ValueError, match="expected the name of a variant, got 'resnet5'; did you mean resnet50"
    ):
        find_row("resnet5", {"resnet50": 1, "vgg16": 2})
    with pytest.raises(ValueError, match="expected the name of a variant, got None"):
        find_row(None, {"resnet50": 1})
    with pytest.raises(
        ValueError, match="did you mean resnet20_cifar, resnet50[?] There are resnet50, resnet20_cifar$"
    ):
        find_row("resnet20", {"resnet50": 1, "resnet20_cifar": 2})  # what begins with it comes first
    assert find_row("vgg16", {"vgg16": 2}) == 2


def check_most_named(find_row) -> None:
    """A table of 40 rows is listed, one of 41 is counted."""
    table = lambda rows: {f"a{number}": number for number in range(rows)}
    with pytest.raises(ValueError, match="there are a0, .*, a39$"):
        find_row("row", table(40))
    with pytest.raises(ValueError, match="there are 41 names; `dlbook models` lists them$"):
        find_row("row", table(41))


@pytest.mark.parametrize("limit", ["< MOST_NAMED", "<= MOST_NAMED + 1"])
def test_a_long_table_is_counted(limit):
    check_sees(check_most_named, checks, "find_row", "<= MOST_NAMED", limit)


def test_load_is_all_or_nothing():
    model, other = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    nn.init.normal_(other.weight)
    state = dict(other.state_dict())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for broken, message in (
        ({**state, "extra": torch.ones(1)}, "'extra', which has no place"),
        (
            {name: state[name] for name in state if name != "running_var"},
            r"'running_var' of shape \[3\], got .* is missing",
        ),
        ({**state, "bias": torch.ones(4)}, r"'bias' of shape \[3\], got \[4\]"),
    ):
        with pytest.raises(ValueError, match=message):
            load_state(model, broken)
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    state.pop("num_batches_tracked")
    assert torch.equal(load_state(model, state).weight, other.weight)


def test_load_renames():
    model = load_state(
        nn.Linear(2, 2),
        {"w": torch.ones(2, 2), "b": torch.zeros(2)},
        {"w": "weight", "b": "bias"}.__getitem__,
    )
    assert model.weight.sum() == 4


FAULTS = {  # edit of checks.py -> the call whose row sees it
    ("value < 1:", "value < 0:"): "require_positive('n', value)",
    (" or isinstance(value, bool) or value < 1", " or value < 1"): "require_positive('n', value)",
    ('0, 1, "[)", fix)', '0, 1, "[]", fix)'): "require_probability('p', value)",
    ("low <= value < math.inf", "low < value < math.inf"): "require_at_least('lr', value, 0)",
    ("low <= value < math.inf:", "low <= value:"): "require_at_least('lr', value, 0)",
    ("low < value < math.inf", "low <= value < math.inf"): "require_above('eps', value)",
    (
        'ends[0] == "(" and value == low',
        'ends[0] == "(" and value == high',
    ): "require_in('x', value, 0, 1, '(]')",
    ("low <= value <= high", "low <= value < high"): "require_in('x', value, 0, 1)",
    ("if value not in allowed:", "if value in allowed:"): "require_one_of('stem', value, ('a',))",
    (
        "tensor.ndim == len(axes)",
        "tensor.ndim >= len(axes)",
    ): "require_shape('x', value, ('B', 3, 'H', 'W'), 'fix')",
    ("axis != length", "axis > length"): "require_shape('x', value, ('B', 3, 'H', 'W'), 'fix')",
    ("or not images.is_floating_point()", ""): "require_images(value, 3)",
    ("or 0 in images.shape", ""): "require_images(value)",
    ("images.shape[1] not in allowed", "images.shape[1] != allowed[0]"): "require_images(value, (1, 3))",
    (
        "if not holds:\n        raise",
        "if holds:\n        raise",
    ): "require(value > 2, 'n > 2', value, 'count')",
    ("< least:", "<= least:"): "require_sides(value, 32)",
    ("min(images.shape[2:]) < least", "max(images.shape[2:]) < least"): "require_sides(value, 32)",
    ("!= tuple(size):", "!= tuple(size)[::-1]:"): "require_size(value, (4, 6))",
    ("for side in sides:", "for side in sides[:1]:"): "require_resolution(value)",
}


@pytest.mark.parametrize(("edit", "call"), FAULTS.items(), ids=[old for old, _ in FAULTS])
def test_faults_are_seen(edit, call):
    assert wrong(edited(checks, *edit), call)
