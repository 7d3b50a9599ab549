"""torchvision's weights in AlexNet: every tensor has its place, and a misfit is named."""

import pytest

from dlbook.models import create
from dlbook.models.alexnet_weights import load_torchvision_state
from tests.zoo.imports import check_import


def test_takes_torchvisions_weights_and_names_a_misfit():
    assert check_import("alexnet_owt") == []


def test_the_paper_s_row_does_not_take_them():
    state = create("alexnet_owt", device="meta").state_dict()
    with pytest.raises(ValueError, match="'features.0.weight'"):
        load_torchvision_state(create("alexnet", device="meta"), state)
