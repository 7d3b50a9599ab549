"""Optimizer and schedule of a run, from the sections `optimizer` and `schedule` of its configuration."""

import inspect

import torch

from dlbook import optim
from dlbook.optim import cycles, schedules
from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.sections import Optimizer
from dlbook.train.method import Method

__all__ = ["make_optimizer", "make_schedule"]

KINDS = {
    "sgd": optim.Momentum,
    "nesterov": optim.Nesterov,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "rmsprop": optim.RMSprop,
    "lars": optim.LARS,
}


def make_optimizer(section: Optimizer, method: Method) -> torch.optim.Optimizer:
    """Make one of dlbook.optim, with the options of the section that it has."""
    kind = KINDS[section.name]
    known = inspect.signature(kind).parameters
    options = {
        name: getattr(section, name) for name in ("lr", "momentum", "betas", "weight_decay") if name in known
    }
    if section.decay_norms_and_biases:
        return kind(method.param_groups(), **options)
    return kind(optim.decay_groups(method, section.weight_decay), **options)


def make_schedule(config: RunConfig, steps_per_epoch: int) -> schedules.Schedule:
    """Make the schedule of the whole run; the warm-up multiplies it.

    Args:
        config: names the schedule and its epochs.
        steps_per_epoch: optimizer steps, >= 1.

    Returns:
        Step -> factor of the rate.

    Raises:
        ValueError: the run has too few steps for it.
    """
    total = config.trainer.epochs * steps_per_epoch
    section = config.schedule
    if section.name == "one_cycle" and total < 4:
        raise ValueError(
            f"schedule.name: expected a run of 4 steps or more for one_cycle, got {total}; raise "
            "trainer.epochs or lower data.batch_size"
        )
    drops = [max(1, round(share * total)) for share in section.milestones]
    if section.name == "step" and sorted(set(drops)) != drops:
        raise ValueError(
            f"schedule.milestones: expected shares that fall on different steps of this run of {total}, got "
            f"{section.milestones}; raise trainer.epochs, lower data.batch_size or give fewer shares"
        )
    make = {
        "constant": schedules.constant,
        "cosine": lambda: schedules.cosine(total, section.final),
        "cosine_fraction": lambda: schedules.cosine_fraction(total),
        "one_cycle": lambda: cycles.one_cycle(total),
        "step": lambda: schedules.multi_step(drops),
    }
    warm = round(section.warmup_epochs * steps_per_epoch)
    schedule = make[section.name]()
    return schedules.product(schedules.warmup(warm), schedule) if warm else schedule
