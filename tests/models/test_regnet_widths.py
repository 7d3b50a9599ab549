"""How a RegNet's four numbers become stages: the paper's tables, properties for any numbers, faults, and the
receptive field.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dlbook.measure import count
from dlbook.measure.feature_maps import feature_maps
from dlbook.models import regnet as module
from dlbook.models.regnet import VARIANTS, AnyNet, Config, Stage, block_widths, fit_groups, regnet, stages_of

# the paper's figure 15, and a row of each kind of rounding: (depths, widths)
STAGES = {
    "regnet_x_400mf": ((1, 2, 7, 12), (32, 64, 160, 384)),
    "regnet_x_6_4gf": ((2, 4, 10, 1), (168, 392, 784, 1624)),
    "regnet_x_16gf": ((2, 6, 13, 1), (256, 512, 896, 2048)),
    "regnet_y_1_6gf": ((2, 6, 17, 2), (48, 120, 336, 888)),
}
configs = st.builds(
    Config,
    w_0=st.integers(1, 32).map(lambda n: 8 * n),
    w_a=st.floats(0, 256),
    w_m=st.floats(1.1, 4),
    depth=st.integers(1, 63),
    group_width=st.integers(1, 64),
)


def table(name: str) -> tuple:
    stages = stages_of(VARIANTS[name])
    return tuple(stage.depth for stage in stages), tuple(stage.width for stage in stages)


def test_by_hand():
    """u = 8, 24, 40, 56, 72 with w_m = 3: powers round(0, 1, 1.46, 1.77, 2) = 0, 1, 1, 2, 2, so widths 8, 24,
    24, 72, 72.
    """
    config = Config(w_0=8, w_a=16, w_m=3.0, depth=5, group_width=16)
    assert block_widths(config) == [8, 24, 24, 72, 72]
    # 24 / 16 = 1.5 and 72 / 16 = 4.5 go to the even 2 and 4; the first width is less than a group
    assert stages_of(config) == (Stage(1, 8, 8), Stage(2, 32, 16), Stage(2, 64, 16))


@given(configs)
def test_block_widths(config):
    widths = block_widths(config)
    assert len(widths) == config.depth and widths[0] == config.w_0
    assert all(width % 8 == 0 for width in widths) and widths == sorted(widths)
    for j, width in enumerate(
        widths
    ):  # equation (4) rounds the power to the nearest: within sqrt(w_m) of the line, and 4 channels
        line, slack = config.w_0 + config.w_a * j, math.sqrt(config.w_m) * (1 + 1e-9)
        assert line / slack - 4 <= width <= line * slack + 4


@given(configs)
def test_stages_keep_the_depth_and_can_be_built(config):
    stages = stages_of(config)
    assert sum(stage.depth for stage in stages) == config.depth
    assert all(
        stage.width % stage.group_width == 0 and stage.group_width <= config.group_width for stage in stages
    )
    assert [stage.width for stage in stages] == sorted(stage.width for stage in stages)


@given(
    st.integers(1, 4096),
    st.integers(1, 512),
    st.sampled_from([1, 2, 4]),
    st.sampled_from(["nearest", "keep_90"]),
)
def test_fit_groups(inner, group_width, ratio, rounding):
    stage = fit_groups(3, inner * ratio, group_width, ratio, rounding)
    fitted = stage.width // ratio
    assert (
        stage.width == fitted * ratio
        and fitted % stage.group_width == 0
        and stage.group_width == min(group_width, inner)
    )
    if rounding == "nearest":
        assert 3 * abs(fitted - inner) <= inner  # appendix D: "at most 1/3 different (proof omitted)"
        assert 2 * abs(fitted - inner) <= stage.group_width
    else:
        assert fitted >= 0.9 * inner
    assert fit_groups(3, stage.width, stage.group_width, ratio, rounding) == stage  # nothing is left to fit


def test_the_third_of_appendix_d_is_nearly_reached():
    """The proof that the paper omits: w / g = n + 1/2 is the worst, and n = 1 the worst n: 3 -> 4 for g = 2,
    and 299 -> 200.
    """
    assert fit_groups(1, 3, 2).width == 4 and fit_groups(1, 299, 200).width == 200
    assert max(abs(fit_groups(1, w, g).width - w) / w for w in range(1, 80) for g in range(1, 80)) == 1 / 3


ROUNDINGS = {
    "powers rounded down": ("round", math.floor),
    "ties away from even": ("round", lambda x: math.floor(x + 0.5)),
}


@pytest.mark.parametrize("fault", ["powers rounded down", "ties away from even"])
def test_the_tables_catch_a_wrong_rounding(monkeypatch, fault):
    assert all(table(name) == stages for name, stages in STAGES.items())
    monkeypatch.setattr(module, *ROUNDINGS[fault], raising=False)
    assert any(table(name) != stages for name, stages in STAGES.items())


def without_multiples_of_8(config):
    powers = [
        round(math.log((config.w_0 + config.w_a * j) / config.w_0) / math.log(config.w_m))
        for j in range(config.depth)
    ]
    return [round(config.w_0 * config.w_m**power) for power in powers]


def without_quantisation(config):
    return [8 * round((config.w_0 + config.w_a * j) / 8) for j in range(config.depth)]


def outlines_rule(config):
    """w_{j+1} = w_j q for every block, as a summary of the paper has it."""
    return [8 * round(config.w_0 * config.w_m**j / 8) for j in range(config.depth)]


@pytest.mark.parametrize("fault", [without_multiples_of_8, without_quantisation, outlines_rule])
def test_the_tables_catch_wrong_widths(monkeypatch, fault):
    monkeypatch.setattr(module, "block_widths", fault)
    assert any(table(name) != stages for name, stages in STAGES.items())


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"w_0": 20}, "multiple of 8"),
        ({"w_0": 0}, "expected w_0"),
        ({"w_a": -1.0}, "w_a at least 0"),
        ({"w_m": 1.0}, "w_m above 1"),
        ({"depth": 0}, "expected depth"),
        ({"group_width": 0}, "expected group_width"),
        ({"se_ratio": 1.0}, "expected se_ratio"),
        ({"rounding": "up"}, "expected rounding to be"),
        ({"w_a": float("nan")}, "w_a at least 0"),
    ],
)
def test_config_is_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        Config(**{"w_0": 24, "w_a": 36.44, "w_m": 2.49, "depth": 13, "group_width": 8, **changes})


def test_stages_are_checked():
    with pytest.raises(ValueError, match="see fit_groups"):
        Stage(1, 100, 16)
    with pytest.raises(ValueError, match="see fit_groups"):
        Stage(1, 24, 8, bottleneck_ratio=2)
    with pytest.raises(ValueError, match="expected bottleneck_ratio"):
        Stage(1, 24, 8, 0)
    with pytest.raises(ValueError, match="expected width / bottleneck_ratio"):
        fit_groups(1, 3, 8, 4)


def receptive_field(depths) -> int:
    """r = 1 + sum of (k - 1) times the strides before it: the 3x3 of the stem and of every block, the first
    of a stage at stride 2.
    """
    field, jump = 3, 2
    for depth in depths:
        field += 2 * jump  # the first 3x3 still steps on the larger map
        jump *= 2
        field += 2 * jump * (depth - 1)
    return field


@pytest.mark.parametrize("name", VARIANTS)
def test_receptive_field_by_formula(name):
    assert count(lambda: regnet(name)).receptive_field == receptive_field(table(name)[0])


def test_receptive_field_by_the_support_of_a_gradient():
    depths, field = table("regnet_x_200mf")[0], 543
    assert receptive_field(depths) == field
    thin = AnyNet([Stage(depth, 1, 1) for depth in depths], num_classes=1, in_channels=1).double()
    for parent in thin.modules():  # linear and positive: every path reaches the output
        for name, child in parent.named_children():
            if isinstance(child, (nn.BatchNorm2d, nn.ReLU)):
                setattr(parent, name, nn.Identity())
            elif isinstance(child, nn.Conv2d):
                nn.init.constant_(child.weight, 1 / child.weight[0].numel())
    image = torch.ones(1, 1, field + 64, field + 97, dtype=torch.float64, requires_grad=True)
    features = feature_maps(thin, image)[-1]
    features[0, 0, features.shape[2] // 2, features.shape[3] // 2].backward()
    support = image.grad[0, 0].abs()
    assert (support.sum(0) > 0).sum() == (support.sum(1) > 0).sum() == field
