"""LeNet-5 against its paper's counts, a masked dense convolution and the equations, and faults that people
make.
"""

import pytest
import torch
from skimage.measure import label
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.models import lenet as module
from dlbook.models.lenet import SparseConv, Subsampling, digit_bitmaps, lenet, squash
from dlbook.zoo.sizes import input_size
from tests.parity import close, randomise
from tests.seeded import check_sees

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


# Table I as the paper prints it: a row for each map of S2, a column for each map of C3
TABLE_I = """
    X...XXX..XXXX.XX
    XX...XXX..XXXX.X
    XXX...XXX..X.XXX
    .XXX..XXXX..X.XX
    ..XXX..XXXX.XX.X
    ...XXX..XXXX.XXX
""".split()


def dense_c3(sparse: SparseConv, x: torch.Tensor) -> torch.Tensor:
    """The oracle: one dense convolution whose weights are zero where Table I has no cross."""
    weight = torch.zeros(16, 6, 5, 5, dtype=x.dtype)
    for out in range(16):
        inputs = [i for i in range(6) if TABLE_I[i][out] == "X"]
        weight[out, inputs] = sparse.maps[out].weight[0].detach()
    return F.conv2d(x, weight, torch.cat([conv.bias for conv in sparse.maps]))


def check_c3(build) -> None:
    sparse, x = randomise(build()), torch.randn(2, 6, 14, 11, dtype=torch.float64)
    assert close(sparse(x), dense_c3(sparse, x))


def test_sparse_c3_is_a_masked_dense_convolution():
    check_c3(SparseConv)
    sparse, x = randomise(SparseConv()), torch.randn(2, 6, 14, 11, dtype=torch.float64)
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


def check_modern(build) -> None:
    """The textbooks' form in torch's functions: where it pads, which pooling, and a ReLU after each layer but
    the last.
    """
    model, images = randomise(build("lenet5_modern")), torch.randn(3, 1, 28, 28, dtype=torch.float64)
    state = model.state_dict()
    x = F.conv2d(F.pad(images, (2, 2, 2, 2)), state["c1.weight"], state["c1.bias"])
    x = x.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5)).clamp(min=0)
    x = F.conv2d(x, state["c3.weight"], state["c3.bias"])
    x = x.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5)).clamp(min=0).flatten(1)
    for name in ("c5", "f6"):
        x = (x @ state[f"{name}.weight"].T + state[f"{name}.bias"]).clamp(min=0)
    assert close(model.represent(images), x)
    assert close(model(images), x @ state["output.weight"].T + state["output.bias"])


def test_the_modern_form_in_functions():
    check_modern(lenet)


def check_bounds(build) -> None:
    """Section II-B: uniform in +-2.4 / fan_in, where a unit's fan_in counts all that it sees."""
    torch.manual_seed(0)
    model = build("lenet5", in_channels=2)
    fans = {"c1": 2 * 25, "c3.maps.0": 3 * 25, "c3.maps.15": 6 * 25, "c5": 16 * 25, "f6": 120}
    for name, fan in fans.items():
        weight = model.get_submodule(name).weight
        assert 0.9 * 2.4 / fan < weight.abs().max() <= 2.4 / fan, name
        assert abs(weight.std() * fan / 2.4 * 3**0.5 - 1) < 5 / weight.numel() ** 0.5, name


def test_initial_bounds():
    check_bounds(lenet)


def check_bitmaps(bitmaps) -> None:
    """Each drawing is its digit: two of them line by line, and of all how many holes they have."""
    images = bitmaps().reshape(10, 12, 7) > 0
    seven = "....... ....... .#####. .....#. ....#.. ...#... ..#.... ..#.... ..#.... ....... ....... ......."
    six = "....... ....... ...##.. ..#.... .#..... .####.. .#...#. .#...#. ..###.. ....... ....... ......."
    for digit, expected in ((7, seven), (6, six)):
        assert ["".join(".#"[p] for p in row) for row in images[digit].int().tolist()] == expected.split()
    holes = [label(~image.numpy(), connectivity=1).max() - 1 for image in images]
    assert holes == [2, 0, 0, 0, 1, 0, 1, 0, 2, 1]  # the 0 has a slash
    above, below = images[:, 2:5].sum((1, 2)), images[:, 6:9].sum((1, 2))
    assert below[6] > above[6] and above[9] > below[9]  # the bowl of a 6 is below, that of a 9 above


def test_bitmaps_show_their_digits():
    check_bitmaps(digit_bitmaps)


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


SIX = '"00110 01000 10000 11110 10001 10001 01110"'
NINE = '"01110 10001 10001 01111 00001 00010 01100"'
FAULTS = {
    "another map in a row of Table I": (
        check_c3,
        "SparseConv",
        "    (0, 3, 4, 5),\n",
        "    (0, 2, 4, 5),\n",
    ),
    "average for max pooling": (
        check_modern,
        "lenet",
        "F.max_pool2d(F.relu(self.c1(images)), 2)",
        "F.avg_pool2d(F.relu(self.c1(images)), 2)",
    ),
    "no ReLU after F6": (
        check_modern,
        "lenet",
        "return F.relu(self.f6(F.relu(self.c5(x.flatten(1)))))",
        "return self.f6(F.relu(self.c5(x.flatten(1))))",
    ),
    "fan_out for fan_in": (check_bounds, "lenet", "module.weight[0].numel()", "module.weight[:, 0].numel()"),
    "a 9 in the place of the 6": (check_bitmaps, "digit_bitmaps", SIX, NINE),
    "drawings one row too low": (check_bitmaps, "digit_bitmaps", "2:9, 1:6", "3:10, 1:6"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, name, old, new = FAULTS[fault]
    check_sees(check, module, name, old, new)
