"""ConvNeXt against torchvision's and timm's arithmetic, and faults that people make."""

import re

import pytest
import timm
import torchvision
from torch import nn
from torch.nn import functional as F

from dlbook.models.convnext import Block, Config, ConvNeXt, convnext
from dlbook.models.convnext_weights import load_timm_state, load_torchvision_state
from tests.parity import disagreements, randomise

ODD = (2, 3, 70, 45)


def renamed(name: str) -> str:
    """The name of a tensor of torchvision's in our model, written apart from the loader."""
    parts = name.split(".")
    if parts[0] == "classifier":
        return f"{('norm', '', 'fc')[int(parts[1])]}.{parts[2]}"
    stage, rest = int(parts[1]), parts[2:]
    if stage == 0:
        return ".".join(["stem", *rest])
    if stage % 2 == 0:
        return ".".join(["downsample", str(stage // 2), *rest])
    inner = {"0": "depthwise", "2": "norm", "3": "expand", "5": "project"}
    last = ["gamma"] if rest[1] == "layer_scale" else [inner[rest[2]], rest[3]]
    return ".".join(["stages", str(stage // 2), rest[0], *last])


def renamed_timm(name: str) -> str:
    """The name of a tensor of timm's in our model, written apart from the loader."""
    name = re.sub(r"^stages\.(\d)\.downsample\.", r"downsample.\1.", name)
    name = re.sub(r"\.blocks\.(\d+)", r".\1", name)
    for theirs, ours in (
        ("conv_dw", "depthwise"),
        ("mlp.fc1", "expand"),
        ("mlp.fc2", "project"),
        ("head.", ""),
    ):
        name = name.replace(theirs, ours)
    return name


SMALL = Config((1, 2, 3, 2), (8, 12, 20, 36))


def pair(library: str = "torchvision") -> tuple[ConvNeXt, nn.Module]:
    """A thin ConvNeXt with 7 classes and its peer, of equal weights away from their start, in float64."""
    if library == "timm":
        theirs, load = (
            timm.models.convnext.ConvNeXt(depths=SMALL.depths, dims=SMALL.widths, num_classes=7),
            load_timm_state,
        )
    else:
        stages = zip(SMALL.widths, (*SMALL.widths[1:], None), SMALL.depths, strict=True)
        theirs = torchvision.models.ConvNeXt(
            [torchvision.models.convnext.CNBlockConfig(*stage) for stage in stages], num_classes=7
        )
        load = load_torchvision_state
    randomise(theirs)
    return load(ConvNeXt(SMALL, 7).double(), theirs.state_dict()), theirs


@pytest.mark.parametrize("library, rename", [("torchvision", renamed), ("timm", renamed_timm)])
def test_equal_to_the_libraries(library, rename):
    assert disagreements(*pair(library), ODD, rename) == []


def test_convnext_t_is_equal_to_torchvisions_at_full_width():
    theirs = randomise(torchvision.models.convnext_tiny(num_classes=7, stochastic_depth_prob=0.0))
    ours = load_torchvision_state(convnext("convnext_t", 7, drop_prob=0.0).double(), theirs.state_dict())
    assert disagreements(ours, theirs, (2, 3, 64, 40), renamed) == []


def norm_after_expansion(self, x):
    branch = self.depthwise(x).permute(0, 2, 3, 1)
    branch = self.project(F.gelu(F.layer_norm(self.expand(branch), (self.expand.out_features,))))
    return x + self.gamma[:, None, None] * branch.permute(0, 3, 1, 2)


def two_activations(self, x):
    branch = F.gelu(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))
    return x + self.gamma[:, None, None] * self.project(F.gelu(self.expand(branch))).permute(0, 3, 1, 2)


def tanh_gelu(self, x):
    branch = self.expand(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))
    return x + self.gamma[:, None, None] * self.project(F.gelu(branch, approximate="tanh")).permute(
        0, 3, 1, 2
    )


def scale_on_the_sum(self, x):
    branch = self.project(F.gelu(self.expand(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))))
    return self.gamma[:, None, None] * (x + branch.permute(0, 3, 1, 2))


def axes_swapped(self, x):
    branch = self.project(F.gelu(self.expand(self.norm(self.depthwise(x).permute(0, 3, 2, 1)))))
    return x + self.gamma[:, None, None] * branch.permute(0, 3, 1, 2).reshape(x.shape)


@pytest.mark.parametrize(
    "forward", [norm_after_expansion, two_activations, tanh_gelu, scale_on_the_sum, axes_swapped]
)
def test_parity_catches_a_wrong_block(monkeypatch, forward):
    model, theirs = pair()
    monkeypatch.setattr(Block, "forward", forward)
    assert disagreements(model, theirs, ODD, renamed)


def norm_before_pooling(self, images):
    x = self.stem(images)
    for downsample, stage in zip(self.downsample, self.stages, strict=True):
        x = stage(downsample(x))
    return self.norm(x.permute(0, 2, 3, 1)).mean((1, 2))


def test_parity_catches_the_last_norm_before_the_pooling(monkeypatch):
    model, theirs = pair()
    monkeypatch.setattr(ConvNeXt, "represent", norm_before_pooling)
    assert disagreements(model, theirs, ODD, renamed)


FAULTS = {
    "eps 1e-5": lambda model: [
        setattr(m, "eps", 1e-5) for m in model.modules() if isinstance(m, nn.LayerNorm)
    ],
    "no norm before a downsampling": lambda model: setattr(model.downsample[2][0], "forward", lambda x: x),
    "norm after the downsampling": lambda model: setattr(
        model,
        "downsample",
        nn.ModuleList(
            m
            if isinstance(m, nn.Identity)
            else nn.Sequential(m[1], nn.GroupNorm(1, m[1].out_channels).double())
            for m in model.downsample
        ),
    ),
    "one gamma left at its start": lambda model: nn.init.constant_(model.stages[3][1].gamma, 1e-6),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault):
    model, theirs = pair()
    FAULTS[fault](model)
    try:
        found = disagreements(model, theirs, ODD, renamed)
    except KeyError as error:
        found = [str(error)]
    assert found
