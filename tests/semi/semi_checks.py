"""Oracles of the semi-supervised losses and methods: naive loops over the papers' equations, and what must
not have a gradient.

Each `check_*` takes the thing that it checks, so that `test_semi_faults.py` can hand it a broken one and see
it refused.
"""

import math

import pytest
import torch
from torch import nn

from dlbook.naive import semi as naive

TAU = 0.6
K = 4


def require_example(good):
    """A poor example is an error of the test, not a fault found, so it must not look like a failed check."""
    if not good:
        raise RuntimeError("this example cannot tell a right method from a wrong one; choose another seed")


def logits(seed, images=9):
    return torch.randn(images, K, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 2


def check_fixmatch_value(unlabelled_loss):
    for seed in range(5):
        weak, strong = logits(seed), logits(seed + 100)
        loss = unlabelled_loss(weak, strong, TAU)[0]
        expected = naive.fixmatch(weak.tolist(), strong.tolist(), [TAU] * K)
        kept = sum(max(naive.softmax(row)) >= TAU for row in weak.tolist())
        require_example(0 < kept < len(weak))
        assert math.isclose(loss.item(), expected, rel_tol=1e-12)


def check_no_gradient_to_weak(unlabelled_loss):
    weak, strong = logits(0).requires_grad_(), logits(1).requires_grad_()
    unlabelled_loss(weak, strong, TAU)[0].backward()
    assert weak.grad is None
    assert strong.grad is not None and strong.grad.abs().sum() > 0


def check_flexmatch_value(unlabelled_loss):
    thresholds = torch.tensor([0.2, 0.5, 0.9, 0.7], dtype=torch.float64)
    for seed in range(5):
        weak, strong = logits(seed), logits(seed + 100)
        loss = unlabelled_loss(weak, strong, thresholds)[0]
        assert math.isclose(
            loss.item(), naive.fixmatch(weak.tolist(), strong.tolist(), thresholds.tolist()), rel_tol=1e-12
        )


def check_learning_effect(learning_effect):
    for seed in range(20):
        remembered = torch.randint(-1, K, (30,), generator=torch.Generator().manual_seed(seed))
        if seed == 0:
            remembered[:] = -1
        if seed == 1:
            remembered[3:] = -1
        expected = naive.learning_effect(remembered.tolist(), K)
        assert torch.allclose(
            learning_effect(remembered, K).double(), torch.tensor(expected).double(), atol=1e-7
        )


def check_class_thresholds(class_thresholds):
    beta = torch.linspace(0, 1, 11, dtype=torch.float64)
    expected = naive.thresholds(beta.tolist(), 0.95)
    assert torch.allclose(
        class_thresholds(beta, 0.95), torch.tensor(expected, dtype=torch.float64), atol=1e-15
    )


class Net(nn.Module):
    """Small, in double precision, with batch normalisation, so that modes and batches matter."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, K)
        )
        self.double()

    def forward(self, images):
        return self.layers(images)


def make_net(seed=0):
    torch.manual_seed(seed)
    net = Net()
    with torch.no_grad():
        net.layers[4].weight.mul_(3)  # confident of some images and not of others
    return net


def make_batch(seed=0, labelled=5, unlabelled=12, pool=40):
    generator = torch.Generator().manual_seed(seed)

    def images(count):
        return torch.randn(count, 1, 2, 3, dtype=torch.float64, generator=generator)

    return {
        "labelled": images(labelled),
        "labels": torch.randint(0, K, (labelled,), generator=generator),
        "weak": 3 * images(unlabelled),
        "strong": images(unlabelled),
        "first": images(unlabelled),
        "second": images(unlabelled),
        "indices": torch.randperm(pool, generator=generator)[:unlabelled],
    }


def check_fixmatch_step(make_method):
    """The step's loss from a hand-made forward; its gradient from autograd of the hand-made loss; the
    statistics of both passes.
    """
    method, batch = make_method(make_net(), TAU), make_batch()
    method.train()
    reference = make_net().train()
    with torch.no_grad():
        weak = reference(batch["weak"])
    both = reference(torch.cat([batch["labelled"], batch["strong"]]))
    labelled, strong = both[:5], both[5:]
    q = weak.softmax(1)
    keep = [i for i in range(len(q)) if q[i].max() >= TAU]
    require_example(0 < len(keep) < len(q))
    expected = -labelled.log_softmax(1)[range(5), batch["labels"]].sum() / 5
    for i in keep:
        expected = expected - 2.0 * strong[i].log_softmax(0)[q[i].argmax()] / len(q)
    expected.backward()
    outputs = method.training_step(batch, 0)
    outputs["loss"].backward()
    assert math.isclose(outputs["loss"].item(), expected.item(), rel_tol=1e-12)
    for mine, theirs in zip(method.model.parameters(), reference.parameters(), strict=True):
        assert torch.allclose(mine.grad, theirs.grad, atol=1e-14)
    for mine, theirs in zip(method.model.buffers(), reference.buffers(), strict=True):
        assert torch.allclose(mine.double(), theirs.double(), atol=1e-14), "batch statistics of other passes"
    assert all(weight.grad is None for weight in method.ema.parameters())


def check_flexmatch_memory(make_method):
    """After steps with small thresholds, what is remembered is what passed the *fixed* tau, at the images'
    own indices.
    """
    method = make_method(make_net(), TAU)
    method.train()
    expected = {}
    reference = make_net().train()
    for number in range(3):
        batch = make_batch(seed=number)
        with torch.no_grad():
            q = reference(batch["weak"]).softmax(1)
        method.training_step(batch, number)
        for place, row in zip(batch["indices"].tolist(), q, strict=True):
            if row.max() >= TAU:
                expected[place] = int(row.argmax())
    require_example(expected and method.thresholds().max() < TAU)
    assert {n: c for n, c in enumerate(method.remembered.tolist()) if c >= 0} == expected


def check_average_follows(make_method):
    """A step of SGD moves the model, no gradient reaches the average, and the average follows afterwards."""
    method = make_method(make_net())
    method.train()
    before = method.ema.module.layers[1].weight.clone()
    optimizer = torch.optim.SGD(method.param_groups(), lr=0.1)
    method(make_batch(), 0)["loss"].backward()
    assert all(weight.grad is None for weight in method.ema.parameters())
    optimizer.step()
    method.after_step(0)
    assert not torch.equal(method.ema.module.layers[1].weight, before)
    torch.testing.assert_close(method.ema.module.layers[1].weight, method.model.layers[1].weight)


# Values of a threshold and of the unlabelled weight: taken, and refused; and faults of what refuses them.
THRESHOLD_ENDS = (
    [{"threshold": 0}, {"threshold": 1}, {"unlabelled_weight": 0}],
    [{"threshold": -1e-9}, {"threshold": 1 + 1e-9}, {"unlabelled_weight": -1e-9}],
)
THRESHOLD_FAULTS = [
    ("0 <= self.threshold <=", "0 < self.threshold <="),
    ("self.threshold <= 1", "self.threshold < 1"),
    ("self.unlabelled_weight < 0", "self.unlabelled_weight <= 0"),
    ("self.threshold <= 1", "True"),
    ("self.unlabelled_weight < 0", "False"),
]


def check_ends(config, taken, refused):
    """The ends of a range are taken, and what lies just beyond them is refused."""
    for each in taken:
        config(**each)
    for each in refused:
        with pytest.raises(ValueError, match="expected .* got"):
            config(**each)


def check_evaluated(make_method):
    """The average is what is evaluated, in evaluation mode while the method trains; never the trained one."""
    method = make_method(make_net()).train()
    assert method.evaluated is method.ema.module and method.evaluated is not method.model
    assert method.model.training and not any(part.training for part in method.evaluated.modules())
