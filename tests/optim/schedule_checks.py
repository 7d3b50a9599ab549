"""Schedules held against torch's schedulers and the papers' formulas; each check takes the builder."""

import math
import warnings

import pytest
import torch
from torch.optim import lr_scheduler as reference

from dlbook.optim import schedules

BASE = 0.37  # a rate that is no power of anything


def torch_values(build, updates, key="lr"):
    """What torch's scheduler leaves in the first group for updates 0, 1, ..., in its documentation's order.

    build: optimizer -> scheduler. key: "lr", "momentum" of SGD, or "beta", the first of Adam's.
    """
    weight = torch.nn.Parameter(torch.zeros(1))
    adam = key == "beta"
    kind = torch.optim.Adam if adam else torch.optim.SGD
    optimizer = kind([weight], lr=BASE, **({} if adam else {"momentum": 0.9}))
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler = build(optimizer)
        for update in range(updates):
            group = optimizer.param_groups[0]
            found.append(group["betas"][0] if adam else group[key])
            optimizer.step()
            if update < updates - 1:
                scheduler.step()
    return torch.tensor(found, dtype=torch.float64)


def agree(schedule, build, updates):
    """Equal at every update to 1e-11 of the base rate.

    torch's recursive forms collect rounding; ours has none to collect.
    """
    ours, theirs = BASE * schedules.curve(schedule, updates), torch_values(build, updates)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11 * BASE)


def check_step(build, every=7, gamma=0.3):
    agree(build(every, gamma), lambda o: reference.StepLR(o, every, gamma), 3 * every + 2)


def check_multi_step(build, milestones=(3, 4, 11), gamma=0.3):
    agree(
        build(milestones, gamma),
        lambda o: reference.MultiStepLR(o, list(milestones), gamma),
        max(milestones) + 3,
    )


def check_exponential(build, gamma=0.9):
    agree(build(gamma), lambda o: reference.ExponentialLR(o, gamma), 40)


def check_polynomial(build, total=10, power=0.9):
    agree(build(total, power), lambda o: reference.PolynomialLR(o, total, power), total + 5)


def check_linear(build, total=10, start=0.25, end=1.0):
    agree(build(total, start, end), lambda o: reference.LinearLR(o, start, end, total), total + 5)


def check_cosine(build, total=10, final=0.1):
    agree(build(total, final), lambda o: reference.CosineAnnealingLR(o, total, BASE * final), total + 1)
    assert build(total, final)(total) == pytest.approx(final, abs=1e-15), (
        "the last step has to reach the floor"
    )
    assert build(total, final)(total + 3) == pytest.approx(final, abs=1e-15), "the floor has to hold"


def check_warmup(build, steps=5, start=0.2):
    """shift=0 is torch's line; shift=1 has moved one step by the first update and has the full rate at update
    steps - 1.
    """
    agree(build(steps, start, shift=0), lambda o: reference.LinearLR(o, start, 1.0, steps), steps + 4)
    expected = [start + (1 - start) * min((t + 1) / steps, 1) for t in range(steps + 4)]
    assert schedules.curve(build(steps, start), steps + 4).tolist() == pytest.approx(expected, abs=1e-15)
    assert build(steps, start)(0) > start and build(steps, start)(steps - 1) == 1.0


def check_inverse_sqrt(build, warmup_steps=4000, width=512):
    """Vaswani et al., equation 3, with the step counted from 1, and the peak (d w) ** -0.5 taken out."""
    for s in (1, 2, 100, 3999, 4000, 4001, 100_000):
        paper = width**-0.5 * min(s**-0.5, s * warmup_steps**-1.5)
        assert (width * warmup_steps) ** -0.5 * build(warmup_steps)(s - 1) == pytest.approx(paper, rel=1e-12)


def check_cosine_fraction(build, total=1024):
    for t in (0, 1, 512, 1023, 1024, 2000):
        assert build(total)(t) == pytest.approx(
            math.cos(7 * math.pi * min(t, total) / (16 * total)), abs=1e-15
        )


def check_sequence(build, ramp=5, decay=9, tail=4):
    """Warm-up, cosine, a second cosine: each piece starts at its own step 0."""
    pieces = [schedules.linear(ramp, 0.1, 1.0), schedules.cosine(decay), schedules.cosine(tail)]

    def torchs(o):
        parts = [
            reference.LinearLR(o, 0.1, 1.0, ramp),
            reference.CosineAnnealingLR(o, decay),
            reference.CosineAnnealingLR(o, tail),
        ]
        return reference.SequentialLR(o, parts, [ramp, ramp + decay])

    agree(build(pieces, [ramp, ramp + decay]), torchs, ramp + decay + tail)


def check_product(build, total=12, gamma=0.8):
    agree(
        build(schedules.linear(total, 0.1, 1.0), schedules.exponential(gamma)),
        lambda o: reference.ChainedScheduler(
            [reference.LinearLR(o, 0.1, 1.0, total), reference.ExponentialLR(o, gamma)]
        ),
        total + 5,
    )


def check_per_epoch(build, steps_per_epoch=6, gamma=0.5):
    """Stepping torch's scheduler once an epoch, while the optimizer steps at every batch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, expected = reference.StepLR(optimizer, 2, gamma), []
    for _ in range(7):
        for _ in range(steps_per_epoch):
            expected.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
        scheduler.step()
    assert schedules.curve(
        build(schedules.step(2, gamma), steps_per_epoch), 7 * steps_per_epoch
    ).tolist() == pytest.approx(expected, rel=1e-14)
