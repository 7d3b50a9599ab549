"""A run from its configuration: data, model, method, batches, optimizer, schedule and trainer, put together.

>>> from dlbook.recipes.run.config import RunConfig, resolve
>>> config = resolve(RunConfig, {"model": {"name": "convnet_digits"}, "data": {"name": "color_shapes"}})
>>> setup = build(config)
>>> setup.trainer.fit(1)
>>> sorted(setup.trainer.log)
['accuracy', 'loss']
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dlbook.recipes.classify import pools as classify
from dlbook.recipes.classify.augment import make_transform
from dlbook.recipes.methods import METHODS, Facts
from dlbook.recipes.pretrain import pools as pretrain
from dlbook.recipes.run import transfer
from dlbook.recipes.run.config import RunConfig, hyper_parameters
from dlbook.recipes.run.data import Splits, load
from dlbook.recipes.run.device import MovedBatches, choose_device
from dlbook.recipes.run.fitting import require_batches_fit, require_data_fit, require_network_fits
from dlbook.recipes.run.optimizer import make_optimizer, make_schedule
from dlbook.recipes.semi import pools as semi
from dlbook.train.batches import Batches
from dlbook.train.faults import at_key
from dlbook.train.fit.activation_checkpointing import checkpoint_blocks
from dlbook.train.method import Method
from dlbook.train.parallel import distributed, sharded
from dlbook.train.trainer import Trainer

__all__ = ["Setup", "build", "choose_device", "make_batches", "make_forward", "make_method"]

POOLS = {
    "images": classify.images,
    "weak_strong": semi.weak_strong,
    "two_views": pretrain.two_views,
    "multi_crop": pretrain.multi_crop,
}


@dataclass
class Setup:
    """A run that is ready to go: its parts, by name.

    `steps_per_epoch` counts optimizer steps in one round through the training images.
    """

    config: RunConfig
    splits: Splits
    method: Method
    trainer: Trainer
    device: torch.device
    steps_per_epoch: int

    @property
    def answers(self) -> str:
        """What the evaluated network gives: "classes" or "features"."""
        return METHODS[self.config.method.name].answers

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.config.trainer.epochs * self.steps_per_epoch


def build(config: RunConfig, rank: int = 0, world_size: int = 1, splits: Splits | None = None) -> Setup:
    """Make every part of a run.

    Args:
        config: its batch sizes are those of all processes together.
        rank: number of this process, in [0, world_size).
        world_size: processes of the run, which have begun by `distributed.setup`.
        splits: the images; None reads those that the configuration names.

    Raises:
        ValueError: the configuration asks for what the model or the data cannot give.
        FileNotFoundError: the data are missing.
    """
    device = choose_device(config.trainer.device)
    splits = splits or load(config.data, config.seed)
    require_data_fit(config, splits)
    require_network_fits(config, splits)
    torch.manual_seed(config.seed)
    method = make_method(config, splits, world_size).to(device)
    batches = make_batches(config, splits, device, rank, world_size)
    forward = make_forward(config, method, world_size)  # first, for sharding replaces the parameters
    accumulate = config.trainer.accumulate
    steps_per_epoch = batches.per_epoch // accumulate
    if steps_per_epoch == 0:
        raise ValueError(
            f"trainer.accumulate: expected at most {batches.per_epoch}, the batches of an epoch, "
            f"got {accumulate}; lower it or data.batch_size"
        )
    trainer = Trainer(
        method,
        make_optimizer(config.optimizer, method),
        make_schedule(config, steps_per_epoch),
        batches,
        accumulate=accumulate,
        clip_norm=config.trainer.clip_norm,
        precision=getattr(torch, config.trainer.precision),
        forward=forward,
    )
    distributed.separate_random(rank)
    return Setup(config, splits, method, trainer, device, steps_per_epoch)


def make_method(config: RunConfig, splits: Splits, world_size: int = 1) -> Method:
    """The method that the configuration names, around a row of the zoo with the data's classes."""
    section = config.model
    model = transfer.start(
        section.name,
        len(splits.classes),
        splits.in_channels,
        section.weights,
        section.freeze,
        section.normalise,
    )
    if config.trainer.channels_last:
        model = model.to(memory_format=torch.channels_last)
    if world_size > 1 and config.trainer.sync_batch_norm:
        model = distributed.sync_batch_norm(model)
    facts = Facts(len(splits.train), len(splits.classes))
    method = METHODS[config.method.name].build(model, hyper_parameters(config.method), facts)
    if config.trainer.activation_checkpointing:
        with at_key("trainer.activation_checkpointing"):
            checkpoint_blocks(model)
    require_batches_fit(config, method.train(), world_size)
    return method


def make_batches(
    config: RunConfig, splits: Splits, device: torch.device, rank: int = 0, world_size: int = 1
) -> Batches:
    """Make the batches that the method asks for, in the share of one process.

    Args:
        config: its batch sizes are those of all processes together.
        splits: the images of the run.
        device: where the batches are put.
        rank: number of this process, in [0, world_size).
        world_size: processes of the run.

    Raises:
        ValueError: a batch cannot be shared equally, or is larger than the training set.
    """
    data, kind = config.data, METHODS[config.method.name].batches
    sizes = {"data.batch_size": data.batch_size}
    if kind == "weak_strong":
        sizes["data.unlabelled_batch_size"] = data.unlabelled_batch_size
    for key, size in sizes.items():
        if size % world_size:
            raise ValueError(f"{key}: expected a multiple of {world_size} processes, got {size}; make it one")
    batches = (MovedBatches if device.type == "mps" else Batches)(
        *POOLS[kind](config, splits, world_size),
        seed=config.seed,
        transform=make_transform(config.augment, len(splits.classes)) if kind == "images" else None,
        workers=data.workers,
        rank=rank,
        world_size=world_size,
        device=device,
    )
    if batches.per_epoch == 0:
        key, size = max(sizes.items(), key=lambda item: item[1])
        raise ValueError(
            f"{key}: expected at most {len(batches.pools[-1].dataset)}, the training images, got {size}; "
            f"make it smaller"
        )
    return batches


def make_forward(config: RunConfig, method: Method, world_size: int) -> Callable[..., dict[str, Tensor]]:
    """What the trainer calls: the method, over many processes where there are, compiled where that is asked
    for.
    """
    if world_size > 1 and config.trainer.strategy == "fsdp":
        networks = list(dict.fromkeys([method.model, method.evaluated]))  # without an average they are one
        return sharded.shard(method, networks, compiled=config.trainer.compile)
    forward = distributed.wrap_ddp(method) if world_size > 1 else method
    return torch.compile(forward) if config.trainer.compile else forward
