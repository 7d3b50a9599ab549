"""Counts against an independent table of published models, against torchvision, and by hand."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count

# Parameters, MACs and receptive field at 224 x 224, of the models of torchvision 0.29.1. Parameters and MACs
# are held against
# torchvision's own documentation below, receptive fields against gradients.
PUBLISHED = {
    "alexnet": (61_100_840, 714_188_480, 195),
    "vgg11": (132_863_336, 7_609_090_048, 150),
    "resnet18": (11_689_512, 1_814_073_344, 435),
    "resnet50": (25_557_032, 4_089_184_256, 427),
    "resnext50_32x4d": (25_028_904, 4_230_479_872, 427),
    "mobilenet_v2": (3_504_872, 300_774_272, 491),
    "densenet121": (7_978_856, 2_834_161_664, 2071),
    "efficientnet_b0": (5_288_548, 385_814_752, 851),
    "convnext_tiny": (28_589_128, 4_455_531_264, 1688),
    "vit_b_16": (86_567_656, 17_563_828_224, 16),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models(name):
    counts = count(lambda: getattr(torchvision.models, name)(weights=None))
    assert (counts.parameters, counts.macs, counts.receptive_field) == PUBLISHED[name]
    assert counts.trainable == counts.parameters
    assert sum(layer.parameters for layer in counts.layers) == counts.parameters
    assert sum(layer.macs for layer in counts.layers) == counts.macs
    assert all(type(value) is int for value in (counts.parameters, counts.macs, counts.activations))


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",
        "resnet50",
        "mobilenet_v3_large",
        "shufflenet_v2_x1_0",
        "regnet_y_400mf",
        "swin_t",
        "vit_b_32",
    ],
)
def test_torchvision_says_the_same(name):
    """torchvision publishes parameters, and thousand millions of MACs to three decimals, with its weights."""
    meta = torchvision.models.get_model_weights(name).DEFAULT.meta
    size = torchvision.models.get_model_weights(name).DEFAULT.transforms().crop_size[0]
    counts = count(lambda: getattr(torchvision.models, name)(weights=None), (3, size, size))
    assert counts.parameters == meta["num_params"]
    assert round(counts.macs / 1e9, 3) == meta["_ops"]


def test_a_convolution_by_hand():
    counts = count(lambda: nn.Conv2d(6, 8, (3, 5), stride=(2, 1), padding=1, groups=2), (6, 11, 9))
    height, width = (11 + 2 - 3) // 2 + 1, 9 + 2 - 5 + 1
    assert counts.parameters == 8 * 3 * 15 + 8
    assert counts.macs == 8 * height * width * 3 * 15
    assert counts.activations == 8 * height * width
    assert counts.receptive_field == (3, 5)


class Attention(nn.Module):
    """Two products of N x N, and two linear layers."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.qkv, self.out, self.fused = nn.Linear(32, 96), nn.Linear(32, 32, bias=False), fused

    def forward(self, tokens):
        query, key, value = (
            part.unflatten(2, (4, 8)).transpose(1, 2) for part in self.qkv(tokens).chunk(3, dim=-1)
        )
        if self.fused:
            mixed = F.scaled_dot_product_attention(query, key, value)
        else:
            mixed = (query @ key.transpose(2, 3) / 8**0.5).softmax(-1) @ value
        return self.out(mixed.transpose(1, 2).flatten(2))


@pytest.mark.parametrize("fused", [False, True])
def test_attention_by_hand(fused):
    counts = count(lambda: Attention(fused), (10, 32))
    assert counts.macs == 10 * 32 * 96 + 10 * 32 * 32 + 2 * 10 * 10 * 32
    assert counts.activations == 10 * 96 + 10 * 32  # the products of activations are no layers
    assert counts.receptive_field is None


def test_multi_head_attention_of_torch():
    class Self(nn.MultiheadAttention):
        def forward(self, tokens):
            return super().forward(tokens, tokens, tokens, need_weights=False)[0]

    counts = count(lambda: Self(32, 4, batch_first=True), (10, 32))
    assert counts.macs == 10 * 32 * 96 + 10 * 32 * 32 + 2 * 10 * 10 * 32


def test_shared_weights_count_once_and_their_work_twice():
    layer = nn.Linear(8, 8)
    counts = count(lambda: nn.Sequential(layer, nn.ReLU(), layer), (8,))
    assert (counts.parameters, counts.macs) == (72, 128)


def test_frozen_weights_are_not_trainable():
    def build():
        model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
        model[0].requires_grad_(False)
        return model

    assert (count(build, (3,)).parameters, count(build, (3,)).trainable) == (11, 3)


def test_counting_leaves_no_trace():
    state = torch.random.get_rng_state()
    count(lambda: nn.Conv2d(3, 4, 3), (3, 8, 8))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_constructor_that_reads_values_is_counted_too():
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(
                nn.Linear(4, 4 if p.item() < 1 else 8) for p in torch.linspace(0, 1, 2)
            )

        def forward(self, x):
            return self.layers[1](self.layers[0](x))

    assert count(Reads, (4,)).parameters == 20 + 40


def test_mistakes_are_told():
    with pytest.raises(ValueError, match="lambda"):
        count(nn.Linear(1, 1), (1,))
    with pytest.raises(ValueError, match="batch axis"):
        count(lambda: nn.Linear(3, 1), (4,))
    with pytest.raises(ValueError, match="torch.nn.Module"):
        count(lambda: 3, (4,))


def test_outputs_of_all_modules():
    found = count(
        lambda: nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), nn.Flatten()), (3, 8, 8)
    )
    assert found.outputs == {
        "": ("Sequential", (144,)),
        "0": ("Sequential", (4, 6, 6)),
        "0.0": ("Conv2d", (4, 6, 6)),
        "0.1": ("ReLU", (4, 6, 6)),
        "1": ("Flatten", (144,)),
    }
