"""Why a run stopped: what is wrong with the batch, the weights or the rate, in the words of
`dlbook.measure.health`.

>>> from dlbook.recipes.run.build import build
>>> from dlbook.recipes.run.config import RunConfig, resolve
>>> content = {"model": {"name": "convnet_digits"}, "data": {"name": "color_shapes", "limit": 128}}
>>> setup = build(resolve(RunConfig, content))
>>> setup.splits.train.images[setup.trainer.batches.indices(0)[3], 0, 5, 5] = float("nan")
>>> with explained(setup):
...     setup.trainer.fit(1)  # doctest: +ELLIPSIS, +NORMALIZE_WHITESPACE
Traceback (most recent call last):
dlbook.train.trainer.NonFiniteLoss: step 0: expected a finite loss, got nan on batch 0; example ... of the
training images: the image holds ...
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from dlbook.measure.health import examine, faults_of_batch, findings
from dlbook.recipes.run.build import Setup
from dlbook.train.batches import Batch
from dlbook.train.parallel.sharded import Sharded
from dlbook.train.trainer import NonFiniteLoss

__all__ = ["explained"]

MOST = 3  # of each kind that are told
SHOWN = 4  # of the last losses


@contextmanager
def explained(setup: Setup) -> Iterator[None]:
    """Let the errors of a training say what the data or the network show.

    Args:
        setup: what trains meanwhile.

    Raises:
        NonFiniteLoss: the loss is no number; with what is wrong.
        ValueError: a label is out of range; in place of torch's own error.
    """
    try:
        yield
    except NonFiniteLoss as error:
        raise NonFiniteLoss(error.step, error.batch, error.value, _why(setup, error.batch)) from None
    except (IndexError, RuntimeError) as error:  # of cross_entropy, or of one_hot where labels are mixed
        number = setup.trainer.step * setup.trainer.accumulate
        faults = [
            fault for part in range(setup.trainer.accumulate) for fault in _faults(setup, number + part)
        ]
        if not faults:
            raise
        raise ValueError(
            f"step {setup.trainer.step}: expected labels from 0 to {len(setup.splits.classes) - 1} and "
            f"finite images, got {_joined(faults)}; fix the labels, or leave these examples out"
        ) from error


def _why(setup: Setup, number: int) -> str:
    """Say what is wrong: a faulty batch, else a faulty layer, else the recent losses with advice."""
    if faults := _faults(setup, number):
        return f"{_joined(faults)}; fix or remove them"
    alone = not isinstance(
        setup.trainer.forward, Sharded
    )  # a sharded network would wait for the other processes for ever
    found = _findings(setup, setup.trainer.batches(number))[:MOST] if alone else []
    losses = [value.item() for value in setup.trainer.log.get("loss", [])[-SHOWN:]]
    course = (
        f"the losses before were {', '.join(f'{loss:.3g}' for loss in losses)}"
        if losses
        else "it is the first loss of this run"
    )
    told = [f"{finding.where}: {finding.kind}: {finding.what}" for finding in found]
    return "; ".join([*told, course, _advice(setup, found[0].advice if found else "")])


def _advice(setup: Setup, cure: str) -> str:
    """What to do: the cure of the first layer that broke, from which the others follow, then what else helps
    against a loss that explodes. Nothing is said twice.
    """
    rate = (
        f"lower the rate (now {setup.trainer.rate_at(setup.trainer.step):.2g}; dlbook lr-find suggests one)"
    )
    said = [cure.replace("lower the rate", rate)] if cure else []
    if "lower the rate" not in cure:
        said.append(rate)
    if "clip" not in cure:
        said.append("set trainer.clip_norm=1")
    if setup.trainer.precision is torch.float16 and "bfloat16" not in cure:
        said.append("or take trainer.precision=bfloat16")
    return ", ".join(said)


def _faults(setup: Setup, number: int) -> list[str]:
    """Of the batch as the data sets give it, before any augmentation blends its examples."""
    batches, found = setup.trainer.batches, []
    for pool in batches.pools:
        plain = dataclasses.replace(
            pool, views={"images": pool.views[pool.name]}, labels="labels", indices="indices"
        )
        batch = plain.fetch(batches.places(number, pool), batches.seed)
        if pool.labels is None:  # hidden labels are looked at by nobody
            batch["labels"] = torch.zeros_like(batch["indices"])
        found += faults_of_batch(batch, len(setup.splits.classes))
    return [fault.replace(":", " of the training images:", 1) for fault in dict.fromkeys(found)]


def _findings(setup: Setup, batch: Batch) -> list:
    trainer = setup.trainer
    with torch.autocast(trainer.device, trainer.precision, enabled=trainer.precision is not torch.float32):
        return findings(examine(setup.method, (batch, trainer.step), lambda outputs: outputs["loss"]))


def _joined(faults: list[str]) -> str:
    more = len(faults) - MOST
    return "; ".join(faults[:MOST]) + (f"; and {more} more" if more > 0 else "")
