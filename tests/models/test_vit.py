"""Vision transformers against Table 1, timm's and torchvision's weights and arithmetic, and faults that
people make.
"""

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import VisionTransformer as Torchvision

from dlbook.measure import count
from dlbook.measure.feature_maps import feature_maps
from dlbook.models import create
from dlbook.models.vit import MLP, VARIANTS, Block, Config, VisionTransformer, vit
from dlbook.models.vit_weights import load_timm_state, load_torchvision_state, torchvision_name
from dlbook.nn.attention import SelfAttention
from tests.parity import close, disagreements, randomise

# parameters and multiply-accumulates at 224 x 224: timm 1.0.31 (Ti, S), torchvision 0.29.1 (B, L, H)
COUNTS = {
    "vit_ti_16": (5_717_416, 1_253_683_200),
    "vit_s_16": (22_050_664, 4_598_882_304),
    "vit_s_32": (22_878_952, 1_142_909_952),
    "vit_b_16": (86_567_656, 17_563_828_224),
    "vit_b_32": (88_224_232, 4_409_186_304),
    "vit_l_16": (304_326_632, 61_554_712_576),
    "vit_l_32": (306_535_400, 15_377_539_072),
    "vit_h_14": (632_045_800, 167_295_109_120),
}


def by_hand(name: str) -> tuple[int, int]:
    """Parameters and MACs from the formula of each layer, for 224 x 224 pixels and 1,000 classes."""
    config = VARIANTS[name]
    L, D, M, p = config.depth, config.dim, config.mlp_dim, config.patch_size
    N = (224 // p) ** 2
    T = N + 1
    block = (4 * D * D + 4 * D) + (2 * D * M + D + M) + 4 * D
    parameters = (3 * p * p * D + D) + D + T * D + L * block + 2 * D + (1000 * D + 1000)
    macs = N * 3 * p * p * D + L * (T * (4 * D * D + 2 * D * M) + 2 * T * T * D) + 1000 * D
    return parameters, macs


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: vit(name), (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name] == by_hand(name)


@pytest.mark.parametrize("name", VARIANTS)
def test_token_shapes(name):
    config = VARIANTS[name]
    maps = feature_maps(create(name, device="meta"), torch.empty(2, 3, 224, 224, device="meta"))
    assert [tuple(tokens.shape) for tokens in maps] == [
        (2, (224 // config.patch_size) ** 2 + 1, config.dim)
    ] * (config.depth + 1)


def timm_peer(resolution=(32, 64), **options) -> nn.Module:
    return randomise(timm.create_model("vit_tiny_patch16_224", num_classes=7, img_size=resolution, **options))


def ours(resolution=(32, 64), **options) -> VisionTransformer:
    return vit("vit_ti_16", num_classes=7, resolution=resolution, **options).double()


def test_equal_to_timm():
    reference = timm_peer()
    assert disagreements(load_timm_state(ours(), reference.state_dict()), reference, (2, 3, 32, 64)) == []


@pytest.mark.parametrize("representation_dim", [None, 24])
def test_equal_to_torchvision(representation_dim):
    reference = randomise(
        Torchvision(32, 8, 3, 4, 32, 80, num_classes=7, representation_size=representation_dim)
    )
    config = Config(3, 32, 4, 80, 8)
    model = VisionTransformer(config, 7, resolution=32, representation_dim=representation_dim).double()
    load_torchvision_state(model, reference.state_dict())
    assert disagreements(model, reference, (2, 3, 32, 32), torchvision_name) == []


def test_another_resolution_in_forward_is_timm_s():
    reference = timm_peer((64, 32), dynamic_img_size=True)
    model = load_timm_state(ours((64, 32)), reference.state_dict())
    assert disagreements(model, reference, (2, 3, 48, 80), relative=1e-6) == []  # timm resizes in float32


def test_features_and_attention_are_timm_s():
    reference, images = timm_peer().eval(), torch.randn(2, 3, 32, 64, dtype=torch.float64)
    model, seen = load_timm_state(ours(), reference.state_dict()).eval(), []
    for block in reference.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda module, inputs, output: seen.append(output))
    assert close(model.forward_features(images), reference.forward_features(images))
    for layer in (0, 5, 11):
        assert close(model.attention(images, layer), seen[layer])
    weights = model.attention(images)
    assert close(weights, seen[-1]) and weights.shape == (2, 3, 9, 9)
    assert close(model.encode(model.embed(images)), model.norm(feature_maps(model, images)[-1]))


def test_without_positions_patches_have_no_order():
    model = randomise(ours())
    nn.init.zeros_(model.pos_embed)
    images = torch.randn(2, 3, 32, 64, dtype=torch.float64)
    swapped = torch.cat([images[..., 48:], images[..., 16:48], images[..., :16]], dim=-1)
    assert close(model(swapped), model(images))
    nn.init.normal_(model.pos_embed)
    assert not close(model(swapped), model(images))


def post_norm(self, x):
    x = self.norm1(x + self.attn(x))
    return self.norm2(x + self.mlp(x))


def one_norm(self, x):
    y = self.norm1(x)
    return x + self.attn(y) + self.mlp(self.norm2(y))


def without_last_norm(self, tokens):
    return nn.Sequential(*self.blocks)(tokens)


def class_token_last(self, images):
    patches = self.patch_embed(images)
    return torch.cat([patches, self.cls_token.expand(len(patches), -1, -1)], dim=1) + self.pos_embed


def no_position_for_the_class_token(self, images):
    patches = self.patch_embed(images) + self.pos_embed[:, 1:]
    return torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1)


def patches_read_down(self, images):
    patches = self.patch_embed.proj(images).transpose(2, 3).flatten(2).transpose(1, 2)
    return torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1) + self.pos_embed


