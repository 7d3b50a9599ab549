"""The naive forms of mixup and CutMix against numbers worked out by hand."""

import pytest
import torch

from dlbook.naive import mixing as module
from dlbook.naive.mixing import box, cutmix, mixup
from tests.seeded import edited

IMAGES = torch.arange(8.0).reshape(2, 1, 2, 2)  # 0 1 / 2 3 and 4 5 / 6 7
TARGETS = torch.eye(2)


def wrong(names: dict) -> list[str]:
    """What a version of the file gets wrong."""
    found = []
    mixed, soft = names["mixup"](IMAGES, TARGETS, [1, 0], [0.75, 0.5])
    if mixed.flatten().tolist() != [1, 2, 3, 4, 2, 3, 4, 5] or soft.tolist() != [[0.75, 0.25], [0.5, 0.5]]:
        found.append("mixup")
    cut, soft = names["cutmix"](IMAGES, TARGETS, [1, 0], {(0, 1)})
    if cut.flatten().tolist() != [0, 5, 2, 3, 4, 1, 6, 7] or soft.tolist() != [[0.75, 0.25], [0.25, 0.75]]:
        found.append("cutmix")
    inner = {(y, x) for y in (1, 2) for x in (3, 4, 5)}  # sides 2 and 4 around (2, 5), cut off at column 5
    inner |= {(y, x) for y in (1, 2) for x in (5,)}
    if names["box"](4, 8, 0.75, (2, 5)) != inner | {(y, 6) for y in (1, 2)}:
        found.append("box")
    return found


def test_by_hand():
    assert wrong({"mixup": mixup, "cutmix": cutmix, "box": box}) == []


def test_box_is_cut_off_at_the_border_and_empty_for_weight_one():
    assert box(4, 4, 0.75, (0, 3)) == {(0, 2), (0, 3)} and box(4, 4, 1.0, (2, 2)) == set()


def test_a_side_that_is_whole_is_not_rounded_down():
    assert len(box(10, 10, 1 - 0.6**2, (5, 5))) == 36


FAULTS = {
    ("weights[i] * images[i] +", "weights[0] * images[i] +"): "mixup",
    ("weights[i] * targets[i] + (1 - weights[i])", "(1 - weights[i]) * targets[i] + weights[i]"): "mixup",
    (
        "cut[i, :, y, x] = images[partner[i], :, y, x]",
        "cut[i, :, x, y] = images[partner[i], :, x, y]",
    ): "cutmix",
    ("share * targets[i]", "(1 - share) * targets[i]"): "cutmix",
    ("half_width = math.floor(width *", "half_width = math.floor(height *"): "box",
    ("math.floor(height * math.sqrt(1 - weight) / 2", "math.floor(height * (1 - weight) / 2"): "box",
}


@pytest.mark.parametrize("edit", FAULTS)
def test_faults_are_seen(edit):
    assert FAULTS[edit] in wrong(edited(module, *edit))
