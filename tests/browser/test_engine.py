"""The engine in Node and in Chromium says what torch says: logits, gradients, ten steps, each operation by itself.

Faults that it catches: `test_engine_faults`.
"""

import pytest
import torch
from torch.nn import functional as F

from dlbook.browser.torch_run import optimizer_of
from tests.browser.engine_runs import in_chromium, in_node
from tests.browser.networks import NETWORKS, STEPS, built, case
from tests.browser.torch_operations import OPERATIONS

FORWARD, GRADIENT, TEN_STEPS, DIFFERENCES = 1e-5, 1e-4, 1e-3, 1e-6
ASKED = {"operations": True, "losses": True}


def cases():
    """All that is asked of the engine."""
    return {"learning": [case(name) for name in NETWORKS], **ASKED}


@pytest.fixture(scope="module", params=["node", pytest.param("chromium", marks=pytest.mark.browser)], ids=str)
def answers(request):
    """What the engine says, in Node and in Chromium."""
    if request.param == "node":
        return in_node(cases())
    return in_chromium(request.getfixturevalue("browser"), cases())


def learnt(name):
    """What torch says of one network, in the form of proofs.js."""
    model, images, labels, optimiser = built(name)
    with torch.no_grad():
        evaluation = model.eval()(images)
    model.train()
    optimizer, losses, first = optimizer_of(model.parameters(), optimiser), [], None
    for _ in range(STEPS):
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        first = first or (logits.detach(), {n: p.grad.clone() for n, p in model.named_parameters()})
        optimizer.step()
        losses.append(loss.item())
    after = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return evaluation, *first, losses, after


def off(told, expected, floor=1e-6):
    """The largest difference, as a part of the largest number that is expected."""
    told = torch.tensor([float(value) for value in told], dtype=torch.float64)
    expected = expected.detach().double().flatten()
    return ((told - expected).abs().max() / expected.abs().max().clamp_min(floor)).item()


def check_learning(told, name):
    """Logits, the gradient of every parameter, and everything after ten steps."""
    evaluation, training, gradients, losses, after = learnt(name)
    for mode, logits in (("evaluation", evaluation), ("training", training)):
        assert off(told[mode], logits, 1.0) <= FORWARD, f"{name}: logits in {mode}"
    assert set(told["gradients"]) == set(gradients)
    largest = max(gradient.abs().max() for gradient in gradients.values())
    for parameter, gradient in gradients.items():
        # a bias before batch norm has the gradient 0, and rounding in its place
        assert off(told["gradients"][parameter], gradient, 1e-3 * largest) <= GRADIENT, f"{name}: {parameter}"
    assert off(told["losses"], torch.tensor(losses)) <= TEN_STEPS, f"{name}: losses"
    for parameter, values in told["after"].items():
        assert off(values, after[parameter], 1e-2) <= TEN_STEPS, f"{name}: {parameter} after {STEPS} steps"


def check_operations(told):
    """Each operation's result is torch's, and its gradient that of finite differences."""
    assert set(told) == set(OPERATIONS)
    for name, found in told.items():
        inputs = [torch.tensor(values, dtype=torch.float64).reshape(s) for values, s in found["inputs"]]
        expected = OPERATIONS[name](*inputs)
        assert list(expected.shape) == found["shape"] or expected.ndim == 0, name
        assert off(found["result"], expected) <= 1e-7, f"{name}: the result"
        assert float(found["worst"]) <= DIFFERENCES, f"{name}: the gradient"


def check_losses(told):
    """A contrastive loss and a self-distilling one, and nothing passes the stop-gradient."""
    a, b = (torch.tensor(v, dtype=torch.float64).reshape(3, 4).requires_grad_() for v in told["inputs"])
    contrast = F.cross_entropy(5 * F.normalize(a) @ F.normalize(b).T, torch.arange(3))
    first = torch.autograd.grad(contrast, (a, b))
    assert told["contrast"] == pytest.approx(contrast.item(), rel=1e-9)
    assert all(off(mine, theirs) <= 1e-9 for mine, theirs in zip(told["first"], first))
    distilled = -(F.softmax(b / 0.5, 1).detach() * F.log_softmax(a, 1)).sum(1).mean()
    assert told["distilled"] == pytest.approx(distilled.item(), rel=1e-9)
    assert off(told["second"], torch.autograd.grad(distilled, a)[0]) <= 1e-9
    assert told["stopped"] is True


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_as_in_torch(answers, name):
    check_learning(answers["learning"][list(NETWORKS).index(name)], name)


def test_every_operation_equals_torch_and_its_finite_differences(answers):
    check_operations(answers["operations"])


def test_contrastive_and_distilling_losses_equal_torch(answers):
    check_losses(answers["losses"])