def replace(cls, name, method):
    return lambda model, monkeypatch: monkeypatch.setattr(cls, name, method)


def every(kind, change):
    return lambda model, monkeypatch: [
        change(module) for module in model.modules() if isinstance(module, kind)
    ]


def test_initial_statistics():
    torch.manual_seed(0)
    model = vit("vit_s_16", representation_dim=200)
    state = model.state_dict()
    deviations = {
        "patch_embed.proj.weight": (3 * 16 * 16) ** -0.5,
        "pos_embed": 0.02,
        "pre_logits.weight": 384**-0.5,
        "blocks.3.attn.qkv.weight": (2 / (384 + 384)) ** 0.5,
        "blocks.3.attn.proj.weight": (2 / (384 + 384)) ** 0.5,
        "blocks.7.mlp.fc1.weight": (2 / (384 + 1536)) ** 0.5,
        "blocks.7.mlp.fc2.weight": (2 / (384 + 1536)) ** 0.5,
    }
    for name, deviation in deviations.items():
        number = state[name].numel()
        assert abs(state[name].std() / deviation - 1) < 6 / (2 * number) ** 0.5, name
        assert abs(state[name].mean()) < 6 * deviation / number**0.5, name
    for name in (
        "cls_token",
        "head.weight",
        "head.bias",
        "patch_embed.proj.bias",
        "blocks.0.attn.qkv.bias",
        "blocks.0.attn.proj.bias",
    ):
        assert (state[name] == 0).all(), name
    assert 0 < state["blocks.0.mlp.fc1.bias"].abs().max() < 1e-5
    assert not torch.equal(
        state["blocks.0.mlp.fc1.weight"], state["blocks.1.mlp.fc1.weight"]
    )  # no copies of one block


def test_dropout_stands_where_the_paper_has_it():
    model = vit("vit_ti_16", drop_prob=0.1, resolution=32)
    places = {
        name for name, module in model.named_modules() if isinstance(module, nn.Dropout) and module.p == 0.1
    }
    assert places == {
        "drop",
        *(f"blocks.{i}.{place}" for i in range(12) for place in ("attn.drop", "mlp.drop")),
    }
    nn.init.normal_(model.head.weight)
    images = torch.randn(1, 3, 32, 32)
    assert not torch.equal(model(images), model(images)) and torch.equal(model.eval()(images), model(images))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "vit_b_61"}, "did you mean vit_b_16"),
        ({"name": "vit_ti_16", "num_classes": 0}, "expected num_classes"),
        ({"name": "vit_ti_16", "in_channels": 0}, "expected in_channels"),
        ({"name": "vit_ti_16", "drop_prob": 1.0}, "expected drop_prob"),
        (
            {"name": "vit_h_14", "resolution": 384},
            "multiple of the patch size 14, got 384 x 384; resize the images, for example to 378 x 378",
        ),
        ({"name": "vit_ti_16", "representation_dim": 0}, "expected representation_dim"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        vit(**arguments)


def test_bad_images_and_layers():
    model = create("vit_ti_16", device="meta")
    with pytest.raises(ValueError, match="multiple of the patch size 16, got 225 x 224"):
        model(torch.zeros(1, 3, 225, 224, device="meta"))
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        model(torch.zeros(1, 4, 224, 224, device="meta"))
    with pytest.raises(ValueError, match=r"expected layer in \[-12, 12\), got 12"):
        model.attention(torch.zeros(1, 3, 224, 224, device="meta"), 12)


FAULTS = {
    "post-norm": replace(Block, "forward", post_norm),
    "MLP beside attention": replace(Block, "forward", one_norm),
    "ReLU for GELU": replace(MLP, "forward", lambda self, x: self.fc2(F.relu(self.fc1(x)))),
    "GELU by tanh": replace(
        MLP, "forward", lambda self, x: self.fc2(F.gelu(self.fc1(x), approximate="tanh"))
    ),
    "epsilon of torch": every(nn.LayerNorm, lambda module: setattr(module, "eps", 1e-5)),
    "no last norm": replace(VisionTransformer, "encode", without_last_norm),
    "mean of the tokens": replace(
        VisionTransformer, "forward", lambda self, images: self.head(self.forward_features(images).mean(1))
    ),
    "class token last": replace(VisionTransformer, "embed", class_token_last),
    "class token without position": replace(VisionTransformer, "embed", no_position_for_the_class_token),
    "patches read down": replace(VisionTransformer, "embed", patches_read_down),
    "no bias of queries, keys and values": every(
        SelfAttention, lambda module: nn.init.zeros_(module.qkv.bias)
    ),
    "six heads": every(SelfAttention, lambda module: setattr(module, "num_heads", 6)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault, monkeypatch):
    reference = timm_peer()
    model = load_timm_state(ours(), reference.state_dict())
    FAULTS[fault](model, monkeypatch)
    assert disagreements(model, reference, (2, 3, 32, 64))
