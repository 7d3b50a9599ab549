"""Faults seeded into the optimizers, and the proof that a named check sees each. The same checks pass on the
real ones.

Every row of FAULTS: where the fault is put in (a module or class, and the name replaced), the broken piece,
the check. Where the pieces are made by a template, the template without a fault passes the check.
"""

import functools

import pytest
import torch

import tests.optim.broken_updates as broken
import tests.optim.optim_checks as checks
import tests.optim.test_adagrad as of_adagrad
import tests.optim.test_adam as of_adam
import tests.optim.test_every_optimizer as of_every
import tests.optim.test_lars as of_lars
import tests.optim.test_muon as of_muon
import tests.optim.test_rmsprop as of_rmsprop
import tests.optim.test_sgd as of_sgd
from dlbook.optim import adagrad, adam, adamw, lars, momentum, muon, nesterov, rmsprop, sgd


def sees(check, *arguments, **options):
    return functools.partial(check, *arguments, **options)


TORCH, LOOPS = of_sgd.TORCH, of_sgd.LOOPS
WITH_EPS = (
    functools.partial(adam.Adam, **of_adam.OPTIONS),
    functools.partial(torch.optim.Adam, **of_adam.OPTIONS),
)
W_WITH_EPS = (
    functools.partial(adamw.AdamW, **of_adam.OPTIONS),
    functools.partial(torch.optim.AdamW, **of_adam.OPTIONS),
)
RMS = [
    functools.partial(row, **of_rmsprop.OPTIONS, momentum=0.7) for row in (rmsprop.RMSprop, rmsprop.RMSpropTF)
]
RMS_TORCH = functools.partial(torch.optim.RMSprop, **of_rmsprop.OPTIONS, momentum=0.7)
RMS_TIMM = functools.partial(of_rmsprop.TimmRMSpropTF, **of_rmsprop.OPTIONS, momentum=0.7)
parity, loop = checks.check_parity, checks.check_loop
PAPER_ADAMW = sees(loop, functools.partial(adamw.PaperAdamW, **of_adam.OPTIONS), of_adam.paper_loop)
FAULTS = {
    "sgd: twice the decay": (sgd, "sgd", broken.l2_with_a_two, sees(parity, *TORCH["sgd"])),
    "momentum: dampened": (momentum, "momentum_step", broken.dampened, sees(parity, *TORCH["momentum"])),
    "momentum: first step lost": (
        momentum,
        "momentum_step",
        broken.velocity_one_late,
        sees(parity, *TORCH["momentum"]),
    ),
    "momentum: rate inside": (
        momentum,
        "momentum_step",
        momentum.polyak_step,
        sees(parity, *TORCH["momentum"]),
    ),
    "momentum: rate inside, lists": (
        momentum,
        "momentum_step_many",
        momentum.polyak_step_many,
        sees(parity, *TORCH["momentum"], foreach=True),
    ),
    "momentum: decay changes the gradient": (
        momentum,
        "momentum_step",
        broken.decay_into_the_gradient_itself,
        sees(checks.check_gradients_stay, of_every.EVERY["momentum"]),
    ),
    "momentum: the buffer is the gradient": (
        momentum.Momentum,
        "start",
        broken.first_buffer_is_the_gradient,
        sees(checks.check_gradients_stay, of_every.EVERY["momentum"], True),
    ),
    "polyak: rate outside": (momentum, "polyak_step", momentum.momentum_step, sees(loop, *LOOPS["polyak"])),
    "nesterov: no look-ahead": (
        nesterov,
        "nesterov_step",
        broken.no_look_ahead,
        sees(parity, *TORCH["nesterov"]),
    ),
    "nesterov: old velocity": (
        nesterov,
        "nesterov_step",
        broken.look_ahead_along_the_old_velocity,
        sees(parity, *TORCH["nesterov"]),
    ),
    "nesterov: gradients as scratch": (
        nesterov,
        "nesterov_step_many",
        broken.gradients_used_as_scratch,
        sees(checks.check_gradients_stay, of_every.EVERY["nesterov"], True),
    ),
    "sutskever: theta kept": (
        nesterov,
        "sutskever_step",
        broken.theta_instead_of_the_look_ahead,
        sees(loop, *LOOPS["sutskever"]),
    ),
    "sutskever: torch's form": (
        nesterov.SutskeverNesterov,
        "update",
        lambda self, p, g, s, o: nesterov.nesterov_step(
            p, g, s["velocity"], o["lr"], o["momentum"], o["weight_decay"]
        ),
        sees(loop, *LOOPS["sutskever"]),
    ),
    "sutskever: momentum of another step": (
        nesterov,
        "sutskever_step",
        broken.new_momentum_for_the_old_look_ahead,
        sees(of_sgd.test_a_schedule_of_momentum_stays_exact, False),
    ),
    "adagrad: eps inside": (
        adagrad,
        "adagrad",
        broken.adagrad_eps_inside,
        sees(parity, of_adagrad.MAKE, of_adagrad.TORCH),
    ),
    "adagrad: forgets": (
        adagrad,
        "adagrad",
        broken.adagrad_that_forgets,
        sees(loop, of_adagrad.MAKE, of_adagrad.adagrad_loop),
    ),
    "adagrad: first sum ignored": (
        adagrad.Adagrad,
        "start",
        broken.starts_at("sum", 0.0),
        sees(parity, of_adagrad.MAKE, of_adagrad.TORCH, foreach=True),
    ),
    "rmsprop: eps inside": (rmsprop, "rmsprop", broken.rms(True, False), sees(parity, RMS[0], RMS_TORCH)),
    "rmsprop: rate inside": (rmsprop, "rmsprop", broken.rms(False, True), sees(parity, RMS[0], RMS_TORCH)),
    "rmsprop: begins at 1": (
        rmsprop.RMSprop,
        "start",
        broken.starts_at("square_avg", 1.0),
        sees(parity, RMS[0], RMS_TORCH),
    ),
    "rmsprop: alpha exchanged": (
        rmsprop,
        "rmsprop",
        broken.rms(False, False, exchanged=True),
        sees(loop, RMS[0], functools.partial(of_rmsprop.torch_loop, mu=0.7)),
    ),
    "rmsprop_tf: eps outside": (
        rmsprop,
        "rmsprop_tf",
        broken.rms(False, True),
        sees(parity, RMS[1], RMS_TIMM),
    ),
    "rmsprop_tf: rate outside": (
        rmsprop,
        "rmsprop_tf",
        broken.rms(True, False),
        sees(parity, RMS[1], RMS_TIMM),
    ),
    "rmsprop_tf: rate outside, lists": (
        rmsprop,
        "rmsprop_tf_many",
        rmsprop.rmsprop_many,
        sees(parity, RMS[1], RMS_TIMM, foreach=True),
    ),
    "rmsprop_tf: begins at 0": (
        rmsprop.RMSpropTF,
        "start",
        broken.starts_at("square_avg", 0.0),
        sees(parity, RMS[1], RMS_TIMM),
    ),
    "adam: no correction": (
        adam,
        "adam",
        broken.adam_with(correct=False, coupled=False),
        sees(parity, *WITH_EPS, decays=(0.0, 0.0)),
    ),
    "adam: folded, eps not scaled": (
        adam,
        "adam",
        broken.adam_with(eps_scale=lambda c: 1 / c),
        sees(parity, *WITH_EPS, decays=(0.0, 0.0)),
    ),
    "adam: folded, eps by 1 - beta2^t": (
        adam,
        "adam",
        broken.adam_with(eps_scale=lambda c: c),
        sees(parity, *WITH_EPS, decays=(0.0, 0.0)),
    ),
    "adam: t counted from 2": (
        adam,
        "adam",
        broken.adam_with(later=1),
        sees(parity, *WITH_EPS, decays=(0.0, 0.0)),
    ),
    "adam: betas exchanged": (
        adam,
        "adam",
        broken.adam_with(exchanged=True),
        sees(parity, *WITH_EPS, decays=(0.0, 0.0)),
    ),
    "adam: decoupled decay": (adam, "adam", broken.adam_with(decoupled=True), sees(parity, *WITH_EPS)),
    "adam: one t for all": (
        adam,
        "adam_many",
        broken.one_count_for_all,
        sees(checks.check_skips, adam.Adam, True),
    ),
    "adamw: coupled decay": (adamw, "adamw", broken.adam_with(coupled=True), sees(parity, *W_WITH_EPS)),
    "adamw: decay after the step": (
        adamw,
        "adamw",
        broken.adam_with(decay_after=True),
        sees(parity, *W_WITH_EPS),
    ),
    "adamw: the paper's decay": (
        adamw.AdamW,
        "decay",
        lambda self, group: group["weight_decay"],
        sees(parity, *W_WITH_EPS),
    ),
    "paper_adamw: torch's decay": (adamw.PaperAdamW, "decay", adamw.AdamW.decay, PAPER_ADAMW),
    "paper_adamw: no multiplier": (
        adamw.PaperAdamW,
        "decay",
        lambda self, group: group["weight_decay"],
        PAPER_ADAMW,
    ),
    "lars: biases scaled": (
        lars,
        "lars",
        broken.ratio_for_biases_too,
        sees(of_lars.check_paper, of_lars.MAKE),
    ),
    "lars: rate outside": (lars, "lars", broken.lars_rate_outside, sees(of_lars.check_paper, of_lars.MAKE)),
    "lars: norm of the sum": (lars, "lars", broken.norm_of_the_sum, sees(of_lars.check_timm, of_lars.MAKE)),
    "lars: no decay in the ratio": (
        lars,
        "trust_ratio",
        lambda w, g, trust, decay: broken.real_trust_ratio(w, g, trust, 0.0),
        sees(of_lars.check_timm, of_lars.MAKE, foreach=True),
    ),
    "lars: division by 0": (
        lars,
        "trust_ratio",
        lambda w, g, trust, decay: trust * w / (g + decay * w),
        sees(of_lars.test_zero_weights_and_zero_gradients, False),
    ),
    "lars: lists in another order": (
        lars,
        "lars_many",
        broken.lists_in_two_orders,
        sees(checks.check_paths, of_lars.MAKE, shapes=((3, 4),) * 4),
    ),
    "muon: rows and columns exchanged": (
        muon,
        "factor",
        lambda shape, scale: broken.real_factor(shape[::-1], scale),
        sees(of_muon.check_paper, of_muon.EXACT),
    ),
    "muon: a digit of the quintic": (
        muon,
        "newton_schulz",
        broken.quintic((3.4445, -4.7750, 2.0351)),
        sees(of_muon.check_paper, of_muon.EXACT),
    ),
    "muon: four iterations": (
        muon,
        "newton_schulz",
        broken.quintic(steps=4),
        sees(of_muon.check_paper, of_muon.EXACT, foreach=True),
    ),
    "muon: spectral norm": (
        muon,
        "newton_schulz",
        broken.quintic(order=2),
        sees(of_muon.check_paper, of_muon.EXACT),
    ),
    "muon: decay with the factor": (
        muon,
        "muon",
        broken.decay_with_the_factor,
        sees(of_muon.check_paper, of_muon.EXACT),
    ),
    "all: counts without gradients": (
        adam.Adam,
        "step",
        broken.step_of_all,
        sees(checks.check_skips, adam.Adam),
    ),
    "all: closure without gradients": (
        torch,
        "enable_grad",
        torch.no_grad,
        sees(checks.check_closure, adam.Adam),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault, monkeypatch):
    place, name, replacement, check = FAULTS[fault]
    check()
    monkeypatch.setattr(place, name, replacement)
    with pytest.raises((AssertionError, RuntimeError) if "closure" in fault else AssertionError):
        check()


SOUND = {
    "adam": (adam, "adam", broken.adam_with(), sees(parity, *WITH_EPS, decays=(0.0, 0.0))),
    "rmsprop": (rmsprop, "rmsprop", broken.rms(False, False), sees(parity, RMS[0], RMS_TORCH)),
    "rmsprop_tf": (rmsprop, "rmsprop_tf", broken.rms(True, True), sees(parity, RMS[1], RMS_TIMM)),
    "muon": (muon, "newton_schulz", broken.quintic(), sees(of_muon.check_paper, of_muon.EXACT)),
}


@pytest.mark.parametrize("template", SOUND)
def test_a_template_without_a_fault_passes(template, monkeypatch):
    place, name, sound, check = SOUND[template]
    monkeypatch.setattr(place, name, sound)
    check()
