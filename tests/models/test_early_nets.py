"""LeNet-5, AlexNet and Network in Network against their papers' counts, independent arithmetic, and seeded
faults.
"""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.models.alexnet import alexnet
from dlbook.models.alexnet_weights import load_torchvision_state
from dlbook.models.lenet import C3_INPUTS, SparseConv, Subsampling, digit_bitmaps, lenet, squash
from dlbook.models.nin import nin
from tests.oracles.parity import close, disagreements, randomise

COUNTS = {  # parameters, multiply-accumulates; see the docstrings of the models for the sources
    ("lenet5", 32): (60_000, 325_680),
    ("lenet5_modern", 28): (61_706, 416_520),
    ("alexnet", 227): (60_965_224, 724_406_816),
    ("alexnet_ungrouped", 227): (62_378_344, 1_135_256_096),
    ("alexnet_owt", 224): (61_100_840, 714_188_480),
    ("nin_cifar", 32): (966_986, None),
}


def build(name: str, **arguments) -> nn.Module:
    maker = {"l": lenet, "a": alexnet, "n": nin}[name[0]]
    return maker(name, **arguments)


def nin_macs() -> int:
    """By hand: widths times kernel area times positions, map by map."""
    layers = [
        (3, 192, 5, 32),
        (192, 160, 1, 32),
        (160, 96, 1, 32),
        (96, 192, 5, 16),
        (192, 192, 1, 16),
        (192, 192, 1, 16),
        (192, 192, 3, 8),
        (192, 192, 1, 8),
        (192, 10, 1, 8),
    ]
    return sum(c_in * c_out * k * k * side * side for c_in, c_out, k, side in layers)


@pytest.mark.parametrize("name, resolution", COUNTS)
def test_exact_counts(name, resolution):
    channels = 1 if name.startswith("lenet") else 3
    counts = count(lambda: build(name), (channels, resolution, resolution))
    parameters, macs = COUNTS[name, resolution]
    assert counts.parameters == parameters
    assert counts.macs == (nin_macs() if name == "nin_cifar" else macs)


def test_lenet_layers_have_the_paper_s_parameters():
    model = lenet("lenet5")
    sizes = {name: sum(p.numel() for p in layer.parameters()) for name, layer in model.named_children()}
    assert sizes == {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "f6": 10_164, "output": 0}


def dense_c3(sparse: SparseConv, x: torch.Tensor) -> torch.Tensor:
    """The oracle: one dense convolution whose weights are zero where Table I has no cross."""
    weight = torch.zeros(16, 6, 5, 5, dtype=x.dtype)
    for out, inputs in enumerate(C3_INPUTS):
        weight[out, list(inputs)] = sparse.maps[out].weight[0].detach()
    return F.conv2d(x, weight, torch.cat([conv.bias for conv in sparse.maps]))


def test_sparse_c3_is_a_masked_dense_convolution():
    sparse, x = randomise(SparseConv()), torch.randn(2, 6, 14, 11, dtype=torch.float64)
    assert close(sparse(x), dense_c3(sparse, x))
    sparse.maps[3], sparse.maps[4] = sparse.maps[4], sparse.maps[3]  # fault: two rows of the table exchanged
    broken = SparseConv().double()
    broken.load_state_dict(sparse.state_dict())
    sparse.maps[3], sparse.maps[4] = sparse.maps[4], sparse.maps[3]
    assert not close(broken(x), dense_c3(sparse, x))


def test_lenet_score_is_minus_the_distance_to_the_bitmap():
    model, images = randomise(lenet("lenet5")), torch.randn(3, 1, 32, 32, dtype=torch.float64)
    x = torch.tanh(model.s2(1.7159 * torch.tanh(model.c1(images) * 2 / 3)) * 2 / 3) * 1.7159
    x = 1.7159 * torch.tanh(2 / 3 * model.s4(1.7159 * torch.tanh(2 / 3 * dense_c3(model.c3, x))))
    x = 1.7159 * torch.tanh(2 / 3 * model.f6(1.7159 * torch.tanh(2 / 3 * model.c5(x)).flatten(1)))
    expected = torch.stack(
        [-sum((x[:, j] - model.output.bitmaps[digit, j]) ** 2 for j in range(84)) for digit in range(10)],
        dim=1,
    )
    assert close(model(images), expected)


def test_squash_and_subsampling():
    assert torch.allclose(squash(torch.tensor([1.0, -1.0, 0.0])), torch.tensor([1.0, -1.0, 0.0]), atol=1e-4)
    layer, x = randomise(Subsampling(2)), torch.randn(1, 2, 4, 6, dtype=torch.float64)
    pooled = torch.stack(
        [x[:, :, i : i + 2, j : j + 2].mean((2, 3)) for i in (0, 2) for j in (0, 2, 4)], -1
    ).reshape(1, 2, 2, 3)
    assert close(layer(x), layer.weight * pooled + layer.bias)


