"""DeiT against timm's weights and arithmetic, its losses against loops over equations (2) and (3), and faults
that people make.
"""

import pytest
import timm
import torch
from torch import nn

from dlbook.measure import count
from dlbook.models import create
from dlbook.models.deit import (
    VARIANTS,
    Block,
    DeiT,
    DistillationHeads,
    deit,
)
from dlbook.models.deit_weights import HEADS, load_timm_state
from dlbook.nn.position import interpolate_positions
from tests.parity import close, disagreements, randomise

# parameters and multiply-accumulates at 224 x 224: timm 1.0.31
COUNTS = {
    "deit_ti": (5_717_416, 1_253_683_200),
    "deit_s": (22_050_664, 4_598_882_304),
    "deit_b": (86_567_656, 17_563_828_224),
    "deit_ti_distilled": (5_910_800, 1_261_003_776),
    "deit_s_distilled": (22_436_432, 4_624_140_288),
    "deit_b_distilled": (87_338_192, 17_656_811_520),
}
SIZE = (32, 64)


class Heads(nn.Module):
    """Both heads' logits side by side, so that one comparison sees both."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images):
        out = self.model(images)
        return out if isinstance(out, torch.Tensor) else torch.cat(out, dim=1)


def timm_peer(distilled: bool, resolution=SIZE, **options) -> nn.Module:
    name = "deit_tiny_distilled_patch16_224" if distilled else "deit_tiny_patch16_224"
    model = randomise(timm.create_model(name, num_classes=7, img_size=resolution, **options))
    if distilled:
        model.set_distilled_training(True)
    return model


def names(distilled: bool):
    """From a name in the state of timm's `Heads` to ours."""
    table = {f"model.{theirs}": f"model.{own}" for theirs, own in HEADS.items()} if distilled else {}
    return lambda name: table.get(name, name)


def ours(distilled: bool, resolution=SIZE) -> DeiT:
    return deit(
        "deit_ti_distilled" if distilled else "deit_ti", num_classes=7, resolution=resolution
    ).double()


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: deit(name), (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name]


@pytest.mark.parametrize("name", VARIANTS)
def test_shapes(name):
    with torch.device("meta"):
        model, images = deit(name), torch.empty(2, 3, 224, 224)
    assert model.forward_features(images).shape == (2, 196 + model.prefix_tokens, VARIANTS[name].dim)
    assert model.attention(images).shape == (
        2,
        VARIANTS[name].dim // 64,
        196 + model.prefix_tokens,
        196 + model.prefix_tokens,
    )
    assert model.eval()(images).shape == (2, 1000)


@pytest.mark.parametrize("distilled", [False, True])
def test_equal_to_timm(distilled):
    reference = timm_peer(distilled)
    model = load_timm_state(ours(distilled), reference.state_dict())
    assert disagreements(Heads(model), Heads(reference), (2, 3, *SIZE), names(distilled)) == []


@pytest.mark.parametrize("distilled", [False, True])
def test_other_resolutions_are_timm_s(distilled):
    reference = timm_peer(distilled, 64, dynamic_img_size=True)
    model = load_timm_state(ours(distilled, 64), reference.state_dict())
    assert (
        disagreements(Heads(model), Heads(reference), (2, 3, 48, 80), names(distilled), relative=1e-6) == []
    )  # timm resizes in float32
    prefix = 1 + distilled
    model = load_timm_state(ours(distilled, (48, 80)), reference.state_dict())
    assert torch.equal(model.pos_embed, interpolate_positions(reference.pos_embed, (4, 4), (3, 5), prefix))


def test_attention_is_timm_s():
    reference, images = timm_peer(True).eval(), torch.randn(2, 3, *SIZE, dtype=torch.float64)
    model, seen = load_timm_state(ours(True), reference.state_dict()).eval(), []
    for block in reference.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda module, inputs, output: seen.append(output))
    reference(images)
    assert all(close(model.attention(images, layer), seen[layer]) for layer in (0, 6, -1))


def test_both_heads_in_training_their_mean_after():
    model, images = randomise(ours(True)), torch.randn(2, 3, *SIZE, dtype=torch.float64)
    first, second = model(images)
    assert not close(first, second) and close(model.eval()(images), (first + second) / 2)
    assert isinstance(randomise(ours(False)).train()(images), torch.Tensor)


