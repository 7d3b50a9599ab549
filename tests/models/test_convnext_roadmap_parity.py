"""The steps' arithmetic: the two ends against torchvision with its weights, every step against plain tensor
arithmetic, faults.
"""

from dataclasses import replace

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from dlbook.models.convnext_roadmap import VARIANTS, Block, Roadmap, convnext_roadmap
from tests.parity import close, disagreements, randomise

ROWS = list(VARIANTS)
STEP = {name: index for index, name in enumerate(ROWS)}


def from_resnet(name: str) -> str:
    """torchvision's name of a tensor of ResNet-50 -> ours."""
    if name.startswith("layer"):
        stage, block, kind, rest = name.removeprefix("layer").split(".", 3)
        if kind == "downsample":
            return f"stages.{int(stage) - 1}.{block}.shortcut.{rest}"
        return (
            f"stages.{int(stage) - 1}.{block}.branch.{int(kind[-1]) - 1}.{0 if 'conv' in kind else 1}.{rest}"
        )
    return name.replace("conv1", "stem.0").replace("bn1", "stem.1")


def from_convnext(name: str) -> str:
    """torchvision's name of a tensor of ConvNeXt -> ours."""
    first, stage, rest = name.split(".", 2)
    if first == "classifier":
        return ("norm." if stage == "0" else "fc.") + rest
    stage = int(stage)
    if stage == 0:
        return f"stem.{rest}"
    if stage % 2 == 0:
        return f"stages.{stage // 2}.0.{rest}"
    block, rest = rest.split(".", 1)
    inner = {
        "layer_scale": "gamma",
        "block.0": "branch.0.0",
        "block.2": "branch.0.1",
        "block.3": "branch.1.0",
        "block.5": "branch.2.0",
    }
    for theirs, ours in inner.items():
        rest = rest.replace(theirs, ours)
    return f"stages.{stage // 2}.{int(block) + (stage > 1)}.{rest}"


def copied(ours: nn.Module, theirs: nn.Module, rename) -> nn.Module:
    """Our model with their weights, in float64; linear layers become 1x1 convolutions. Every tensor has to
    find its place.
    """
    own, state = (
        ours.double().state_dict(),
        {rename(key): tensor for key, tensor in randomise(theirs).state_dict().items()},
    )
    assert own.keys() == state.keys()
    ours.load_state_dict({key: state[key].reshape(tensor.shape) for key, tensor in own.items()})
    return ours


def test_the_first_row_is_resnet_50():
    theirs = torchvision.models.resnet50(num_classes=7)
    ours = copied(convnext_roadmap("roadmap_resnet50", 7), theirs, from_resnet)
    assert disagreements(ours, theirs, (2, 3, 64, 40), from_resnet) == []


def test_the_last_row_is_convnext_t():
    theirs = torchvision.models.convnext_tiny(num_classes=7, stochastic_depth_prob=0.0)
    ours = copied(convnext_roadmap("roadmap_convnext_t", 7), theirs, from_convnext)
    assert disagreements(ours, theirs, (2, 3, 64, 40), from_convnext) == []


def thin(name: str) -> Roadmap:
    """A step at small size, its weights away from their start, in float64."""
    return randomise(Roadmap(replace(VARIANTS[name], depths=(2, 1, 2), width=6), 5, 2), seed=3)


