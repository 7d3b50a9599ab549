"""Normalisation against torch in float64: outputs, gradients, running state after steps; and against
hand-made faults.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlbook.nn import norm
from tests.naive.conv_cases import assert_same

MAPS, ROWS = (3, 6, 4, 5), (2, 7, 6)


LAYERS = {  # ours, torch's, shape of x: alike in every argument that both have
    "batch": (lambda: norm.BatchNorm2d(6, 1e-3, 0.3), lambda: nn.BatchNorm2d(6, 1e-3, 0.3), MAPS),
    "batch, cumulative": (
        lambda: norm.BatchNorm2d(6, momentum=None),
        lambda: nn.BatchNorm2d(6, momentum=None),
        MAPS,
    ),
    "batch, defaults": (lambda: norm.BatchNorm2d(6), lambda: nn.BatchNorm2d(6), MAPS),
    "layer": (lambda: norm.LayerNorm(6, 1e-3), lambda: nn.LayerNorm(6, 1e-3), ROWS),
    "layer, defaults": (lambda: norm.LayerNorm(6), lambda: nn.LayerNorm(6), ROWS),
    "group": (lambda: norm.GroupNorm(3, 6, 1e-3), lambda: nn.GroupNorm(3, 6, 1e-3), MAPS),
    "group, defaults": (lambda: norm.GroupNorm(2, 6), lambda: nn.GroupNorm(2, 6), MAPS),
    "instance": (lambda: norm.InstanceNorm2d(6, 1e-3), lambda: nn.InstanceNorm2d(6, 1e-3), MAPS),
    "instance, defaults": (lambda: norm.InstanceNorm2d(6), lambda: nn.InstanceNorm2d(6), MAPS),
    "rms": (lambda: norm.RMSNorm(6, 1e-3), lambda: nn.RMSNorm(6, 1e-3), ROWS),
    "rms, default": (lambda: norm.RMSNorm(6), lambda: nn.RMSNorm(6, 1e-6), ROWS),
    "response": (
        lambda: norm.LocalResponseNorm(5, 0.3, 0.6, 1.5),
        lambda: nn.LocalResponseNorm(5, 1.5, 0.6, 1.5),
        MAPS,
    ),
    "response, even n": (
        lambda: norm.LocalResponseNorm(4, 0.3, 0.6, 1.5),
        lambda: nn.LocalResponseNorm(4, 1.2, 0.6, 1.5),
        MAPS,
    ),
    "response, AlexNet": (
        lambda: norm.LocalResponseNorm(),
        lambda: nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0),
        MAPS,
    ),
}


def history(layer, shape, steps=3):
    """Outputs, gradients and state over steps of SGD in training, then outputs and gradients in
    evaluation.
    """
    generator = torch.Generator().manual_seed(0)
    layer.double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    found = []
    for mode in [True] * steps + [False]:
        layer.train(mode).zero_grad()
        x = (torch.randn(shape, generator=generator, dtype=torch.float64) * 2 + 3).requires_grad_()
        y = layer(x)
        (y * torch.cos(torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)).sum().backward()
        found += [y.detach(), x.grad, *(p.grad.clone() for p in layer.parameters())]
        found += [tensor.clone() for tensor in layer.state_dict().values()]
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter -= 0.1 * parameter.grad
    return found


@pytest.mark.parametrize("name", LAYERS)
def test_equals_torch_in_outputs_gradients_and_state(name):
    ours, theirs, shape = LAYERS[name]
    assert_same(history(ours(), shape), history(theirs(), shape))


@pytest.mark.parametrize("name", LAYERS)
def test_takes_torchs_state(name):
    ours, theirs, _ = LAYERS[name]
    shapes = [
        {key: (tensor.shape, tensor.dtype) for key, tensor in make().state_dict().items()}
        for make in (ours, theirs)
    ]
    assert shapes[0] == shapes[1]


@settings(max_examples=40)
@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 7),
)
def test_equals_torch_at_drawn_shapes(batch, groups, per_group, height, width, n):
    channels, shape = groups * per_group, (batch, groups * per_group, height, width)
    pairs = [
        (norm.GroupNorm(groups, channels), nn.GroupNorm(groups, channels)),
        (norm.LocalResponseNorm(n, 0.2, 0.5, 1.0), nn.LocalResponseNorm(n, 0.2 * n, 0.5, 1.0)),
    ]
    if batch * height * width > 1:
        pairs.append((norm.BatchNorm2d(channels), nn.BatchNorm2d(channels)))
    if height * width > 1:
        pairs.append((norm.InstanceNorm2d(channels), nn.InstanceNorm2d(channels)))
    for ours, theirs in pairs:
        if per_group * height * width > 1 or not isinstance(
            ours, norm.GroupNorm
        ):  # torch refuses groups of one value
            assert_same(history(ours, shape, 1)[:2], history(theirs, shape, 1)[:2], 1e-11)


def test_what_each_makes_of_its_axes():
    x = torch.randn(8, 6, 9, 7, dtype=torch.float64) * 3 + 5
    for layer, axes in (
        (norm.BatchNorm2d(6), (0, 2, 3)),
        (norm.InstanceNorm2d(6), (2, 3)),
        (norm.GroupNorm(1, 6), (1, 2, 3)),
    ):
        y = layer.double()(x)
        torch.testing.assert_close(y.mean(axes), torch.zeros_like(y.mean(axes)), rtol=0, atol=1e-12)
        torch.testing.assert_close(
            y.var(axes, correction=0), torch.ones_like(y.mean(axes)), rtol=1e-4, atol=0
        )
    rows = norm.RMSNorm(6, 0.0).double()(x.movedim(1, -1))
    torch.testing.assert_close(rows.square().mean(-1), torch.ones_like(rows[..., 0]))


def test_group_norm_between_layer_and_instance():
    x = torch.randn(2, 6, 4, 5, dtype=torch.float64)
    assert_same([norm.GroupNorm(6, 6).double()(x).detach()], [norm.InstanceNorm2d(6)(x)])
    assert_same([norm.GroupNorm(1, 6).double()(x).detach()], [nn.functional.layer_norm(x, (6, 4, 5))])


def test_running_averages_by_hand():
    layer = norm.BatchNorm2d(1, momentum=0.1).double()
    layer(
        torch.tensor([1.0, 3.0], dtype=torch.float64).reshape(2, 1, 1, 1)
    )  # mean 2, biased variance 1, unbiased 2
    assert layer.running_mean.item() == pytest.approx(0.2) and layer.running_var.item() == pytest.approx(
        0.9 + 0.2
    )
    assert layer.num_batches_tracked.item() == 1
    before = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    layer.eval()(torch.ones(2, 1, 1, 1, dtype=torch.float64))
    assert all(
        torch.equal(before[name], tensor) for name, tensor in layer.state_dict().items()
    )  # evaluation remembers nothing


def test_cumulative_average_of_batches():
    layer, batches = (
        norm.BatchNorm2d(2, momentum=None).double(),
        torch.randn(5, 4, 2, 3, 3, dtype=torch.float64),
    )
    for batch in batches:
        layer(batch)
    torch.testing.assert_close(layer.running_mean, batches.mean((0, 1, 3, 4)))
    torch.testing.assert_close(layer.running_var, batches.transpose(1, 2).flatten(2).var(2).mean(0))


def test_response_norm_by_hand():
    """Equation of section 3.3: channel 0 of three sees itself and the next, the middle one all."""
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64).reshape(1, 3, 1, 1)
    y = norm.LocalResponseNorm(3, alpha=0.1, beta=0.5, k=2.0)(x).flatten().tolist()
    assert y == pytest.approx([1 / 2.5**0.5, 2 / 3.4**0.5, 3 / 3.3**0.5], rel=1e-14)


class Biased(norm.BatchNorm2d):
    def remember(self, mean, variance, count):
        super().remember(mean, variance * (count - 1) / count, count)


class Unbiased(norm.BatchNorm2d):
    def forward(self, x):
        n = x.numel() // x.shape[1]
        return super().forward(x) * (((n - 1) / n) ** 0.5 if self.training else 1)


class WrongWay(norm.BatchNorm2d):
    def __init__(self, features, eps, momentum):
        super().__init__(features, eps, 1 - momentum)


class RunningInTraining(norm.BatchNorm2d):
    def forward(self, x):
        if self.training:
            super().forward(x)
        return nn.functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, False, 0, self.eps
        )


class NeverCounts(norm.BatchNorm2d):
    def remember(self, *statistics):
        super().remember(*statistics)
        self.num_batches_tracked.zero_()


class EvaluationOfTheBatch(norm.BatchNorm2d):
    def forward(self, x):
        return (
            super().forward(x)
            if self.training
            else nn.functional.batch_norm(x, None, None, self.weight, self.bias, True, 0, self.eps)
        )


class Interleaved(norm.GroupNorm):
    def forward(self, x):
        return nn.functional.channel_shuffle(super().forward(nn.functional.channel_shuffle(x, 2)), 3)


FAULTS = {
    "running variance biased": ("batch", lambda: Biased(6, 1e-3, 0.3)),
    "batch variance unbiased": ("batch", lambda: Unbiased(6, 1e-3, 0.3)),
    "momentum the wrong way round": ("batch", lambda: WrongWay(6, 1e-3, 0.3)),
    "running averages used in training": ("batch", lambda: RunningInTraining(6, 1e-3, 0.3)),
    "batch statistics in evaluation": ("batch", lambda: EvaluationOfTheBatch(6, 1e-3, 0.3)),
    "batches not counted": ("batch", lambda: NeverCounts(6, 1e-3, 0.3)),
    "another eps": ("batch", lambda: norm.BatchNorm2d(6, 1e-5, 0.3)),
    "groups of every third channel": ("group", lambda: Interleaved(3, 6, 1e-3)),
    "groups for channels of a group": ("group", lambda: norm.GroupNorm(2, 6, 1e-3)),
    "alpha divided by n": ("response", lambda: norm.LocalResponseNorm(5, 0.3 / 5, 0.6, 1.5)),
    "k forgotten": ("response", lambda: norm.LocalResponseNorm(5, 0.3, 0.6, 1.0)),
    "a window that is too wide": ("response", lambda: norm.LocalResponseNorm(6, 0.3, 0.6, 1.5)),
    "mean removed before the root mean square": ("rms", lambda: Centred(6, 1e-3)),
}


class Centred(norm.RMSNorm):
    def forward(self, x):
        return super().forward(x - x.mean(-1, keepdim=True))


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault):
    name, faulty = FAULTS[fault]
    with pytest.raises(AssertionError):
        assert_same(history(faulty(), LAYERS[name][2]), history(LAYERS[name][1](), LAYERS[name][2]))


FORMULAS = {
    "eps outside the root": lambda x, axes, eps: (
        (x - x.mean(axes, keepdim=True)) / (x.std(axes, correction=0, keepdim=True) + eps)
    ),
    "unbiased variance": lambda x, axes, eps: (
        (x - x.mean(axes, keepdim=True)) / (x.var(axes, keepdim=True) + eps).sqrt()
    ),
    "no gradient through the statistics": lambda x, axes, eps: (
        (x - x.mean(axes, keepdim=True).detach())
        / (x.var(axes, correction=0, keepdim=True).detach() + eps).sqrt()
    ),
}


@pytest.mark.parametrize("name", ["layer", "group", "instance"])
@pytest.mark.parametrize("fault", FORMULAS)
def test_parity_catches_the_seeded_fault_in_the_formula(fault, name, monkeypatch):
    monkeypatch.setattr(norm, "standardise", FORMULAS[fault])
    with pytest.raises(AssertionError):
        test_equals_torch_in_outputs_gradients_and_state(name)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: norm.BatchNorm2d(3)(torch.ones(1, 3, 1, 1)), "more than one value a channel"),
        (lambda: norm.BatchNorm2d(3)(torch.ones(2, 4, 2, 2)), r"expected x of shape \[B, 3, H, W\]"),
        (lambda: norm.BatchNorm2d(3)(torch.ones(2, 3)), r"expected x of shape \[B, 3, H, W\]"),
        (lambda: norm.BatchNorm2d(0), "expected num_features"),
        (lambda: norm.BatchNorm2d(3, momentum=0), "weight of the new batch"),
        (lambda: norm.BatchNorm2d(3, momentum=1.1), "weight of the new batch"),
        (lambda: norm.BatchNorm2d(3, eps=-1), "expected eps >= 0"),
        (lambda: norm.LayerNorm(3)(torch.ones(2, 4)), r"expected x of shape \[..., 3\]"),
        (lambda: norm.LayerNorm(0), "expected dim"),
        (lambda: norm.GroupNorm(4, 6), "expected num_groups to divide num_channels"),
        (lambda: norm.GroupNorm(2, 6)(torch.ones(2, 4, 3, 3)), r"\[B, 6, H, W\]"),
        (lambda: norm.InstanceNorm2d(3)(torch.ones(2, 3, 1, 1)), "more than one pixel"),
        (lambda: norm.InstanceNorm2d(3)(torch.ones(2, 4, 2, 2)), r"\[B, 3, H, W\]"),
        (lambda: norm.RMSNorm(3)(torch.ones(2, 4)), r"expected x of shape \[..., 3\]"),
        (lambda: norm.RMSNorm(3, eps=float("nan")), "expected eps >= 0"),
        (lambda: norm.LocalResponseNorm(0), "expected n"),
        (lambda: norm.LocalResponseNorm()(torch.ones(2, 4)), r"\[B, C, H, W\]"),
    ],
)
def test_errors_say_how_to_fix(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_one_value_a_channel_is_fine_in_evaluation_and_leaves_no_trace_in_training():
    layer = norm.BatchNorm2d(3)
    with pytest.raises(ValueError):
        layer(torch.ones(1, 3, 1, 1))
    assert layer.num_batches_tracked == 0 and layer.eval()(torch.ones(1, 3, 1, 1)).shape == (1, 3, 1, 1)
