"""LeNet-5 against its paper's counts, a masked dense convolution and the equations, and faults that people
make.
"""

import pytest
import torch
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.models.lenet import C3_INPUTS, SparseConv, Subsampling, digit_bitmaps, lenet, squash
from dlbook.zoo.sizes import input_size
from tests.oracles.parity import close, randomise

COUNTS = {  # parameters and multiply-accumulates; the docstring of the model has the sources
    "lenet5": (60_000, 325_680),
    "lenet5_modern": (61_706, 416_520),
}


@pytest.mark.parametrize("name", COUNTS)
def test_exact_counts(name):
    counts = count(lambda: lenet(name), input_size(name))
    assert (counts.parameters, counts.macs) == COUNTS[name]


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


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: lenet("lenet4"), "did you mean lenet5"),
        (lambda: lenet("lenet5", num_classes=11), "10 digits only"),
        (lambda: lenet("lenet5_modern", in_channels=0), "expected in_channels"),
        (lambda: lenet()(torch.zeros(1, 1, 28, 28)), "images of 32 x 32 pixels"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
