"""Oracles of the trainer and its resume, for the real one and for broken ones."""

import inspect
import textwrap

import torch
from torch import nn

from dlbook.optim.ema import EMA
from dlbook.optim.schedules import cosine_fraction
from dlbook.train import Method, Trainer, checkpoint
from dlbook.train import trainer as module

TOTAL = 10


class Noisy(Method):
    """A method with everything that resuming can lose: dropout, batch statistics, momentum, an average, a
    counter.
    """

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 3))
        self.ema = EMA(self.model, decay=0.8)
        self.register_buffer("seen", torch.zeros(3, dtype=torch.int64))

    def training_step(self, batch, step):
        images, labels = batch
        self.seen += torch.bincount(labels, minlength=3)
        loss = nn.functional.cross_entropy(self.model(images), labels)
        return {"loss": loss, "share": (labels == 0).float().mean(), "labels": labels}

    def after_step(self, step):
        self.ema.update(self.model)


def batches(number):
    generator = torch.Generator().manual_seed(1000 + number)
    return torch.randn(6, 4, generator=generator), torch.randint(0, 3, (6,), generator=generator)


def make(trainer_class, accumulate=1, clip_norm=0.5, optimizer=torch.optim.AdamW, source=batches):
    method = Noisy()
    return trainer_class(
        method,
        optimizer(method.param_groups(), lr=0.05, weight_decay=0.01),
        cosine_fraction(TOTAL),
        source,
        accumulate=accumulate,
        clip_norm=clip_norm,
    )


def everything(trainer):
    state = trainer.state_dict()
    flat = {f"method.{name}": value for name, value in state["method"].items()}
    for index, slots in state["optimizer"]["state"].items():
        flat |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in slots.items()}
    flat |= {
        f"log.{name}": value.nan_to_num(nan=-1.0) for name, value in state["log"].items()
    }  # NaN: the norm in a skipped step
    flat |= {"random": state["random"], "step": torch.tensor(state["step"])}
    flat["rate"] = torch.tensor(
        [group["lr"] for group in state["optimizer"]["param_groups"]], dtype=torch.float64
    )
    return flat


def check_resume(trainer_class, folder, accumulate=1):
    """Ten steps, and five, a checkpoint on disk, a new process's objects, five more: the same bits
    everywhere.
    """
    torch.manual_seed(1)
    whole = make(trainer_class, accumulate)
    torch.manual_seed(2)
    whole.fit(TOTAL)

    first = make(trainer_class, accumulate)
    torch.manual_seed(2)
    first.fit(5)
    path = checkpoint.save(folder / "run.ckpt", first.state_dict())
    torch.manual_seed(999)
    torch.rand(17)
    second = make(trainer_class, accumulate)
    second.load_state_dict(checkpoint.load(path))
    second.fit(TOTAL)

    expected, got = everything(whole), everything(second)
    assert expected.keys() == got.keys()
    different = [name for name in expected if not torch.equal(expected[name], got[name])]
    assert not different, different


def check_against_bare_loop(trainer_class):
    """The trainer's weights after ten steps are those of a loop written out here, with average and rates.

    In float64: a bias in front of batch normalisation has no gradient but its rounding error, which AdamW
    multiplies by up to lr / eps = 5e6 in each step. From 1e-16 that makes 5e-9 in ten steps.
    """
    torch.set_default_dtype(torch.float64)
    try:
        _compare_with_bare_loop(trainer_class)
    finally:
        torch.set_default_dtype(torch.float32)


def _compare_with_bare_loop(trainer_class):
    trainer = make(trainer_class, clip_norm=0.5)
    torch.manual_seed(2)
    trainer.fit(TOTAL)
    method = Noisy()
    method.train()
    optimizer = torch.optim.AdamW(method.param_groups(), lr=0.05, weight_decay=0.01)
    schedule = cosine_fraction(TOTAL)
    average = [torch.zeros_like(weight) for weight in method.model.parameters()]
    torch.manual_seed(2)
    for step in range(TOTAL):
        optimizer.param_groups[0]["lr"] = 0.05 * schedule(step)
        for weight in method.model.parameters():
            weight.grad = None
        nn.functional.cross_entropy(method.model(batches(step)[0]), batches(step)[1]).backward()
        gradients = [weight.grad for weight in method.model.parameters()]
        norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
        for gradient in gradients:
            gradient *= (0.5 / (norm + 1e-6)).clamp(max=1.0)
        optimizer.step()
        alpha = min(0.8, 1 - 1 / (step + 1))
        average = [
            alpha * old + (1 - alpha) * new.detach()
            for old, new in zip(average, method.model.parameters(), strict=True)
        ]
    for mine, theirs in zip(trainer.method.model.parameters(), method.model.parameters(), strict=True):
        assert torch.allclose(mine, theirs, rtol=0, atol=1e-8)
    for mine, theirs in zip(trainer.method.ema.module.parameters(), average, strict=True):
        assert torch.allclose(mine, theirs, rtol=0, atol=1e-8)


def check_mode(trainer_class):
    """Every call of `fit` trains in training mode, also after somebody evaluated in between."""
    trainer, modes = make(trainer_class), []
    trainer.method.model.register_forward_pre_hook(
        lambda model, inputs: modes.append({part.training for part in model.modules()})
    )
    for steps in (2, 4, 5):
        trainer.method.eval()
        trainer.fit(steps)
    assert modes == [{True}] * 5


class Linear(Method):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4, dtype=torch.float64))

    def training_step(self, batch, step):
        return {"loss": (batch @ self.weight - 1).square().mean()}


def check_accumulation(trainer_class):
    """Four micro-batches of three are one batch of twelve."""
    rows = torch.randn(5, 12, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights = []
    for accumulate in (1, 4):
        method = Linear()
        optimizer = torch.optim.SGD(method.param_groups(), lr=0.1)
        parts = rows.reshape(5 * accumulate, 12 // accumulate, 4)
        trainer = trainer_class(
            method,
            optimizer,
            lambda step: 1.0,
            lambda number, parts=parts: parts[number],
            accumulate=accumulate,
        )
        trainer.fit(5)
        weights.append((method.weight.detach(), trainer.curve("loss")))
    assert torch.allclose(weights[0][0], weights[1][0], atol=1e-14)
    assert torch.allclose(weights[0][1], weights[1][1])


def edited(*edits):
    """The class with each (old, new) put in; old must stand there once."""
    source = textwrap.dedent(inspect.getsource(Trainer))
    for old, new in edits:
        assert source.count(old) == 1, (old, source.count(old))
        source = source.replace(old, new)
    scope = dict(vars(module))
    exec(compile(source, "<seeded fault>", "exec"), scope)
    return scope["Trainer"]
