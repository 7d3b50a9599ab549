"""Layers by hand against autograd, against nudging each weight, and against the paper's rule for one unit."""

import math

import pytest
import torch
from torch import nn

from dlbook.nn import backprop as module
from tests.seeded import edited

BATCH, WIDTHS, LABELS = 6, (5, 4, 7, 3), torch.tensor([0, 2, 1, 1, 0, 2])


def parameters(widths=WIDTHS, seed=0):
    """Weights and biases of each layer, float64."""
    draw = torch.Generator().manual_seed(seed)
    number = lambda *shape: torch.randn(*shape, generator=draw, dtype=torch.float64)
    return [(number(after, before), number(after)) for before, after in zip(widths, widths[1:])]


def inputs():
    return torch.randn(BATCH, WIDTHS[0], generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def by_hand(names, function, loss):
    """The network of a version of the module: linear layers with one function between them."""
    layers = []
    for weight, bias in parameters():
        layers += [names["Linear"](weight.clone(), bias.clone()), names[function]()]
    return names["LayeredNetwork"](layers[:-1], names[loss]())


def by_torch(function, loss):
    """The same network in torch, and its loss."""
    layers = []
    for weight, bias in parameters():
        linear = nn.Linear(*reversed(weight.shape)).double()
        linear.weight.data, linear.bias.data = weight.clone(), bias.clone()
        layers += [linear, getattr(nn, function)()]
    compare = nn.CrossEntropyLoss()
    if loss == "SquaredError":
        compare = lambda output, target: (output - target).square().sum(1).mean() / 2
    return nn.Sequential(*layers[:-1]), compare


def target(loss):
    return LABELS if loss == "SoftmaxCrossEntropy" else torch.eye(3, dtype=torch.float64)[LABELS]


SETTINGS = [
    (f, loss) for f in ("Sigmoid", "Tanh", "ReLU") for loss in ("SquaredError", "SoftmaxCrossEntropy")
]


def linear(network):
    return [layer for layer in network.layers if hasattr(layer, "weight")]


def check_autograd(names):
    """Loss, gradients and the gradient by the input are autograd's, to 1e-12, for each function and loss."""
    for function, loss in SETTINGS:
        network, (reference, compare) = by_hand(names, function, loss), by_torch(function, loss)
        x = inputs().requires_grad_()
        expected = compare(reference(x), target(loss))
        expected.backward()
        found = network.gradients(x.detach(), target(loss))
        assert abs(found - expected).item() < 1e-12
        for ours, theirs in zip(linear(network), reference[::2]):
            assert (ours.weight_grad - theirs.weight.grad).abs().max() < 1e-12
            assert (ours.bias_grad - theirs.bias.grad).abs().max() < 1e-12
        assert (network.input_gradient - x.grad).abs().max() < 1e-12


def check_step(names):
    """Three steps of gradient descent are those of torch's SGD."""
    network, (reference, compare) = by_hand(names, "Tanh", "SoftmaxCrossEntropy"), by_torch(*SETTINGS[3])
    sgd = torch.optim.SGD(reference.parameters(), lr=0.3)
    for _ in range(3):
        network.gradients(inputs(), LABELS)
        network.step(0.3)
        sgd.zero_grad()
        compare(reference(inputs()), LABELS).backward()
        sgd.step()
    for ours, theirs in zip(linear(network), reference[::2]):
        assert (ours.weight - theirs.weight).abs().max() < 1e-12
        assert (ours.bias - theirs.bias).abs().max() < 1e-12


def check_paper(names):
    """One logistic unit: dE/dw = (y - d) y (1 - y) x, as the paper's equations 4 to 6 give it."""
    w, x, d = [0.3, -1.2], [0.5, 2.0], 1.0
    y = 1 / (1 + math.exp(-(w[0] * x[0] + w[1] * x[1] + 0.1)))
    layer = names["Linear"](torch.tensor([w], dtype=torch.float64), torch.tensor([0.1], dtype=torch.float64))
    network = names["LayeredNetwork"]([layer, names["Sigmoid"]()], names["SquaredError"]())
    tensor = lambda numbers: torch.tensor([numbers], dtype=torch.float64)
    assert network.gradients(tensor(x), tensor([d])).item() == pytest.approx((y - d) ** 2 / 2, rel=1e-14)
    expected = [(y - d) * y * (1 - y) * value for value in x]
    assert layer.weight_grad.flatten().tolist() == pytest.approx(expected, rel=1e-14)


CHECKS = [check_autograd, check_step, check_paper]


@pytest.mark.parametrize("check", CHECKS)
def test_it_holds(check):
    check(vars(module))


def test_nudging_each_weight_finds_the_same_gradient():
    network = by_hand(vars(module), "Sigmoid", "SquaredError")
    network.gradients(inputs(), target("SquaredError"))
    loss = lambda: network.loss.forward(network.forward(inputs()), target("SquaredError")).item()
    for layer in linear(network):
        for row in range(len(layer.bias)):
            for numbers, gradient in (
                (layer.weight[row], layer.weight_grad[row]),
                (layer.bias, layer.bias_grad),
            ):
                for at in range(len(numbers)):
                    numbers[at] += 1e-5
                    above = loss()
                    numbers[at] -= 2e-5
                    below = loss()
                    numbers[at] += 1e-5
                    assert (above - below) / 2e-5 == pytest.approx(gradient[at].item(), abs=1e-9)


FAULTS = {
    "weights of the way forward": ("delta @ self.weight\n", "delta @ self.weight.flip(0)\n"),
    "delta and x exchanged": ("delta.T @ self.x", "(self.x.T @ delta).flip(0).T"),
    "bias: mean for sum": ("delta.sum(dim=0)", "delta.mean(dim=0)"),
    "slope of the sigmoid": ("gradient * self.a * (1 - self.a)", "gradient * self.a"),
    "slope taken of the output": (
        "return gradient * self.a * (1 - self.a)",
        "s = torch.sigmoid(self.a)\n        return gradient * s * (1 - s)",
    ),
    "slope of tanh": ("(1 - self.a**2)", "(1 - self.a)"),
    "ReLU lets everything through": ("return gradient * self.on", "return gradient"),
    "error: no mean": ("return self.difference / len(self.difference)", "return self.difference"),
    "error: no half": (".sum(dim=1).mean() / 2", ".sum(dim=1).mean()"),
    "first layer first": ("in reversed(self.layers)", "in self.layers"),
    "updated too early": (
        "        return delta @ self.weight\n",
        "        self.step(0.3)\n        return delta @ self.weight\n",
    ),
    "uphill": ("self.weight -= learning_rate", "self.weight += learning_rate"),
    "bias stands still": ("        self.bias -= learning_rate * self.bias_grad\n", ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_seen(fault):
    names, seen = edited(module, *FAULTS[fault]), 0
    for check in CHECKS:
        try:
            check(names)
        except (AssertionError, RuntimeError, AttributeError):
            seen += 1
    assert seen > 0


def test_errors_say_how_to_fix():
    with pytest.raises(
        ValueError, match=r"expected weight \[out, in\] and bias \[out\], got \[2, 3\] and \[3\]; one"
    ):
        module.Linear(torch.zeros(2, 3), torch.zeros(3))
    with pytest.raises(ValueError, match=r"expected targets \[3, 1\], got \[3\]; one number"):
        module.SquaredError().forward(torch.zeros(3, 1), torch.zeros(3))


def test_relu_of_minus_infinity_is_zero():
    assert module.ReLU().forward(torch.tensor([-torch.inf, 2.0])).tolist() == [0.0, 2.0]
