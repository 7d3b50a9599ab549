"""What holds for every optimizer: both paths, resuming, missing gradients, closures, memory, schedules,
scaler, bad input.
"""

import copy
import functools

import pytest
import torch

import tests.optim.optim_checks as checks
from dlbook import optim
from dlbook.optim import base, schedules
from tests.seeded import edited

EVERY = {
    "sgd": functools.partial(optim.SGD, lr=0.1),
    "momentum": functools.partial(optim.Momentum, lr=0.1),
    "polyak": functools.partial(optim.PolyakMomentum, lr=0.1),
    "nesterov": functools.partial(optim.Nesterov, lr=0.1),
    "sutskever": functools.partial(optim.SutskeverNesterov, lr=0.1),
    "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop,
    "rmsprop with momentum": functools.partial(optim.RMSprop, momentum=0.9),
    "rmsprop_tf": functools.partial(optim.RMSpropTF, momentum=0.9),
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "paper_adamw": optim.PaperAdamW,
    "lars": functools.partial(optim.LARS, lr=0.1),
    "muon": functools.partial(optim.Muon, dtype=torch.float64),
}
every = pytest.mark.parametrize("name", EVERY)
both_paths = pytest.mark.parametrize("foreach", checks.PATHS)
on_devices = pytest.mark.parametrize("device", checks.DEVICES)


def shapes_of(name):
    return checks.MATRICES if name == "muon" else checks.SHAPES


def test_no_optimizer_is_forgotten():
    tested = {make.func if isinstance(make, functools.partial) else make for make in EVERY.values()}
    exported = {
        value
        for value in vars(optim).values()
        if isinstance(value, type) and issubclass(value, torch.optim.Optimizer)
    }
    assert tested == exported


@every
@on_devices
def test_both_paths_agree(name, device):
    checks.check_paths(EVERY[name], device, shapes_of(name))


@every
@both_paths
@on_devices
def test_ten_steps_are_five_and_five(name, device, foreach):
    checks.check_resume(EVERY[name], foreach, shapes_of(name), device)


@every
@both_paths
@on_devices
def test_parameters_without_gradients_are_passed_over(name, device, foreach):
    checks.check_skips(EVERY[name], foreach, shapes_of(name), device)


@every
@both_paths
def test_gradients_stay_as_they_were(name, foreach):
    checks.check_gradients_stay(EVERY[name], foreach, shapes_of(name))


@every
def test_closure(name):
    checks.check_closure(EVERY[name], shapes_of(name))


@every
@both_paths
def test_nothing_to_do(name, foreach):
    params = checks.parameters(shapes_of(name))
    optimizer = EVERY[name](params, foreach=foreach)
    optimizer.step()
    assert not optimizer.state


@every
def test_a_schedule_multiplies_the_rate(name):
    """Through torch's adapter the walk is that of rates set by hand."""
    schedule = schedules.cosine(10)
    by_hand, adapted = checks.parameters(shapes_of(name)), checks.parameters(shapes_of(name))
    expected = checks.run(
        EVERY[name](checks.two_groups(by_hand)), by_hand, range(8), [schedule(step) for step in range(8)]
    )
    optimizer = EVERY[name](checks.two_groups(adapted))
    scheduler = schedules.to_torch(optimizer, schedule)
    for step in range(8):
        checks.set_gradients(adapted, step)
        optimizer.step()
        scheduler.step()
    checks.assert_close([[param.detach() for param in adapted]], expected[-1:])


@every
def test_a_copy_walks_on_by_itself(name):
    params = checks.parameters(shapes_of(name))
    optimizer = EVERY[name](params)
    checks.run(optimizer, params, range(2))
    twin = copy.deepcopy(optimizer)
    before = [param.detach().clone() for param in params]
    checks.run(twin, [param for group in twin.param_groups for param in group["params"]], range(2, 4))
    assert all(torch.equal(a, b) for a, b in zip(params, before, strict=True))


@every
@both_paths
def test_mixed_types_of_parameters(name, foreach):
    """float32 and float64 in one group: each type is a list of its own."""
    shapes = shapes_of(name)[:4]
    params = checks.parameters(shapes)
    params = [
        param.detach().to(dtype).requires_grad_()
        for param, dtype in zip(params, [torch.float32, torch.float64] * 2, strict=True)
    ]
    alone = [param.detach().clone().requires_grad_() for param in params]
    checks.run(EVERY[name](params, foreach=foreach), params, range(3))
    checks.run(EVERY[name](alone, foreach=False), alone, range(3))
    for a, b in zip(params, alone, strict=True):
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@every
def test_groups_can_be_added_later(name):
    params = checks.parameters(shapes_of(name))
    optimizer = EVERY[name](params[:2])
    checks.run(optimizer, params[:2], range(2))
    optimizer.add_param_group({"params": params[2:], "lr": 0.5})
    before = params[2].detach().clone()
    checks.set_gradients(params, 2)
    optimizer.step()
    assert not torch.equal(params[2], before)


