"""Counts against an independent table of published models, against torchvision, and against the support of
gradients.
"""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.measure.receptive_field import Field

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


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return x[..., : self.body(x).shape[-2], : self.body(x).shape[-1]] * 0.5 + self.body(x)


class Gate(nn.Module):
    """Squeeze-and-excitation: it looks at the whole map, and leaves the field as it is."""

    def __init__(self, channels):
        super().__init__()
        self.layer = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return x * self.layer(F.adaptive_avg_pool2d(x, 1)).sigmoid()


class Side(nn.Module):
    """Branches side by side, as in GoogLeNet; the one that runs last may see least."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class Shuffle(nn.Module):
    def forward(self, x):
        return x.unflatten(1, (2, x.shape[1] // 2)).transpose(1, 2).flatten(1, 2)


class ChannelsLast(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layer = nn.Linear(channels, channels)

    def forward(self, x):
        return self.layer(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


NETWORKS = {
    "plain": lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 5, stride=2), nn.Conv2d(2, 1, 3)),
    "dilated": lambda: nn.Sequential(
        nn.Conv2d(1, 2, 3, dilation=3), nn.AvgPool2d(3, 2), nn.Conv2d(2, 1, 3, stride=3)
    ),
    "uneven": lambda: nn.Sequential(
        nn.Conv2d(1, 2, (3, 1), stride=(1, 2)), nn.Conv2d(2, 1, (2, 4), padding=1)
    ),
    "branches": lambda: nn.Sequential(
        Residual(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 3)), nn.Conv2d(1, 1, 2, stride=2)
    ),
    "largest branch first": lambda: nn.Sequential(
        Side(nn.Conv2d(1, 2, 5, padding=2), nn.Conv2d(1, 2, 1)), nn.Conv2d(4, 4, 1)
    ),
    "ends in branches": lambda: Side(nn.Conv2d(1, 2, 5, padding=2), nn.Conv2d(1, 2, 3, padding=1)),
    "shuffled": lambda: nn.Sequential(nn.Conv2d(1, 4, 3), Shuffle(), nn.Conv2d(4, 1, 3, padding=1)),
    "channels last": lambda: nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), ChannelsLast(4), nn.Conv2d(4, 1, 3)),
    "padded": lambda: nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(1, 1, 3, stride=2), nn.AvgPool2d(2)
    ),
}


def gradient_support(build, size=41):
    """Rows and columns of the input that the output's middle element depends on: the definition, by autograd."""
    model = build().double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1.0)  # no cancellation
    image = torch.ones(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    output = model(image)
    output[0, 0, output.shape[2] // 2, output.shape[3] // 2].backward()
    seen = image.grad[0, 0] != 0
    spans = [axis.nonzero().flatten() for axis in (seen.any(1), seen.any(0))]
    return tuple(int(span[-1] - span[0]) + 1 for span in spans)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_receptive_field_is_the_support_of_the_gradient(name):
    field = count(NETWORKS[name], (1, 41, 41)).receptive_field
    assert ((field, field) if isinstance(field, int) else field) == gradient_support(NETWORKS[name])


def test_a_gate_leaves_the_field_as_it_is():
    layers = count(lambda: nn.Sequential(nn.Conv2d(1, 4, 3), Gate(4), nn.Conv2d(4, 4, 3)), (1, 20, 20)).layers
    assert [layer.rf for layer in layers] == [3, None, 5]


def test_a_mean_over_channels_keeps_the_field():
    class Mean(nn.Module):
        def forward(self, x):
            return x.mean(1, keepdim=True)

    assert (
        count(
            lambda: nn.Sequential(nn.Conv2d(1, 4, 3), Mean(), nn.Conv2d(1, 4, 3)), (1, 20, 20)
        ).receptive_field
        == 5
    )


def test_the_oracle_catches_a_field_that_forgets_dilation(monkeypatch):
    right = Field.window
    monkeypatch.setattr(
        Field,
        "window",
        lambda self, kernel, stride, dilation: right(self, kernel, stride, (1,) * len(kernel)),
    )
    assert count(NETWORKS["dilated"], (1, 41, 41)).receptive_field != gradient_support(NETWORKS["dilated"])[0]


def test_the_oracle_catches_a_jump_that_takes_the_new_stride(monkeypatch):
    def wrong(self, kernel, stride, dilation):
        jump = tuple(j * s for j, s in zip(self.jump, stride, strict=True))
        return Field(
            self.axes,
            tuple(r + (k - 1) * d * j for r, k, d, j in zip(self.size, kernel, dilation, jump, strict=True)),
            jump,
        )

    monkeypatch.setattr(Field, "window", wrong)
    assert count(NETWORKS["plain"], (1, 41, 41)).receptive_field != gradient_support(NETWORKS["plain"])[0]


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
