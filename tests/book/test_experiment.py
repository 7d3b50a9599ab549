"""fit is the naive loop, bit for bit; over_seeds is reproducible and stacks."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlbook import book
from dlbook.book import experiment

DRAW = torch.Generator().manual_seed(0)
IMAGES, LABELS = torch.randn(40, 6, generator=DRAW), torch.randint(3, (40,), generator=DRAW)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def halves(step):
    """A schedule."""
    return 0.5**step


def naive(model, steps, batch, seed, schedule):
    """The loop as anybody writes it."""
    order, optimizer, losses = torch.Generator().manual_seed(seed), sgd(model), []
    model.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.1 * schedule(step)
        picked = torch.randint(40, (batch,), generator=order)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(IMAGES[picked]), LABELS[picked])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def same_as_naive(fit, schedule=None):
    """Whether `fit` gives the losses and the weights of the naive loop."""
    ours, theirs = network().eval(), network()
    losses = fit(ours, IMAGES, LABELS, steps=7, optimizer=sgd(ours), batch=5, seed=3, schedule=schedule)
    expected = naive(theirs, 7, 5, 3, schedule or (lambda step: 1.0))
    states = zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
    return losses.tolist() == expected and all(torch.equal(a, b) for a, b in states)


@pytest.mark.parametrize("schedule", [None, halves])
def test_fit_is_the_naive_loop_bit_for_bit(schedule):
    assert same_as_naive(book.fit, schedule)


FAULTS = {
    "gradients are not cleared": ("        optimizer.zero_grad()\n", ""),
    "the schedule is one step late": ("schedule(step)", "schedule(step + 1)"),
    "rates compound": ("peak * schedule", 'group["lr"] * schedule'),
    "evaluation mode": ("model.train()", "model.eval()"),
    "another draw": ("manual_seed(seed)", "manual_seed(seed + 1)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_naive_loop_catches(fault):
    import inspect

    old, new = FAULTS[fault]
    code = inspect.getsource(experiment.fit)
    assert old in code
    space = dict(vars(experiment))
    exec(code.replace(old, new), space)
    assert not same_as_naive(space["fit"], halves)


def test_fit_asks_for_no_gradient_of_the_losses():
    model = network()
    assert not book.fit(model, IMAGES, LABELS, steps=2, optimizer=sgd(model), batch=4, seed=0).requires_grad


def test_over_seeds_stacks_and_seeds(monkeypatch):
    seen = []

    def run(seed):
        seen.append(seed)
        return torch.rand(2)

    monkeypatch.delenv("DLBOOK_SCALE", raising=False)
    first = book.over_seeds(run, cpu=3, gpu=5, first=10)
    assert first.shape == (3, 2) and seen == [10, 11, 12]
    torch.manual_seed(11)
    assert torch.equal(first[1], torch.rand(2))
    assert torch.equal(first, book.over_seeds(run, cpu=3, first=10))
    monkeypatch.setenv("DLBOOK_SCALE", "gpu")
    assert book.over_seeds(run, cpu=3, gpu=5).shape == (5, 2)


def test_over_seeds_takes_numbers_and_refuses_unequal_shapes():
    assert book.over_seeds(lambda seed: 2.5 * seed).tolist() == [0.0, 2.5, 5.0]
    with pytest.raises(ValueError, match="one shape"):
        book.over_seeds(lambda seed: torch.zeros(seed))
    with pytest.raises(ValueError, match="one seed"):
        book.over_seeds(float, cpu=0)
