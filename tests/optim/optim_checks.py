"""What the tests of all optimizers share: a small problem, runs over 20 steps, checks that take a builder.

A builder is `make(groups, foreach=None)`. Every check raises AssertionError, so that a test can hold it
against a seeded fault. The gradients depend on the parameters and on the step, the rate changes, and there
are two groups with their own rate and decay.
"""

import copy
import io

import pytest
import torch

TOLERANCE = 1e-12
RATES = (
    0.2,
    0.4,
    0.6,
    0.8,
    *(1.0,) * 6,
    *(0.1,) * 4,
    0.5,
    0.5,
    0.01,
    0.01,
    0.3,
    0.3,
)  # factors of the base rate
STEADY = (1.0,) * 20
SHAPES = ((3, 4), (5,), (2, 3, 2, 2), (), (4, 3), (3, 4), (6,))
MATRICES = ((3, 4), (4, 3), (5, 5), (3, 4), (2, 6))
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.cuda,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
        ],
    ),
]
PATHS = [pytest.param(False, id="each"), pytest.param(True, id="foreach")]


def parameters(shapes=SHAPES, device="cpu", seed=0):
    """Leaves in float64, of size about 1."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64).to(device).requires_grad_()
        for shape in shapes
    ]


def two_groups(params, lr=0.05, decays=(0.1, 0.0)):
    """The first half with its decay; the second half with a rate of its own."""
    half = len(params) // 2
    return [
        {"params": params[:half], "lr": lr, "weight_decay": decays[0]},
        {"params": params[half:], "lr": 0.4 * lr, "weight_decay": decays[1]},
    ]


def set_gradients(params, step):
    """Gradients of very different sizes; one element is always exactly 0."""
    for number, param in enumerate(params):
        theta = param.detach()
        grad = (10.0 ** (number % 3 - 1)) * torch.sin(2 * theta + step + number) + 0.1 * theta
        grad.view(-1)[0] = 0.0
        param.grad = grad


def run(optimizer, params, steps=range(20), rates=RATES, gradients=set_gradients):
    """The parameters after each step; rates[step] multiplies each group's base rate."""
    base = [group.setdefault("rate_at_first", group["lr"]) for group in optimizer.param_groups]
    path = []
    for step in steps:
        for group, lr in zip(optimizer.param_groups, base, strict=True):
            group["lr"] = lr * rates[step]
        gradients(params, step)
        optimizer.step()
        path.append([param.detach().clone() for param in params])
    return path


def assert_close(ours, theirs, tolerance=TOLERANCE):
    """Equal paths, relative to the largest magnitude of each tensor and to 1."""
    for step, (mine, other) in enumerate(zip(ours, theirs, strict=True), 1):
        for number, (a, b) in enumerate(zip(mine, other, strict=True)):
            far = float((a - b).abs().max())
            assert far <= tolerance * max(1.0, float(b.abs().max())), (
                f"step {step}, parameter {number}: {far:.2e} apart"
            )


def check_parity(
    make,
    theirs,
    device="cpu",
    foreach=False,
    rates=RATES,
    shapes=SHAPES,
    lr=0.05,
    decays=(0.1, 0.0),
    tolerance=TOLERANCE,
):
    """`make` walks where `theirs` walks, step by step."""
    mine, other = parameters(shapes, device), parameters(shapes, device)
    ours = run(make(two_groups(mine, lr, decays), foreach=foreach), mine, rates=rates)
    assert_close(ours, run(theirs(two_groups(other, lr, decays)), other, rates=rates), tolerance)


def check_loop(make, loop, device="cpu", foreach=False, rates=RATES, decays=(0.1, 0.0), lr=0.05):
    """Each element walks as `loop(theta, gradients, rates, weight_decay)` says, which knows plain numbers
    only.

    The loop gets the gradients that the optimizer was given, and returns theta after each step.
    """
    params, asked = parameters(device=device), []
    begin = [param.detach().clone() for param in params]

    def recorded(params, step):
        set_gradients(params, step)
        asked.append([param.grad.clone() for param in params])

    path = run(make(two_groups(params, lr, decays), foreach=foreach), params, rates=rates, gradients=recorded)
    for number, start in enumerate(begin):
        second = number >= len(params) // 2
        pace = [(0.4 * lr if second else lr) * rate for rate in rates]
        for element in range(start.numel()):
            grads = [float(step[number].view(-1)[element]) for step in asked]
            walked = loop(float(start.view(-1)[element]), grads, pace, decays[second])
            for step, theta in enumerate(walked):
                mine = float(path[step][number].view(-1)[element])
                assert abs(mine - theta) <= TOLERANCE * max(1.0, abs(theta)), (
                    f"step {step + 1}, parameter {number}[{element}]: {mine} for {theta}"
                )


