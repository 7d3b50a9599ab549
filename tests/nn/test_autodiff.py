"""The tape against torch.autograd in float64 on random graphs, both sweeps against each other, and faults."""

import numpy
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.nn import autodiff
from dlbook.nn.autodiff import Variable, forward_sweep, gradients, reverse_sweep, tape
from tests.nn.autodiff_programs import PROGRAMS, network, network_inputs
from tests.seeded import edited


def by_torch(program, values):
    values = [value.clone().requires_grad_() for value in values]
    output = program(values)
    found = torch.autograd.grad(output, values, allow_unused=True)
    return output, [torch.zeros_like(v) if g is None else g for v, g in zip(values, found, strict=True)]


def check_equals_torch(names):
    """All gradients of all programs are torch's, to rounding."""
    for program, make in PROGRAMS.values():
        inputs = [names["Variable"](value) for value in make()]
        output = program(inputs)
        expected, slopes = by_torch(program, make())
        torch.testing.assert_close(output.value, expected.detach(), rtol=1e-12, atol=1e-12)
        for ours, theirs in zip(names["gradients"](output, inputs), slopes, strict=True):
            assert ours.shape == theirs.shape
            torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def check_sweeps_agree(names):
    """The derivative in one direction is the gradient times that direction: two sweeps, one number."""
    for program, make in PROGRAMS.values():
        values = make()
        inputs = [names["Variable"](value) for value in values]
        output = program(inputs)
        seeds = {
            node: torch.randn(value.shape, dtype=torch.float64)
            for node, value in zip(inputs, values, strict=True)
        }
        forward = names["forward_sweep"](output, seeds)[output]
        found = names["gradients"](output, inputs)
        backward = sum((g * seeds[node]).sum() for g, node in zip(found, inputs, strict=True))
        torch.testing.assert_close(forward, backward, rtol=1e-9, atol=1e-9)


def test_gradients_are_torchs_on_random_graphs():
    check_equals_torch(vars(autodiff))


def test_forward_sweep_agrees_with_the_reverse_sweep():
    check_sweeps_agree(vars(autodiff))


def test_forward_sweep_is_torchs_jvp():
    values = network_inputs()
    directions = [torch.randn_like(value) for value in values]
    _, expected = torch.func.jvp(lambda *v: network(v), tuple(values), tuple(directions))
    inputs = [Variable(value) for value in values]
    output = network(inputs)
    ours = forward_sweep(output, dict(zip(inputs, directions, strict=True)))[output]
    torch.testing.assert_close(ours, expected, rtol=1e-11, atol=1e-12)


class Ours(torch.autograd.Function):
    """The tape as one operation of torch's: what gradcheck can look at."""

    @staticmethod
    def forward(ctx, *values):
        ctx.inputs = [Variable(value) for value in values]
        ctx.output = network(ctx.inputs)
        return ctx.output.value

    @staticmethod
    def backward(ctx, gradient):
        found = reverse_sweep(ctx.output, gradient)
        return tuple(found[node] for node in ctx.inputs)


def test_gradcheck_finds_nothing():
    values = [value.requires_grad_() for value in network_inputs()]
    assert torch.autograd.gradcheck(Ours.apply, values)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_sum(axis):
    x = Variable(torch.arange(6.0).reshape(2, 3))
    total = x.sum(axis)
    assert total.value.shape == {None: (), 0: (1, 3)}.get(axis, (2, 1))
    seed = torch.arange(1.0, 1 + total.value.numel()).reshape(total.value.shape)
    assert torch.equal(reverse_sweep(total, seed)[x], seed.expand(2, 3))


