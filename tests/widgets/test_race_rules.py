"""The rules of Race, in Python, beside torch's optimizers and the package's, and faults that are seen."""

import numpy as np
import pytest
import torch

from dlbook import optim
from dlbook.widgets import race_rules
from tests.widgets.race_checks import CURVED, RAVINE

THEIRS = {
    "SGD": lambda p, lr, mu: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr, mu: torch.optim.SGD(p, lr, momentum=mu),
    "Nesterov": lambda p, lr, mu: torch.optim.SGD(p, lr, momentum=mu, nesterov=True),
    "AdaGrad": lambda p, lr, mu: torch.optim.Adagrad(p, lr),
    "RMSprop": lambda p, lr, mu: torch.optim.RMSprop(p, lr, alpha=0.9),
    "Adam": lambda p, lr, mu: torch.optim.Adam(p, lr, betas=(mu, 0.999)),
}
OURS = {
    "SGD": lambda p, lr, mu: optim.SGD(p, lr),
    "momentum": lambda p, lr, mu: optim.Momentum(p, lr, mu),
    "Nesterov": lambda p, lr, mu: optim.Nesterov(p, lr, mu),
    "AdaGrad": lambda p, lr, mu: optim.Adagrad(p, lr),
    "RMSprop": lambda p, lr, mu: optim.RMSprop(p, lr),
    "Adam": lambda p, lr, mu: optim.Adam(p, lr, betas=(mu, 0.999)),
}


def rolled(build, terms, rate, mu, start, updates):
    """The places of a ball that a torch optimizer rolls, in float64."""
    w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer, places = build([w], rate, mu), [w.tolist()]
    for _ in range(updates):
        optimizer.zero_grad()
        sum(c * w[0] ** i * w[1] ** j for c, i, j in terms).backward()
        optimizer.step()
        places.append(w.tolist())
    return np.array(places)


@pytest.mark.parametrize("method", race_rules.METHODS)
@pytest.mark.parametrize("terms", [RAVINE, CURVED])
def test_rules_are_those_of_torch_and_of_the_package(method, terms):
    for rate, mu in ((0.003, 0.9), (0.01, 0.5)):
        found, _ = race_rules.course(terms, method, [rate], mu, (-1.5, 0.5), 100)
        for builds in (THEIRS, OURS):
            expected = rolled(builds[method], terms, rate, mu, (-1.5, 0.5), 100)
            assert np.abs(found[0] - expected).max() < 1e-9


@pytest.mark.parametrize("fault", ["mu", "beta2", "squares", "nesterov"])
def test_a_fault_in_a_rule_is_far_from_torch(fault, monkeypatch):
    method, mu = {"mu": ("momentum", 0.8), "beta2": ("Adam", 0.9), "squares": ("RMSprop", 0.9)}.get(
        fault, ("momentum", 0.9)
    )
    monkeypatch.setattr(race_rules, "BETA2", 0.99 if fault == "beta2" else 0.999)
    monkeypatch.setattr(race_rules, "SQUARES", 0.99 if fault == "squares" else 0.9)
    found, _ = race_rules.course(RAVINE, method, [0.01], mu, (-1.5, 0.5), 100)
    name = "Nesterov" if fault == "nesterov" else method
    assert np.abs(found[0] - rolled(THEIRS[name], RAVINE, 0.01, 0.9, (-1.5, 0.5), 100)).max() > 1e-3


def test_slope_is_the_derivative_of_the_loss():
    x, y, step = np.array([-1.3, 0.2, 1.7]), np.array([0.4, -1.1, 1.9]), 1e-6
    across, up = race_rules.slope(CURVED, x, y)
    assert across == pytest.approx(
        (race_rules.loss(CURVED, x + step, y) - race_rules.loss(CURVED, x - step, y)) / (2 * step), rel=1e-6
    )
    assert up == pytest.approx(
        (race_rules.loss(CURVED, x, y + step) - race_rules.loss(CURVED, x, y - step)) / (2 * step), rel=1e-6
    )
