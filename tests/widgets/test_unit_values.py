"""Python's side of the unit against torch, every output cell.

Seeded faults, tried by the last test: a kernel that is flipped, padding on one side only, a stride that is not taken,
a variance with n - 1, a maximum over zeros of the padding, scores without their scale.
"""

import numpy as np
import pytest

from dlbook.widgets import unit_values as module
from tests.seeded import check_sees
from tests.widgets.unit_checks import SETTINGS, by_torch, unit


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: " ".join(map(str, s.values())))
def test_every_cell_is_what_torch_gives(setting):
    figure = unit(start=setting)
    expected = by_torch(figure).numpy()
    assert figure.output().shape == expected.shape
    assert figure.output() == pytest.approx(expected, abs=1e-9)


def check_output(output) -> None:
    for setting in SETTINGS:
        figure = unit(start=setting)
        given = output(figure.spec, figure.pictures(), figure.values)
        expected = by_torch(figure).numpy()
        assert given.shape == expected.shape and np.abs(given - expected).max() < 1e-9


FAULTS = {
    "a flipped kernel": ("* kernel.reshape(-1, 1, 1)", "* kernel[::-1, ::-1].reshape(-1, 1, 1)"),
    "padding on one side": ("np.pad(picture, padding, c", "np.pad(picture, (0, 2 * padding), c"),
    "no stride": ("stride * (cells - 1) + 1, stride)", "cells)"),
    "variance with n - 1": ("pictures.var()", "pictures.var(ddof=1)"),
    "the largest of zeros": ("windows(chosen, shape, -np.inf)", "windows(chosen - 1, shape, 0.0)"),
    "scores without scale": ("centred.T / patch", "centred.T"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_seen(fault):
    check_sees(check_output, module, "output", *FAULTS[fault])
