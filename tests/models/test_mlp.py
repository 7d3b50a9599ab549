"""Multi-layer perceptrons against loops, backpropagation by hand, and torch's Sequential."""

import math

import pytest
import torch
from torch import nn

from dlbook.measure import count
from dlbook.models.mlp import MLP, VARIANTS, Config, mlp, squash
from tests.parity import close, disagreements, randomise

# by hand: (inputs + 1) * outputs of each layer; MACs are inputs * outputs
COUNTS = {
    "mlp_digits": (785 * 512 + 513 * 256 + 257 * 10, 784 * 512 + 512 * 256 + 256 * 10),
    "mlp_300": (785 * 300 + 301 * 10, 784 * 300 + 300 * 10),
    "mlp_1000": (785 * 1000 + 1001 * 10, 784 * 1000 + 1000 * 10),
    "mlp_300_100": (785 * 300 + 301 * 100 + 101 * 10, 784 * 300 + 300 * 100 + 100 * 10),
    "mlp_500_150": (785 * 500 + 501 * 150 + 151 * 10, 784 * 500 + 500 * 150 + 150 * 10),
}
DOCUMENTED = {
    "mlp_digits": 535_818,
    "mlp_300": 238_510,
    "mlp_1000": 795_010,
    "mlp_300_100": 266_610,
    "mlp_500_150": 469_160,
}


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: mlp(name), (1, 28, 28))
    assert (counts.parameters, counts.macs) == COUNTS[name] and counts.parameters == DOCUMENTED[name]
    assert [layer.shape for layer in counts.layers] == [(width,) for width in (*VARIANTS[name].widths, 10)]


def naive(model, image):
    """One unit at a time."""
    a = image.flatten().tolist()
    for index, layer in enumerate(model.layers):
        z = [
            sum(w * x for w, x in zip(row, a)) + b
            for row, b in zip(layer.weight.tolist(), layer.bias.tolist())
        ]
        if index == len(model.layers) - 1:
            return z
        a = [max(0.0, v) if model.config.activation == "relu" else 1.7159 * math.tanh(2 * v / 3) for v in z]


@pytest.mark.parametrize("activation", ["relu", "squash"])
def test_equals_the_loop(activation):
    model = randomise(MLP(Config((6, 5), activation), 4, 2, (3, 2)))
    images = torch.randn(3, 2, 3, 2, dtype=torch.float64)
    assert close(model(images), torch.tensor([naive(model, image) for image in images], dtype=torch.float64))


class Squash(nn.Module):
    def forward(self, z):
        return 1.7159 * torch.tanh(2 * z / 3)


def reference(activation):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(24, 9), activation(), nn.Linear(9, 8), activation(), nn.Linear(8, 3)
    ).double()


def rename(name):
    index, kind = name.split(".")
    return f"layers.{int(index) // 2}.{kind}"


def pair(activation, module):
    theirs = randomise(reference(module))
    model = MLP(Config((9, 8), activation), 3, 2, (4, 3)).double()
    model.load_state_dict({rename(name): tensor for name, tensor in theirs.state_dict().items()})
    return model, theirs


@pytest.mark.parametrize("activation, module", [("relu", nn.ReLU), ("squash", Squash)])
def test_outputs_gradients_and_a_step_equal_torch_s(activation, module):
    assert disagreements(*pair(activation, module), (2, 2, 4, 3), rename) == []


def test_squash_passes_through_one():
    assert torch.allclose(squash(torch.tensor([1.0, -1.0, 0.0])), torch.tensor([1.0, -1.0, 0.0]), atol=1e-4)


def test_backpropagation_by_hand():
    """Rumelhart et al.'s recursion: delta = (W^T delta_next) * f'(z); the gradient of W is delta times the
    inputs.
    """
    model = MLP(Config((5, 4), "squash"), 3, 1, (2, 3)).double()
    images, labels = torch.randn(7, 1, 2, 3, dtype=torch.float64), torch.randint(3, (7,))
    nn.functional.cross_entropy(model(images), labels).backward()
    a = [images.flatten(1)]
    z = []
    for layer in model.layers:
        z.append(a[-1] @ layer.weight.T + layer.bias)
        a.append(squash(z[-1]))
    delta = (torch.softmax(z[-1], 1) - nn.functional.one_hot(labels, 3)) / 7
    for index in (2, 1, 0):
        layer = model.layers[index]
        torch.testing.assert_close(layer.weight.grad, (delta.T @ a[index]).detach())
        torch.testing.assert_close(layer.bias.grad, delta.sum(0).detach())
        if index:
            delta = (delta @ layer.weight) * 1.7159 * 2 / 3 * (1 - torch.tanh(2 * z[index - 1] / 3) ** 2)


