"""Which cells share, and what each normalisation makes of a block, against torch; with seeded faults."""

import numpy as np
import pytest

from dlbook.widgets import norms_rules
from tests.seeded import edited
from tests.widgets.norms_checks import CHOICES, by_torch, made


def check_values(names):
    figure = made()
    for kind, groups, images in CHOICES:
        found = names["normalised"](figure._block, kind, groups, images)
        assert np.isnan(found[images:]).all()
        assert np.allclose(found[:images], by_torch(figure, kind, groups, images), atol=1e-10)


def test_each_kind_is_torchs():
    check_values(vars(norms_rules))


FAULTS = {
    "channels of a group interleaved": ("c // (shape[1] // groups)", "c % groups"),
    "instance norm over all images": ("n * shape[1] + c", "c"),
    "layer norm over a whole image": ("(n * shape[2] + h) * shape[3] + w", "n"),
    "RMS with its mean removed": ("np.zeros_like(inside) if kind == RMS else", "0 if kind is None else"),
    "images beyond the batch count": ("inside = values[:images]", "inside = values"),
    "eps outside the root": ("np.sqrt(deviation**2 + EPS)", "(deviation + EPS)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    with pytest.raises((AssertionError, ValueError)):
        check_values(edited(norms_rules, *FAULTS[fault]))