def distillation_token_first(self, images):
    patches = self.patch_embed(images)
    tokens = [
        self.dist_token.expand(len(patches), -1, -1),
        self.cls_token.expand(len(patches), -1, -1),
        patches,
    ]
    return torch.cat(tokens, dim=1) + self.pos_embed


def sum_of_the_heads(self, tokens):
    first, second = tokens.chunk(2, dim=1)
    outputs = self.label(first), self.teacher(second)
    return outputs if self.training else outputs[0] + outputs[1]


def one_head_for_both(self, tokens):
    first, second = tokens.chunk(2, dim=1)
    outputs = self.label(first), self.label(second)
    return outputs if self.training else (outputs[0] + outputs[1]) / 2


def heads_exchanged(self, tokens):
    first, second = tokens.chunk(2, dim=1)
    outputs = self.teacher(first), self.label(second)
    return outputs if self.training else (outputs[0] + outputs[1]) / 2


def heads_read_the_class_token(self, tokens):
    first, _ = tokens.chunk(2, dim=1)
    outputs = self.label(first), self.teacher(first)
    return outputs if self.training else (outputs[0] + outputs[1]) / 2


def class_head_alone_in_evaluation(self, tokens):
    first, second = tokens.chunk(2, dim=1)
    outputs = self.label(first), self.teacher(second)
    return outputs if self.training else outputs[0]


def no_mlp_norm(self, x):
    x = x + self.attn(self.norm1(x))
    return x + self.mlp(x)


def test_stochastic_depth_grows_linearly():
    model = create("deit_ti", drop_path=0.11, device="meta")
    assert [block.drop_path.drop_prob for block in model.blocks] == pytest.approx(
        [0.01 * index for index in range(12)]
    )


def test_initial_statistics():
    torch.manual_seed(0)
    state = deit("deit_s_distilled").state_dict()
    names = (
        "pos_embed",
        "cls_token",
        "dist_token",
        "head.label.weight",
        "head.teacher.weight",
        "blocks.2.attn.qkv.weight",
        "blocks.9.mlp.fc2.weight",
    )
    for name in names:
        assert abs(state[name].std() / 0.02 - 1) < 6 / (2 * state[name].numel()) ** 0.5, name
    assert (state["blocks.0.attn.qkv.bias"] == 0).all() and (state["head.teacher.bias"] == 0).all()
    assert not torch.equal(state["cls_token"], state["dist_token"])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "deit_xs"}, "did you mean deit_"),
        ({"name": "deit_s", "num_classes": 0}, "expected num_classes"),
        ({"name": "deit_s", "in_channels": 0}, "expected in_channels"),
        ({"name": "deit_s", "drop_path": 1.0}, "expected drop_path"),
        ({"name": "deit_s", "resolution": 100}, "multiple of the patch size 16"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        deit(**arguments)


def test_bad_images_and_layers():
    model = create("deit_ti_distilled", device="meta")
    with pytest.raises(ValueError, match="multiple of the patch size 16"):
        model(torch.zeros(1, 3, 224, 225, device="meta"))
    with pytest.raises(ValueError, match=r"expected layer in \[-12, 12\)"):
        model.attention(torch.zeros(1, 3, 224, 224, device="meta"), -13)


FAULTS = [
    (DeiT, "embed", distillation_token_first),
    (DistillationHeads, "forward", sum_of_the_heads),
    (DistillationHeads, "forward", one_head_for_both),
    (DistillationHeads, "forward", heads_exchanged),
    (DistillationHeads, "forward", heads_read_the_class_token),
    (DistillationHeads, "forward", class_head_alone_in_evaluation),
    (Block, "forward", no_mlp_norm),
]


@pytest.mark.parametrize("cls, name, method", FAULTS)
def test_parity_catches_the_seeded_fault(cls, name, method, monkeypatch):
    reference = timm_peer(True)
    model = load_timm_state(ours(True), reference.state_dict())
    monkeypatch.setattr(cls, name, method)
    assert disagreements(Heads(model), Heads(reference), (2, 3, *SIZE), names(True))
