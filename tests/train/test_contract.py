"""What a trainer is given and what a method returns: each misfit is answered by a sentence that says what
to do.
"""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dlbook.train import Method, Trainer
from dlbook.train import contract as module
from tests import seeded


class Returns(Method):
    """A method that returns what it was told to make of its loss."""

    def __init__(self, make):
        super().__init__()
        self.model, self.make = nn.Linear(2, 3), make

    def training_step(self, batch, step):
        return self.make(self.model(batch).square())


def trainer(make=lambda rows: {"loss": rows.mean()}, **parts):
    method = Returns(make)
    optimizer = torch.optim.SGD(method.param_groups(), lr=0.1)
    given = {
        "method": method,
        "optimizer": optimizer,
        "schedules": lambda step: 1.0,
        "batches": lambda number: torch.ones(4, 2),
    }
    return Trainer(**(given | {name: part(optimizer) for name, part in parts.items()}))


OUTPUTS = {  # what a method returns -> what it is told
    "a tensor": (lambda rows: rows.mean(), r'got a tensor of shape \[\]; return {"loss": loss}'),
    "a tuple": (lambda rows: (rows.mean(), 1), 'got tuple; return {"loss": loss}'),
    "nothing": (lambda rows: None, 'got NoneType; return {"loss": loss}'),
    "another name": (
        lambda rows: {"Loss": rows.mean()},
        r"""got \['Loss'\] without "loss"; give the loss the name""",
    ),
    "an unreduced loss": (lambda rows: {"loss": rows}, r"a loss of shape \[4, 3\]; reduce it: loss.mean\(\)"),
    "a float loss": (lambda rows: {"loss": rows.mean().item()}, r"got float .* for 'loss'; make it a tensor"),
    "a float beside the loss": (
        lambda rows: {"loss": rows.mean(), "share": 0.5},
        r"got float 0.5 for 'share'; make it a tensor: torch.tensor\(value\)",
    ),
    "a detached loss": (
        lambda rows: {"loss": rows.mean().detach()},
        "a loss without a gradient; compute it from",
    ),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_what_a_method_returns(case):
    make, told = OUTPUTS[case]
    with pytest.raises(ValueError, match=told):
        trainer(make).fit(1)


def rows_of(loader):
    return loader(TensorDataset(torch.ones(4, 2)))


PARTS = {  # what a trainer is given -> what it is told
    "a network for a method": (
        {"method": lambda _: nn.Linear(2, 1)},
        "expected a dlbook.train.Method, got Linear",
    ),
    "the parameters for an optimizer": (
        {"optimizer": lambda o: o.param_groups},
        "expected an optimizer, got list",
    ),
    "another network's optimizer": (
        {"optimizer": lambda _: torch.optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1)},
        "the method's parameters, got one with others; build it over",
    ),
    "a loader": (
        {"batches": lambda _: rows_of(DataLoader)},
        "got DataLoader; make dlbook.train.batches.Batches",
    ),
    "a list": ({"batches": lambda _: [torch.ones(4, 2)]}, r"got list; .*lambda number: rows\[number % len"),
    "a torch scheduler": (
        {"schedules": lambda o: torch.optim.lr_scheduler.ConstantLR(o)},
        "expected a function from the step to a factor for 'default', got ConstantLR; take one of",
    ),
    "no schedule": ({"schedules": lambda _: None}, "for 'default', got NoneType"),
    "a schedule of tensors": (
        {"schedules": lambda _: torch.tensor},
        r"at step 0, got tensor\(0\); return a Python",
    ),
    "a negative factor": ({"schedules": lambda _: lambda step: -1.0}, "expected a factor >= 0 .*got -1.0"),
    "no default": (
        {"schedules": lambda _: {"cosine": lambda step: 1.0}},
        r"a schedule for 'default', which parameter group 0 follows, got \['cosine'\]; add it",
    ),
    "a scheduler by name": ({"schedules": lambda _: {"default": 0.1}}, "for 'default', got float"),
    "a decay that is a number": ({"decay_schedule": lambda _: 0.1}, "for the weight decay, got float"),
    "a schedule of no decay": (
        {"decay_schedule": lambda _: lambda step: 1.0},
        "a weight decay above 0 .*got none",
    ),
    "no accumulation": ({"accumulate": lambda _: 0}, "accumulate to be a whole number >= 1, got 0"),
    "half a batch": ({"accumulate": lambda _: 1.5}, "accumulate to be a whole number >= 1, got 1.5"),
    "a clip that is no number": (
        {"clip_norm": lambda _: float("nan")},
        "expected clip_norm > 0 or None, got nan",
    ),
    "a clip in words": ({"clip_norm": lambda _: "1"}, "expected clip_norm > 0 or None, got '1'"),
    "a class for batches": ({"batches": lambda _: TensorDataset}, "number of a batch to the batch, got type"),
    "a network for batches": (
        {"batches": lambda _: nn.Identity()},
        "number of a batch to the batch, got Identity",
    ),
    "a clip of zero": ({"clip_norm": lambda _: 0.0}, "expected clip_norm > 0 or None, got 0.0"),
    "double precision": (
        {"precision": lambda _: torch.float64},
        "expected torch.float32, .* got torch.float64",
    ),
}


@pytest.mark.parametrize("case", PARTS)
def test_what_a_trainer_is_given(case):
    parts, told = PARTS[case]
    with pytest.raises(ValueError, match=told):
        trainer(**parts)


def named(*names, have=("default", "constant")):
    """A trainer whose groups follow schedules of these names."""
    method = Returns(lambda rows: {"loss": rows.mean()})
    groups = [
        {"params": [parameter], "schedule": name}
        for parameter, name in zip(method.parameters(), names, strict=True)
    ]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    return Trainer(method, optimizer, dict.fromkeys(have, lambda step: 1.0), lambda number: torch.ones(4, 2))


def test_a_wrong_name_of_a_schedule_lists_the_names():
    with pytest.raises(
        ValueError,
        match=r"expected a schedule for 'constnt', which parameter group 1 follows, "
        r"got \['constant', 'default'\]",
    ):
        named("default", "constnt")
    assert named("constant", "constant", have=("constant",)).rate_at(0) == 0.1  # nobody follows "default"


def test_a_resumed_group_whose_schedule_is_gone_is_named():
    state = named("default", "constant").state_dict()
    with pytest.raises(
        ValueError, match="expected a schedule for 'constant', which parameter group 1 follows"
    ):
        named("default", "default", have=("default",)).load_state_dict(state)


FAULTS = {  # fault -> (old, new), what passes in silence then
    "an unreduced loss": (("if loss.ndim > 0:", "if False:"), {"loss": torch.ones(3, requires_grad=True)}),
    "a float beside the loss": (
        ("if not isinstance(value, Tensor):", "if False:"),
        {"loss": torch.ones((), requires_grad=True), "share": 0.5},
    ),
    "a detached loss": (("if not loss.requires_grad:", "if False:"), {"loss": torch.ones(())}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    edit, outputs = FAULTS[fault]
    with pytest.raises(ValueError):
        module.require_outputs(outputs)
    assert seeded.edited(module, *edit)["require_outputs"](outputs) is outputs