def test_bitmaps_are_ten_different_drawings_and_not_trained():
    bitmaps = digit_bitmaps()
    assert bitmaps.shape == (10, 84) and set(bitmaps.unique().tolist()) == {-1.0, 1.0}
    assert len({tuple(row.tolist()) for row in bitmaps}) == 10
    assert "output.bitmaps" not in dict(lenet("lenet5").named_parameters())
    assert "output.bitmaps" in dict(lenet("lenet5").named_buffers())


def thin(model: nn.Module) -> nn.Module:
    """The net with narrow linear layers, in the same places: two cores can afford them in float64."""
    linear = [index for index, layer in enumerate(model.classifier) if isinstance(layer, nn.Linear)]
    for index, layer in zip(linear, (nn.Linear(9216, 24), nn.Linear(24, 16), nn.Linear(16, 5)), strict=True):
        model.classifier[index] = layer
    return model


def thin_alexnet() -> nn.Module:
    return randomise(thin(alexnet("alexnet"))).eval()


def test_alexnet_is_torchvision_s():
    reference = randomise(thin(torchvision.models.alexnet()))
    model = load_torchvision_state(randomise(thin(alexnet("alexnet_owt"))), reference.state_dict())
    assert disagreements(model, reference, (2, 3, 70, 95)) == []


def two_towers(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The oracle: the two GPUs as two chains that exchange their maps before the third convolution only."""
    convs = [layer for layer in model.features if isinstance(layer, nn.Conv2d)]
    lrn = lambda x: F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)
    x = F.max_pool2d(lrn(F.relu(convs[0](images))), 3, 2)
    halves = [
        F.relu(
            F.conv2d(
                x[:, 48 * i : 48 * (i + 1)],
                convs[1].weight[128 * i : 128 * (i + 1)],
                convs[1].bias[128 * i : 128 * (i + 1)],
                padding=2,
            )
        )
        for i in (0, 1)
    ]
    x = F.relu(convs[2](F.max_pool2d(lrn(torch.cat(halves, 1)), 3, 2)))
    towers = list(x.chunk(2, 1))
    for conv in convs[3:]:
        weights, biases = conv.weight.chunk(2), conv.bias.chunk(2)
        towers = [
            F.relu(F.conv2d(tower, w, b, padding=1))
            for tower, w, b in zip(towers, weights, biases, strict=True)
        ]
    return F.max_pool2d(torch.cat(towers, 1), 3, 2)


def test_alexnet_of_2012_is_two_towers():
    model = thin_alexnet()
    images = 50 * torch.randn(1, 3, 99, 131, dtype=torch.float64)
    assert close(model.features(images), two_towers(model, images))
    for module in model.features:  # fault: torch's alpha where the paper's belongs
        if hasattr(module, "alpha"):
            module.alpha /= 5
    assert not close(model.features(images), two_towers(model, images))


def test_alexnet_faults_are_caught():
    images = torch.randn(1, 3, 99, 131, dtype=torch.float64)
    for fault in (
        lambda m: setattr(m.features[4], "groups", 1),
        lambda m: m.features.__setitem__(3, nn.MaxPool2d(2)),
        lambda m: m.features.__setitem__(2, nn.Identity()),
    ):
        model = thin_alexnet()
        fault(model)
        try:
            assert not close(model.features(images), two_towers(model, images))
        except RuntimeError as error:
            assert "expected input" in str(error) or "weight of size" in str(error)


def test_alexnet_biases_of_one_keep_the_maps_alive():
    torch.manual_seed(0)
    model, images = alexnet("alexnet", num_classes=2), torch.randn(1, 3, 227, 227)
    alive = model.features(images).mean()
    for layer in model.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.bias)
    assert alive > 100 * model.features(images).mean()


def test_nin_s_1x1_convolutions_are_an_mlp_over_patches():
    model = randomise(nin()).eval()
    block, x = model.features[0], torch.randn(1, 3, 6, 7, dtype=torch.float64)
    patches = F.unfold(x, 5, padding=2)[0].T  # [H * W, 75]
    for layer in block:
        if isinstance(layer, nn.Conv2d):
            patches = F.relu(patches @ layer.weight.flatten(1).T + layer.bias)
    assert close(block(x)[0], patches.T.reshape(96, 6, 7))


def test_nin_has_no_linear_layer_and_averages_its_class_maps():
    model, images = randomise(nin()).eval(), torch.randn(2, 3, 32, 40, dtype=torch.float64)
    assert not any(isinstance(module, nn.Linear) for module in model.modules())
    assert close(model(images), model.features(images).flatten(2).mean(-1)) and model(images).shape == (2, 10)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: lenet("lenet4"), "did you mean lenet5"),
        (lambda: lenet("lenet5", num_classes=11), "10 digits only"),
        (lambda: alexnet("alexnet", num_classes=0), "expected num_classes"),
        (lambda: nin(drop_prob=1.5), "expected drop_prob"),
        (lambda: lenet()(torch.zeros(1, 1, 28, 28)), "must be 32 x 32 pixels"),
        (lambda: nin()(torch.zeros(1, 1, 32, 32)), r"float \[B, 3, H, W\]"),
        (lambda: alexnet("alexnet", num_classes=1)(torch.zeros(1, 3, 66, 99)), "at least 67 pixels"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
