"""Weight averaging: torch's swa_utils, the plain mean, statistics of batch normalisation, schedules, and
seeded faults.
"""

import copy
import math

import pytest
import torch
from torch import nn
from torch.optim import swa_utils

from dlbook.optim import SWA, schedules, swa_cycles, swa_phase, update_batch_norm
from dlbook.optim import swa as module
from tests.seeded import edited


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3, momentum=0.3), nn.ReLU(), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
    ).double()


def walk(net, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for param in net.parameters():
            param.add_(torch.randn(param.shape, generator=generator, dtype=param.dtype))


def batches(count=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(4, 2, 7, 6, generator=generator, dtype=torch.float64) for _ in range(count)]


def check_average(build):
    net = network()
    ours, theirs, seen = build(net), swa_utils.AveragedModel(net), []
    for seed in range(5):
        walk(net, seed)
        ours.update(net)
        theirs.update_parameters(net)
        seen.append([param.detach().clone() for param in net.parameters()])
        for number, (a, b) in enumerate(
            zip(ours.module.parameters(), theirs.module.parameters(), strict=True)
        ):
            torch.testing.assert_close(a, b.detach(), rtol=1e-12, atol=1e-12)
            torch.testing.assert_close(
                a, torch.stack([step[number] for step in seen]).mean(0), rtol=1e-12, atol=1e-12
            )
    assert int(ours.averaged) == 5


def check_separate(build):
    net = network()
    average = build(net)
    before = [param.clone() for param in average.parameters()]
    walk(net, 1)
    assert all(torch.equal(a, b) for a, b in zip(before, average.parameters(), strict=True))
    assert not any(param.requires_grad for param in average.parameters())
    average.train()
    assert not any(part.training for part in average.modules())


def check_batch_norm(update):
    """The data set's statistics as torch's function finds them; modes and momenta as before."""
    ours, theirs = network(), network()
    walk(ours, 3)
    walk(theirs, 3)
    ours(batches()[0])  # old statistics, to be forgotten
    ours.eval()
    update(ours, [(batch, "label") for batch in batches()])
    swa_utils.update_bn(batches(), theirs)
    for a, b in zip(ours.buffers(), theirs.buffers(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    assert [ours[1].momentum, ours[4].momentum] == [0.3, 0.1] and not any(
        part.training for part in ours.modules()
    )


def check_dropout_is_off(update):
    net = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(1, affine=False))
    update(net, [torch.ones(64, 1)])
    assert net[1].running_mean.item() == 1.0 and net.training


def check_interrupted(update):
    """Ctrl-C in the middle, or any error of the network: modes and momenta are as before."""
    for error in (KeyboardInterrupt, ZeroDivisionError):
        net = network()
        net[0].eval()
        modes = [part.training for part in net.modules()]

        def stop(module, inputs, error=error):
            raise error

        hook = net[-1].register_forward_pre_hook(stop)
        with pytest.raises(error):
            update(net, batches())
        hook.remove()
        assert [part.training for part in net.modules()] == modes
        assert [net[1].momentum, net[4].momentum] == [0.3, 0.1]


def check_phase(build, shape="cosine", strategy="cos"):
    """torch's SWALR begins where the schedule before it is switched off."""
    weight = nn.Parameter(torch.zeros((), dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    schedule = build(schedules.linear(20, 1.0, 0.5), start=6, anneal=5, factor=0.1, shape=shape)
    for step in range(6):
        assert schedule(step) == 1.0 - 0.025 * step
    optimizer.param_groups[0]["lr"] = 0.5 * (1.0 - 0.025 * 6)
    scheduler = swa_utils.SWALR(optimizer, swa_lr=0.05, anneal_epochs=5, anneal_strategy=strategy)
    for step in range(6, 15):
        assert math.isclose(0.5 * schedule(step), optimizer.param_groups[0]["lr"], rel_tol=1e-12), step
        optimizer.step()
        scheduler.step()


def check_cycles(build):
    """Izmailov et al., section 3.2: alpha(i) = (1 - t) alpha_1 + t alpha_2, t = (mod(i - 1, c) + 1) / c, i
    from 1.
    """
    schedule = build(4, 0.2)
    for i in range(1, 13):
        t = ((i - 1) % 4 + 1) / 4
        assert math.isclose(schedule(i - 1), (1 - t) * 1.0 + t * 0.2)


def test_average():
    check_average(SWA)
    check_separate(SWA)


def test_batch_norm():
    check_batch_norm(update_batch_norm)
    check_dropout_is_off(update_batch_norm)
    check_interrupted(update_batch_norm)


@pytest.mark.parametrize(("shape", "strategy"), [("cosine", "cos"), ("linear", "linear")])
def test_phase(shape, strategy):
    check_phase(swa_phase, shape, strategy)


def test_phase_without_annealing():
    schedule = swa_phase(schedules.constant(), start=3, anneal=0, factor=0.25)
    assert [schedule(step) for step in (2, 3, 4)] == [1.0, 0.25, 0.25]


def test_cycles():
    check_cycles(swa_cycles)


def test_the_whole_recipe():
    """Average, statistics, evaluation: the averaged network's own output, without a trace of the walk's
    statistics.
    """
    net = network()
    average = SWA(net)
    for seed in range(3):
        walk(net, seed)
        net(batches(1, seed)[0])
        average.update(net)
    update_batch_norm(average, batches())
    expected = swa_utils.AveragedModel(average.module)
    swa_utils.update_bn(batches(), expected)
    inputs = batches(1, 9)[0]
    torch.testing.assert_close(average(inputs), expected.eval()(inputs).detach(), rtol=1e-12, atol=1e-12)


def test_state_round_trip():
    net = network()
    average = SWA(net)
    walk(net, 1)
    average.update(net)
    other = SWA(network())
    other.load_state_dict(average.state_dict())
    for copied in (average, other):
        twin = copy.deepcopy(net)
        walk(twin, 2)
        copied.update(twin)
    assert all(torch.equal(a, b) for a, b in zip(average.parameters(), other.parameters(), strict=True))


def test_errors():
    with pytest.raises(ValueError, match="bias"):
        SWA(nn.Linear(1, 1)).update(nn.Linear(1, 1, bias=False))
    net = network()
    with pytest.raises(ValueError, match="one batch or more"):
        update_batch_norm(net, [])
    assert net[1].momentum == 0.3
    update_batch_norm(nn.Linear(1, 1), [])  # nothing to do
    for name, value in {"start": -1, "anneal": -1, "factor": -0.1, "shape": "sine"}.items():
        good = {"before": schedules.constant(), "start": 0, "anneal": 1, "factor": 0.1}
        with pytest.raises(ValueError, match=f"expected {name} .*got {value!r}"):
            swa_phase(**good | {name: value})
    for length, low, what in ((0, 0.1, "length > 0"), (3, -0.1, "low in"), (3, 1.1, "low in")):
        with pytest.raises(ValueError, match=f"expected {what}"):
            swa_cycles(length, low)


class Aliased(SWA):
    def __init__(self, module):
        super().__init__(module)
        self.module = module


class FirstWeightsCounted(SWA):
    """The untrained copy is a member of the mean."""

    def update(self, module):
        self.averaged += not int(self.averaged)
        super().update(module)


class Exponential(SWA):
    def update(self, module):
        super().update(module)
        self.averaged.clamp_(max=2)


def not_reset(model, data):
    kept = [
        (part.running_mean, part.running_mean.clone())
        for part in model.modules()
        if isinstance(part, nn.BatchNorm2d)
    ]
    update_batch_norm(model, data)
    for mean, old in kept:
        mean.add_(old)


def with_its_own_momentum(model, data):
    model.train()
    for batch in data:
        model(batch[0] if isinstance(batch, tuple) else batch)
    model.eval()


def whole_model_in_training(model, data):
    swa_utils.update_bn(data, model)


def anneal_one_late(before, start, anneal, factor, shape):
    return swa_phase(before, start, anneal + 1, factor, shape)


def falls_from_the_base_rate(before, start, anneal, factor, shape):
    real = swa_phase(lambda step: 1.0, start, anneal, factor, shape)
    return lambda step: before(step) if step < start else real(step)


def cycle_from_zero(length, low):
    return lambda step: 1 - (1 - low) * (step % length) / length


def restored_at_a_good_end_only(model, batches):
    old = "    finally:\n        for part, mode"
    new = "    except ValueError:\n        raise\n    else:\n        for part, mode"
    edited(module, old, new)["update_batch_norm"](model, batches)


FAULTS = [
    (restored_at_a_good_end_only, check_interrupted),
    (Aliased, check_separate),
    (FirstWeightsCounted, check_average),
    (Exponential, check_average),
    (not_reset, check_batch_norm),
    (with_its_own_momentum, check_batch_norm),
    (whole_model_in_training, check_dropout_is_off),
    (anneal_one_late, check_phase),
    (falls_from_the_base_rate, check_phase),
    (cycle_from_zero, check_cycles),
]


@pytest.mark.parametrize(("broken", "check"), FAULTS, ids=[broken.__name__ for broken, _ in FAULTS])
def test_the_check_sees_the_fault(broken, check):
    with pytest.raises(AssertionError):
        check(broken)