def adam_moments(grads):
    """Kingma & Ba's mhat and vhat as sums of all gradients (eq. 1), with beta1 = 0.8, beta2 = 0.95."""
    t = len(grads)
    m = sum(0.2 * 0.8 ** (t - i) * g for i, g in enumerate(grads, 1))
    v = sum(0.05 * 0.95 ** (t - i) * g * g for i, g in enumerate(grads, 1))
    return m / (1 - 0.8**t), v / (1 - 0.95**t)


def check_paths(make, device="cpu", shapes=SHAPES, tolerance=TOLERANCE):
    """One by one and as lists, the walk is the same."""
    each, many = parameters(shapes, device), parameters(shapes, device)
    assert_close(
        run(make(two_groups(each), foreach=False), each),
        run(make(two_groups(many), foreach=True), many),
        tolerance,
    )


def check_resume(make, foreach=False, shapes=SHAPES, device="cpu"):
    """10 steps are 5 steps, a file that holds no code, and 5 more, bit for bit."""
    whole = parameters(shapes, device)
    expected = run(make(two_groups(whole), foreach=foreach), whole, range(10))[-1]
    first = parameters(shapes, device)
    optimizer = make(two_groups(first), foreach=foreach)
    run(optimizer, first, range(5))
    file = io.BytesIO()
    torch.save({"optimizer": optimizer.state_dict(), "params": first}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    second = [param.detach().clone().requires_grad_() for param in saved["params"]]
    resumed = make(
        two_groups(second, lr=1.0, decays=(0.5, 0.5)), foreach=foreach
    )  # other options: the saved ones count
    resumed.load_state_dict(copy.deepcopy(saved["optimizer"]))
    for a, b in zip(expected, run(resumed, second, range(5, 10))[-1], strict=True):
        assert torch.equal(a, b), "a resumed run differs"


def check_skips(make, foreach=False, shapes=SHAPES, device="cpu"):
    """A parameter without a gradient stays and has no state; its first gradient begins its own first step.

    The other parameters walk as if it were not there.
    """
    params, alone, steady = (parameters(shapes, device) for _ in range(3))
    optimizer = make(two_groups(params), foreach=foreach)

    def without_first(params, step):
        set_gradients(params, step)
        params[0].grad = None

    early = run(optimizer, params, range(3), gradients=without_first)
    assert torch.equal(params[0], alone[0]), "a parameter without gradient moved"
    assert params[0] not in optimizer.state
    late = run(optimizer, params, range(3, 6))
    fresh = run(make(two_groups(alone), foreach=foreach), alone, range(3, 6))
    assert_close([step[:1] for step in late], [step[:1] for step in fresh])
    always = run(make(two_groups(steady), foreach=foreach), steady, range(6))
    assert_close([step[1:] for step in early + late], [step[1:] for step in always])


def check_gradients_stay(make, foreach=False, shapes=SHAPES, device="cpu"):
    """A step leaves the gradients as they were, and keeps none of them as its own state."""
    params = parameters(shapes, device)
    optimizer = make(two_groups(params), foreach=foreach)
    for step in range(3):
        set_gradients(params, step)
        kept = [param.grad.clone() for param in params]
        optimizer.step()
        for param, grad in zip(params, kept, strict=True):
            assert torch.equal(param.grad, grad), "the step changed a gradient"
        tensors = [
            value
            for state in optimizer.state.values()
            for value in state.values()
            if isinstance(value, torch.Tensor)
        ]
        places = [tensor.data_ptr() for tensor in (*tensors, *(param.grad for param in params), *params)]
        assert len(set(places)) == len(places), "a tensor of the state is another tensor's memory"


def check_closure(make, shapes=SHAPES):
    """A closure is called once, with gradients on; its loss comes back."""
    params = parameters(shapes)
    optimizer = make(two_groups(params))
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = sum(param.square().sum() for param in params)
        loss.backward()
        calls.append(loss)
        return loss

    before = [param.detach().clone() for param in params]
    assert optimizer.step(closure) is calls[0] and len(calls) == 1
    assert all(not torch.equal(param, old) for param, old in zip(params, before, strict=True))
    assert optimizer.step() is None