def test_stacks_of_matrices_broadcast():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(2, 1, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    b = torch.randn(5, 4, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    expected = torch.autograd.grad((a @ b).tanh().sum(), (a, b))
    ours = [Variable(a), Variable(b)]
    for found, theirs in zip(gradients((ours[0] @ ours[1]).tanh().sum(), ours), expected, strict=True):
        torch.testing.assert_close(found, theirs)


def test_the_tape_is_in_the_order_of_the_computation():
    x = Variable(2.0)
    _ = x * 3  # nothing depends on it
    y = x * x
    z = y + x
    assert tape(z) == [x, y, z]
    assert [node.op for node in tape(z)] == ["input", "×", "+"]
    assert all(edge.operand.number < node.number for node in tape(z) for edge in node.edges)


def test_constants_have_no_edge():
    x, matrix = Variable(torch.ones(2, 2)), torch.ones(2, 2)
    for node in (
        x + 1,
        1 + x,
        1 - x,
        x - 1,
        x * matrix,
        matrix * x,
        matrix - x,
        x @ matrix,
        matrix @ x,
        x / 2,
    ):
        assert [edge.operand for edge in node.edges] == [x]
    assert [(4 - x).op, (x - 1).op, (3 * x).op, (x * matrix).op] == ["4 −", "− 1", "× 3", "× constant"]


def test_an_input_without_influence_has_the_gradient_zero():
    x, y = Variable([1.0, 2.0]), Variable([3.0, 4.0])
    assert gradients((x * 2).sum(), [x, y])[1].tolist() == [0, 0]
    assert y not in forward_sweep((x * 2).sum(), {x: torch.ones(2)})


def test_the_slope_of_relu_at_zero_is_torchs():
    x = Variable([-1.0, 0.0, 2.0])
    assert gradients(x.relu().sum(), [x])[0].tolist() == [0, 0, 1]


def test_a_power_of_zero_and_an_array_of_numpy():
    """0 ** 0 once had the gradient NaN, and array + node was an array of objects."""
    x = Variable([0.0, 2.0])
    assert gradients((x**0).sum(), [x])[0].tolist() == [0.0, 0.0]
    total = numpy.array([1.0, 2.0]) + x
    assert isinstance(total, Variable) and total.value.tolist() == [1.0, 4.0]


def test_a_long_tape_needs_no_recursion():
    x = y = Variable(torch.tensor(1.0, dtype=torch.float64))
    for _ in range(5000):
        y = y * 0.999
    assert gradients(y, [x])[0].item() == pytest.approx(0.999**5000)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: gradients(Variable([1.0, 2.0]) * 2, []), "one number, got shape .2,.; sum it"),
        (lambda: Variable([1.0, 2.0]) @ torch.ones(2, 2), "two matrices"),
        (lambda: reverse_sweep(Variable([1.0, 2.0]) * 2, torch.ones(3)), "a seed of shape .2,., got .3,"),
        (lambda: Variable([1, 2]), "floating point, got torch.int64; write 2.0"),
    ],
)
def test_errors(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


def test_it_trains_like_torch():
    """Twenty steps of a network on the tape and in torch give the same weights."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(30, 5, generator=generator, dtype=torch.float64)
    labels = torch.randint(3, (30,), generator=generator)
    ours = [torch.randn(s, generator=generator, dtype=torch.float64) for s in ((5, 8), (8,), (8, 3))]
    theirs = [nn.Parameter(value.clone()) for value in ours]
    picked = F.one_hot(labels, 3).double()
    for _ in range(20):
        w, b, v = nodes = [Variable(value) for value in ours]
        z = (x @ w + b).relu() @ v
        z = z - z.value.amax(1, keepdim=True)
        loss = (z.exp().sum(1).log() - (z * picked).sum(1)).sum() / 30
        ours = [value - 0.3 * g for value, g in zip(ours, gradients(loss, nodes), strict=True)]
        F.cross_entropy((x @ theirs[0] + theirs[1]).relu() @ theirs[2], labels).backward()
        for parameter in theirs:
            parameter.data -= 0.3 * parameter.grad
            parameter.grad = None
    for value, parameter in zip(ours, theirs, strict=True):
        torch.testing.assert_close(value, parameter.detach(), rtol=1e-10, atol=1e-12)


FAULTS = {  # name: (what stands there, what would, the check that sees it)
    "no sum over broadcast axes of length 1": (
        "adjoint.sum(added + repeated).reshape(shape) if added + repeated else adjoint",
        "adjoint.sum(added) if added else adjoint",
        check_equals_torch,
    ),
    "no sum over axes that broadcasting added": (
        "added = tuple(range(adjoint.dim() - len(shape)))",
        "added = ()",
        check_equals_torch,
    ),
    "a node before all of its users": (
        "for node in reversed(tape(output)):",
        "for node in sorted(tape(output), key=lambda node: node is not output and node.number):",
        check_equals_torch,
    ),
    "a gradient is overwritten": (
        "adjoints[operand] = adjoints[operand] + part if operand in adjoints else part",
        "adjoints[operand] = part",
        check_equals_torch,
    ),
    "a tangent is overwritten": (
        "tangents[node] = tangents[node] + part if node in tangents else part",
        "tangents[node] = part",
        check_sweeps_agree,
    ),
    "the matrix is not transposed on the way back": (
        "lambda g: a.mT @ g",
        "lambda g: a @ g",
        check_equals_torch,
    ),
    "the tangent of the right factor is lost": ("lambda t: a @ t", "lambda t: a @ b", check_sweeps_agree),
    "a number minus a node keeps its sign": (
        "_value(other) - self.value, (self, -1.0))",
        "_value(other) - self.value, (self, None))",
        check_equals_torch,
    ),
    "the slope of tanh from its input": (
        "1 - value * value",
        "1 - self.value * self.value",
        check_equals_torch,
    ),
    "the power's slope without the exponent": ("slope = exponent * self", "slope = self", check_equals_torch),
    "a product with its own factors": ("(self, b), (other, a)", "(self, a), (other, b)", check_equals_torch),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught(fault):
    old, new, check = FAULTS[fault]
    check(edited(autodiff, old, old))
    names = edited(autodiff, old, new)
    with pytest.raises((AssertionError, RuntimeError, KeyError)):
        check(names)
