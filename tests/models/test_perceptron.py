"""The perceptron on all Boolean functions of two inputs, its rule by hand, and the bound on its errors."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlbook.measure import count
from dlbook.models import perceptron as module
from dlbook.models.perceptron import VARIANTS, Perceptron, fit, perceptron, update
from tests.parity import close, disagreements, randomise

INPUTS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).view(4, 1, 1, 2)
FUNCTIONS = list(itertools.product((0, 1), repeat=4))
NOT_SEPARABLE = [(0, 1, 1, 0), (1, 0, 0, 1)]  # XOR and its opposite: the only 2 of 16
# parameters and multiply-accumulates with one channel of 28 x 28, by hand
COUNTS = {"perceptron": (785, 784), "softmax_digits": (7850, 7840)}


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: perceptron(name), (1, 28, 28))
    assert (counts.parameters, counts.macs) == COUNTS[name]
    assert perceptron(name, num_classes=3, in_channels=2, resolution=(4, 5))(
        torch.zeros(6, 2, 4, 5)
    ).shape == (6, 3)


def test_scores_are_a_linear_layer_s_and_decisions_their_signs():
    theirs = randomise(nn.Sequential(nn.Flatten(), nn.Linear(24, 5)))
    rename = lambda name: name.replace("1.", "linear.")
    model = Perceptron(5, 2, (3, 4)).double()
    model.load_state_dict({rename(name): tensor for name, tensor in theirs.state_dict().items()})
    assert disagreements(model, theirs, (3, 2, 3, 4), rename) == []
    images = torch.randn(3, 2, 3, 4, dtype=torch.float64)
    assert torch.equal(model.decide(images), (theirs(images) >= 0).long())
    assert perceptron("perceptron").decide(torch.rand(2, 1, 28, 28)).tolist() == [
        [1],
        [1],
    ]  # a score of 0 says yes


def naive_rule(weights, bias, x, target, rate):
    answer = 1 if sum(w * v for w, v in zip(weights, x)) + bias >= 0 else 0
    return [w + rate * (target - answer) * v for w, v in zip(weights, x)], bias + rate * (target - answer)


def check_rule(rule):
    generator = torch.Generator().manual_seed(0)
    for target in (0, 1):
        for _ in range(20):
            weights, bias, x = (
                torch.randn(size, generator=generator, dtype=torch.float64) for size in (3, (), 3)
            )
            before = weights.clone()
            new_weights, new_bias = rule(weights, bias, x, target, 0.3)
            expected = naive_rule(weights.tolist(), bias.item(), x.tolist(), target, 0.3)
            assert new_weights.tolist() == pytest.approx(expected[0]) and new_bias.item() == pytest.approx(
                expected[1]
            )
            assert torch.equal(weights, before), "the old weights stay"


def test_the_rule_equals_the_loop():
    check_rule(update)


def wrong_sign(w, b, x, target, rate):
    error = int(w @ x + b >= 0) - target
    return w + rate * error * x, b + rate * error


def no_bias(w, b, x, target, rate):
    return update(w, b, x, target, rate)[0], b


def always_moves(w, b, x, target, rate):
    return w + rate * (2 * target - 1) * x, b + rate * (2 * target - 1)


def uses_the_score(w, b, x, target, rate):
    error = target - (w @ x + b)  # Widrow and Hoff's rule
    return w + rate * error * x, b + rate * error


def in_place(w, b, x, target, rate):
    new = update(w, b, x, target, rate)
    return w.copy_(new[0]), new[1]


def learns(function):
    model = Perceptron(resolution=(1, 2))
    errors = fit(model, INPUTS, torch.tensor(function))
    return errors[-1] == 0 and model.decide(INPUTS).flatten().tolist() == list(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_learns_the_separable_functions_of_two_inputs_and_no_others(function):
    assert learns(function) == (function not in NOT_SEPARABLE)


def test_without_a_bias_some_are_lost(monkeypatch):
    monkeypatch.setattr(module, "update", lambda *arguments: no_bias(*arguments))
    assert not learns((1, 0, 0, 0)) or not learns((0, 0, 0, 1))


def test_counts_a_mistake_whose_step_of_the_bias_rounds_to_nothing():
    unit = Perceptron(resolution=(1, 2))
    unit.linear.bias.data.fill_(2.0**25)  # in float32 a step of 1 is lost: the unit says yes to everything
    assert fit(unit, INPUTS, torch.tensor([0, 0, 0, 1]), max_epochs=1) == [3]
    assert (unit.linear.bias, unit.decide(INPUTS).sum()) == (2.0**25, 4)


def test_never_stops_on_xor():
    errors = fit(Perceptron(resolution=(1, 2)), INPUTS, torch.tensor([0, 1, 1, 0]), max_epochs=50)
    assert len(errors) == 50 and min(errors) > 0


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(2, 25), st.integers(0, 10_000))
def test_novikoff_s_bound(dim, number, seed):
    """Errors <= (R / margin)^2 with the margin of any separator of the inputs with 1 appended; the rate
    changes no answer.
    """
    generator = torch.Generator().manual_seed(seed)
    truth = torch.randn(dim + 1, generator=generator, dtype=torch.float64)
    x = torch.cat(
        [
            torch.randn(number, dim, generator=generator, dtype=torch.float64),
            torch.ones(number, 1, dtype=torch.float64),
        ],
        1,
    )
    margins = x @ truth / truth.norm()
    x, targets = x[margins.abs() > 0.1], (margins[margins.abs() > 0.1] > 0).long()
    if len(x) == 0:
        return
    bound = (x.norm(dim=1).max() / margins[margins.abs() > 0.1].abs().min()) ** 2
    images = x[:, :-1].reshape(len(x), 1, 1, dim)
    history = [
        fit(Perceptron(resolution=(1, dim)).double(), images, targets, rate, max_epochs=2000)
        for rate in (1.0, 0.25)
    ]
    assert history[0][-1] == 0 and sum(history[0]) <= bound and history[0] == history[1]


def test_softmax_row_starts_uniform_and_its_loss_is_convex():
    model = perceptron("softmax_digits").double()
    images, labels = torch.rand(20, 1, 28, 28, dtype=torch.float64), torch.arange(20) % 10
    assert close(torch.softmax(model(images), 1), torch.full((20, 10), 0.1, dtype=torch.float64))
    points = [[torch.randn_like(p) for p in model.parameters()] for _ in range(2)]

    def loss(weight, bias):
        return nn.functional.cross_entropy(nn.functional.linear(images.flatten(1), weight, bias), labels)

    middle = loss(*[(a + b) / 2 for a, b in zip(*points)])
    assert middle <= (loss(*points[0]) + loss(*points[1])) / 2


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "perceptrons"}, "did you mean perceptron"),
        ({"num_classes": 0}, "expected num_classes"),
        ({"in_channels": -1}, "expected in_channels"),
        ({"resolution": (0, 2)}, "expected resolution"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        perceptron(**arguments)


def test_bad_examples():
    unit = Perceptron(resolution=(1, 2))
    with pytest.raises(ValueError, match="fit one a class"):
        fit(Perceptron(2, resolution=(1, 2)), INPUTS, torch.zeros(4))
    with pytest.raises(ValueError, match=r"expected targets \[4\]"):
        fit(unit, INPUTS, torch.zeros(3))
    with pytest.raises(ValueError, match="expected a target of 0 or 1, got 2"):
        fit(unit, INPUTS, torch.full((4,), 2))
    with pytest.raises(ValueError, match="expected a positive learning rate, got 0"):
        fit(unit, INPUTS, torch.zeros(4), learning_rate=0)
    with pytest.raises(ValueError, match="whole numbers would cut off"):
        update(torch.zeros(2, dtype=torch.long), torch.tensor(0), torch.ones(2), 1)
    with pytest.raises(ValueError, match="expected images of 1 x 2 pixels"):
        unit(torch.zeros(1, 1, 2, 1))


FAULTS = {
    "wrong sign": wrong_sign,
    "no bias": no_bias,
    "moves without an error": always_moves,
    "score for the answer": uses_the_score,
    "old weights overwritten": in_place,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_loop_catches_the_seeded_fault(fault):
    with pytest.raises(AssertionError):
        check_rule(FAULTS[fault])