def test_a_state_can_be_loaded_twice():
    optimizer, state = (EVERY["momentum"](checks.parameters()) for _ in range(2))
    for _ in range(2):  # torch gives the optimizer one more option when it loads
        optimizer.load_state_dict(state.state_dict())


def test_a_state_of_another_optimizer_is_refused():
    params = checks.parameters()
    state = EVERY["momentum"](params).state_dict()
    with pytest.raises(ValueError, match="state of Adam, got one without betas, eps"):
        EVERY["adam"](params).load_state_dict(state)
    with pytest.raises(ValueError, match="parameter group"):
        EVERY["momentum"](checks.two_groups(params)).load_state_dict(state)


BAD = {
    "lr": -0.1,
    "weight_decay": -1e-4,
    "momentum": 1.0,
    "alpha": -0.1,
    "eps": -1e-8,
    "betas": (0.9, 1.0),
    "initial_accumulator_value": -1.0,
    "trust_coefficient": 0.0,
}
OTHERS = [
    ("sgd", {"lr": float("nan")}, "lr"),
    ("sgd", {"lr": torch.tensor(0.1)}, "lr"),
    ("sgd", {"lr": "1e-4"}, "lr"),
    ("sgd", {"lr": True}, "lr"),
    ("adam", {"lr": float("inf")}, "lr"),
    ("adam", {"betas": (-0.1, 0.9)}, "beta 1"),
    ("adam", {"betas": 0.9}, "betas"),
    ("adamw", {"betas": (0.9, 0.99, 0.999)}, "betas"),
    ("paper_adamw", {"lr": 0.0}, "lr > 0"),
    ("momentum", {"momentum": -0.1}, "momentum"),
]


@every
def test_options_out_of_range(name):
    """Each option of this optimizer, given to it whole or to one group; the failed group is not kept."""
    params = checks.parameters(shapes_of(name))
    good = EVERY[name](params[:1])
    for option in BAD.keys() & good.param_groups[0].keys():
        what = option.removesuffix("s") if option == "betas" else option
        with pytest.raises(ValueError, match=f"expected .*{what}.*got .*; "):
            EVERY[name](params, **{option: BAD[option]})
        with pytest.raises(ValueError, match=what):
            good.add_param_group({"params": params[1:], option: BAD[option]})
    assert len(good.param_groups) == 1


@pytest.mark.parametrize(("name", "options", "what"), OTHERS)
def test_options_that_are_no_numbers(name, options, what):
    with pytest.raises(ValueError, match=f"expected .*{what}"):
        EVERY[name](checks.parameters(), **options)


@pytest.mark.parametrize("name", [name for name in EVERY if name != "muon"])
@both_paths
def test_sparse_gradients_are_refused(name, foreach):
    table = torch.nn.Embedding(5, 3, sparse=True)
    table(torch.tensor([1, 2])).sum().backward()
    optimizer = EVERY[name](table.parameters(), foreach=foreach)
    with pytest.raises(ValueError, match="dense gradient.*sparse=False"):
        optimizer.step()


@every
def test_complex_parameters_are_refused(name):
    with pytest.raises(ValueError, match="real floating-point"):
        EVERY[name]([torch.zeros(2, 2, dtype=torch.complex64, requires_grad=True)])


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every
def test_the_scaler_of_half_precision_skips_a_bad_step(name):
    params = checks.parameters(shapes_of(name), "cuda")
    optimizer, scaler = EVERY[name](params), torch.amp.GradScaler("cuda", init_scale=4.0)
    before = [param.detach().clone() for param in params]
    scaler.scale(sum(param.sum() for param in params) * float("inf")).backward()
    scaler.step(optimizer)
    assert all(torch.equal(a, b) for a, b in zip(params, before, strict=True))


def adam_on(names):
    """Adam's own update on a base class with a fault."""
    own = {"update": optim.Adam.update, "update_many": optim.Adam.update_many}
    return type("Adam", (names["MomentsOptimizer"],), own)


FAULTS = {  # what is wrong: the source of the base, the faulty source, the check, what it raises
    "counts without gradients": (
        "if param.grad is not None]",
        'if param.grad is not None or setattr(param, "grad", torch.zeros_like(param)) is None]',
        checks.check_skips,
        AssertionError,
    ),
    "closure without gradients": (
        "with torch.enable_grad():",
        "with torch.no_grad():",
        checks.check_closure,
        RuntimeError,
    ),
    "one t for all states": (
        'state["step"] += 1',
        'state["step"] = states[0]["step"] + 1',
        functools.partial(checks.check_skips, foreach=True),
        AssertionError,
    ),
    "moments begin at the first gradient": (
        '"exp_avg": torch.zeros_like(param)',
        '"exp_avg": param.grad',
        checks.check_gradients_stay,
        AssertionError,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    old, new, check, error = FAULTS[fault]
    check(optim.Adam)
    with pytest.raises(error):
        check(adam_on(edited(base, old, new)))