class Plain:
    """The net of a step in plain tensor arithmetic, from the paper's words: nothing of the module under test
    but its weights.
    """

    def __init__(self, step: int, state: dict, train: bool) -> None:
        self.step, self.state, self.train = step, state, train

    def act(self, x):
        return F.relu(x) if self.step < 11 else F.gelu(x)

    def norm(self, x, name):
        weight, bias = (self.state[f"{name}.{kind}"][:, None, None] for kind in ("weight", "bias"))
        if self.step >= 14:
            centred = x - x.mean(1, keepdim=True)
            return centred / (centred.square().mean(1, keepdim=True) + 1e-6).sqrt() * weight + bias
        mean = x.mean((0, 2, 3)) if self.train else self.state[f"{name}.running_mean"]
        variance = x.var((0, 2, 3), correction=0) if self.train else self.state[f"{name}.running_var"]
        return (x - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt() * weight + bias

    def conv(self, x, name, stride=1, padding=None):
        weight = self.state[f"{name}.weight"]
        padding = weight.shape[-1] // 2 if padding is None else padding
        return F.conv2d(
            x, weight, self.state.get(f"{name}.bias"), stride, padding, groups=x.shape[1] // weight.shape[1]
        )

    def block(self, x, name, stride):
        strides = (1, stride, 1) if self.step < 6 else (stride, 1, 1)
        h = self.norm(self.conv(x, f"{name}.branch.0.0", strides[0]), f"{name}.branch.0.1")
        h = self.act(h) if self.step < 12 else h
        h = self.conv(h, f"{name}.branch.1.0", strides[1])
        h = self.norm(h, f"{name}.branch.1.1") if self.step < 13 else h
        h = self.conv(self.act(h), f"{name}.branch.2.0", strides[2])
        h = self.norm(h, f"{name}.branch.2.1") if self.step < 13 else h
        if f"{name}.shortcut.0.weight" in self.state:
            x = self.conv(x, f"{name}.shortcut.0", stride)
            x = self.norm(x, f"{name}.shortcut.1") if self.step < 13 else x
        h = x + h * (self.state[f"{name}.gamma"] if self.step == 15 else 1)
        return self.act(h) if self.step < 12 else h

    def __call__(self, images):
        x = self.conv(images, "stem.0", 2, 3) if self.step < 2 else self.conv(images, "stem.0", 4, 0)
        x = x if self.step in (13, 14) else self.norm(x, "stem.1")
        x = self.act(x) if self.step < 12 else x
        x = F.max_pool2d(x, 3, 2, 1) if self.step < 2 else x
        for stage, depth in enumerate((2, 1, 2)):
            separate = self.step == 15 and stage > 0
            if separate:
                x = self.conv(self.norm(x, f"stages.{stage}.0.0"), f"stages.{stage}.0.1", 2, 0)
            for index in range(depth):
                x = self.block(
                    x,
                    f"stages.{stage}.{index + separate}",
                    2 if stage and not index and self.step < 15 else 1,
                )
        x = x.mean((2, 3), keepdim=True)
        x = self.norm(x, "norm") if self.step == 15 else x
        return x.flatten(1) @ self.state["fc.weight"].T + self.state["fc.bias"]


def differences(name: str, model: Roadmap) -> list[str]:
    """Where the model and the plain arithmetic of its step differ: logits and the images' gradients, in both
    modes.
    """
    found = []
    for train in (False, True):
        generator = torch.Generator().manual_seed(5)
        images = torch.randn(2, 2, 37, 52, dtype=torch.float64, generator=generator).requires_grad_()
        state = {key: tensor.clone() for key, tensor in model.state_dict().items()}
        theirs, ours = Plain(STEP[name], state, train)(images), model.train(train)(images)
        weights = torch.randn(ours.shape, dtype=torch.float64, generator=generator)
        gradients = [torch.autograd.grad((logits * weights).sum(), images)[0] for logits in (ours, theirs)]
        found += [f"logits, train={train}"] * (not close(ours, theirs)) + [f"gradient, train={train}"] * (
            not close(*gradients, 1e-7)
        )
    return found


@pytest.mark.parametrize("name", ROWS)
def test_every_step_is_equal_to_plain_arithmetic(name):
    assert differences(name, thin(name)) == []


def act_first(self, x):
    """The one activation after the depthwise convolution instead of between the two 1x1."""
    first, second, third = self.branch
    return self.shortcut(x) + third(second[0](F.gelu(first(x))))


def stride_on_the_first(model):
    block = model.stages[1][0].branch
    block[0][0].stride, block[1][0].stride = (2, 2), (1, 1)


def test_plain_arithmetic_catches_the_activation_in_the_wrong_place(monkeypatch):
    model = thin("roadmap_fewer_activations")
    monkeypatch.setattr(Block, "forward", act_first)
    assert differences("roadmap_fewer_activations", model)


FAULTS = {
    "the stride on the first 1x1": ("roadmap_width_96", stride_on_the_first),
    "an activation after the sum": (
        "roadmap_fewer_activations",
        lambda model: setattr(model.stages[1][0], "activation", nn.GELU()),
    ),
    "no activation after the sum": (
        "roadmap_gelu",
        lambda model: setattr(model.stages[0][1], "activation", nn.Identity()),
    ),
    "an activation in the stem": ("roadmap_fewer_norms", lambda model: model.stem.append(nn.GELU())),
    "the kernel upside down": (
        "roadmap_kernel_9",
        lambda model: (
            model.stages[0][0].branch[0][0].weight.data.copy_(model.stages[0][0].branch[0][0].weight.flip(2))
        ),
    ),
    "layer scale twice": ("roadmap_convnext_t", lambda model: model.stages[0][0].gamma.data.mul_(2)),
    "max pooling left out": (
        "roadmap_stage_ratio",
        lambda model: setattr(model.stem, "3", nn.AvgPool2d(3, 2, 1)),
    ),
    "overlapping patches": ("roadmap_patchify", lambda model: setattr(model.stem[0], "padding", (1, 1))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_plain_arithmetic_catches_the_seeded_fault(monkeypatch, fault):
    name, spoil = FAULTS[fault]
    right, model = thin(name), thin(name)
    state = right.state_dict()
    spoil(model)
    monkeypatch.setattr(model, "state_dict", lambda: state)
    assert differences(name, model)