def test_an_xor_that_one_layer_cannot_have():
    """Two hidden units suffice: x OR y, and x AND y."""
    model = MLP(Config((2,), "relu"), 1, 1, (1, 2))
    with torch.no_grad():
        model.layers[0].weight.copy_(torch.tensor([[1.0, 1.0], [1.0, 1.0]]))
        model.layers[0].bias.copy_(torch.tensor([0.0, -1.0]))
        model.layers[1].weight.copy_(torch.tensor([[1.0, -2.0]]))
    inputs = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).view(4, 1, 1, 2)
    assert model(inputs).flatten().tolist() == [0.0, 1.0, 1.0, 0.0]


def test_initial_statistics():
    torch.manual_seed(0)
    for name in VARIANTS:
        for layer in mlp(name).layers:
            number = layer.weight.numel()
            relu = name == "mlp_digits"
            expected = (2 / layer.in_features) ** 0.5 if relu else 2.4 / layer.in_features / 3**0.5
            assert (
                abs(layer.weight.std() / expected - 1) < 6 / (2 * number) ** 0.5 and (layer.bias == 0).all()
            )
            if not relu:
                assert layer.weight.abs().max() <= 2.4 / layer.in_features


def test_dropout_drops_hidden_units_in_training():
    model = mlp("mlp_digits", drop_prob=0.5)
    images = torch.randn(2, 1, 28, 28)
    assert not torch.equal(model(images), model(images)) and torch.equal(model.eval()(images), model(images))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "mlp_digit"}, "did you mean mlp_digits"),
        ({"num_classes": 0}, "expected num_classes"),
        ({"in_channels": 0}, "expected in_channels"),
        ({"resolution": (28, 0)}, "expected resolution"),
        ({"drop_prob": 1}, "expected drop_prob"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        mlp(**arguments)


def test_bad_configurations_and_images():
    with pytest.raises(ValueError, match="expected activation to be"):
        MLP(Config((3,), "tanh"))
    with pytest.raises(ValueError, match="expected widths"):
        MLP(Config((0,)))
    with pytest.raises(ValueError, match="expected images of 28 x 28 pixels"):
        mlp()(torch.zeros(1, 1, 32, 28))
    with pytest.raises(ValueError, match=r"float \[B, 1, H, W\]"):
        mlp()(torch.zeros(1, 784))


def test_dropout_stands_between_the_layers_and_the_last_one_is_not_in_the_representation():
    model, images = mlp("mlp_300_100", drop_prob=0.5), torch.rand(4, 1, 28, 28)
    hidden = squash(model.layers[0](images.flatten(1)))
    torch.manual_seed(0)
    expected = squash(model.layers[1](model.drop(hidden)))
    torch.manual_seed(0)
    assert torch.equal(model.represent(images), expected)
    torch.manual_seed(0)
    dropped = model.drop(squash(model.layers[1](model.drop(hidden))))
    torch.manual_seed(0)
    assert torch.equal(model(images), model.layers[2](dropped))


def activation_at_the_end(self, images):
    a = images.flatten(1)
    for layer in self.layers:
        a = torch.relu(layer(a))
    return a


def activation_left_out_once(self, images):
    a = self.layers[0](images.flatten(1))
    return self.layers[2](torch.relu(self.layers[1](a)))


def channels_last_flattened(self, images):
    a = images.permute(0, 2, 3, 1).flatten(1)
    return self.layers[2](torch.relu(self.layers[1](torch.relu(self.layers[0](a)))))


FAULTS = {
    "activation at the end": activation_at_the_end,
    "activation left out once": activation_left_out_once,
    "channels last": channels_last_flattened,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault, monkeypatch):
    model, theirs = pair("relu", nn.ReLU)
    monkeypatch.setattr(MLP, "forward", FAULTS[fault])
    assert disagreements(model, theirs, (2, 2, 4, 3), rename)
