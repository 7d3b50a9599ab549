"""Windows against torch's unfold; their number against a list of all starts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from dlbook.nn import windows as module
from dlbook.nn.windows import output_size, pair, windows
from tests.naive.conv_cases import convolutions
from tests.seeded import edited


def wrong_columns(function, x, kernel, stride, dilation):
    """Whether the windows, laid out as columns, differ from torch's unfold."""
    columns = function(x, kernel, stride, dilation).permute(0, 1, 4, 5, 2, 3).flatten(4).flatten(1, 3)
    expected = F.unfold(x, kernel, dilation, 0, stride)
    return columns.shape != expected.shape or not torch.equal(columns, expected)


@settings(max_examples=120)
@given(convolutions(paddings=False))
def test_windows_are_those_of_unfold(case):
    x, weight, _, keywords = case
    assert not wrong_columns(windows, x, tuple(weight.shape[2:]), keywords["stride"], keywords["dilation"])


def test_windows_are_a_view():
    x = torch.rand(1, 2, 8, 8, dtype=torch.float64)
    assert windows(x, 3).untyped_storage().data_ptr() == x.untyped_storage().data_ptr()


def starts(size, kernel, stride, padding, dilation):
    """Where each window begins, by trying every pixel of the padded axis."""
    ends = range(-padding, size + padding)
    return [i for i in ends if i + dilation * (kernel - 1) < size + padding][::stride]


@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 4), st.integers(0, 4), st.integers(1, 4))
def test_output_size_counts_the_windows(size, kernel, stride, padding, dilation):
    if found := starts(size, kernel, stride, padding, dilation):
        assert output_size(size, kernel, stride, padding, dilation) == len(found)
    else:
        with pytest.raises(ValueError, match="use a smaller kernel or more padding"):
            output_size(size, kernel, stride, padding, dilation)


def test_pair():
    assert (
        pair("stride", 2) == (2, 2) and pair("stride", (1, 3)) == (1, 3) and pair("padding", 0, 0) == (0, 0)
    )


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: pair("stride", 0), "expected stride to be one or two whole numbers >= 1, got 0"),
        (lambda: pair("padding", (1, -1), least=0), "expected padding to be one or two whole numbers >= 0"),
        (lambda: pair("dilation", (1, 1, 1)), "one or two whole numbers"),
        (lambda: pair("stride", True), "one or two whole numbers"),
        (lambda: pair("stride", (1, 2.0)), "one or two whole numbers"),
        (lambda: windows(torch.zeros(3, 4, 4), 3), r"expected x of shape \[B, C, H, W\]"),
        (lambda: windows(torch.zeros(1, 3, 4, 4), (5, 3)), "spans 5 pixels"),
        (lambda: windows(torch.zeros(1, 3, 4, 4), 3, dilation=(1, 2)), "spans 5 pixels"),
    ],
)
def test_errors_say_how_to_fix(call, words):
    with pytest.raises(ValueError, match=words):
        call()


FAULTS = {  # edits of windows.py that the comparison with unfold, or the list of starts, must see
    (
        "x.unfold(2, dh * (kh - 1) + 1, sh).unfold(3, dw * (kw - 1) + 1, sw)",
        "x.unfold(3, dw * (kw - 1) + 1, sw).unfold(2, dh * (kh - 1) + 1, sh)",
    ),
    ("dw * (kw - 1) + 1, sw)  #", "dw * (kw - 1) + 1, sh)  #"),
    ("spans[..., ::dh, ::dw]", "spans[..., ::dw, ::dh]"),
    ("(size + 2 * padding - span) // stride + 1", "-(-(size + 2 * padding - span) // stride) + 1"),
    ("(size + 2 * padding - span)", "(size + padding - span)"),
}


@pytest.mark.parametrize("edit", sorted(FAULTS))
def test_faults_are_seen(edit):
    names, x = edited(module, *edit), torch.rand(1, 2, 9, 8)
    try:
        seen = wrong_columns(names["windows"], x, (3, 2), (2, 1), (1, 2))
    except RuntimeError:  # a shape that cannot be compared
        seen = True
    counts = [names["output_size"](size, 3, 2, 1, 1) for size in (7, 8)]
    assert seen or counts != [len(starts(size, 3, 2, 1, 1)) for size in (7, 8)]
