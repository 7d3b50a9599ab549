"""Image classification from a configuration: data, model, method, optimizer, schedule and trainer, put
together.

>>> from dlbook.recipes.classify.config import ClassifyConfig, resolve
>>> config = resolve(ClassifyConfig, {"model": {"name": "convnet_digits"}, "data": {"name": "color_shapes"}})
>>> setup = build(config)
>>> setup.trainer.fit(1)
>>> sorted(setup.trainer.log)
['accuracy', 'loss']
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from dlbook import optim
from dlbook.optim import cycles, schedules
from dlbook.optim.ema import EMA
from dlbook.recipes.classify import transfer
from dlbook.recipes.classify.augment import make_transform
from dlbook.recipes.classify.config import ClassifyConfig, Optimizer
from dlbook.recipes.classify.data import Splits, load
from dlbook.train.batches import Batches
from dlbook.train.fit.activation_checkpointing import checkpoint_blocks
from dlbook.train.method import Method
from dlbook.train.parallel import distributed, sharded
from dlbook.train.trainer import Trainer

__all__ = [
    "Classify",
    "Setup",
    "build",
    "choose_device",
    "make_forward",
    "make_model",
    "make_optimizer",
    "make_schedule",
]

Transform = Callable[[dict[str, Tensor], Generator], dict[str, Tensor]]


class Classify(Method):
    """Cross-entropy, with label smoothing and mixed labels where they are asked for.

    A batch has "images" [B, C, H, W], and "labels" [B] or "probs" [B, K] (rows that sum to 1).

    Args:
        model: images -> logits [B, K].
        label_smoothing: share of the target that is spread over all classes, in [0, 1).
        ema_decay: keep a moving average of the weights and evaluate that; None keeps none.
    """

    def __init__(
        self, model: nn.Module, label_smoothing: float = 0.0, ema_decay: float | None = None
    ) -> None:
        super().__init__()
        self.model, self.label_smoothing = model, label_smoothing
        self.ema = EMA(model, ema_decay) if ema_decay is not None else None

    @property
    def evaluated(self) -> nn.Module:
        """The network to evaluate and to keep."""
        return self.ema.module if self.ema is not None else self.model

    def training_step(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        """The loss and, where labels are not mixed, the accuracy on the batch in per cent."""
        logits = self.model(batch["images"])
        if not isinstance(logits, Tensor):
            raise ValueError(
                "model.name: expected a network with one head, got one that gives several in "
                "training; take its row without the others"
            )
        loss = F.cross_entropy(
            logits.float(), batch.get("probs", batch["labels"]), label_smoothing=self.label_smoothing
        )
        if "probs" in batch:
            return {"loss": loss}
        return {"loss": loss, "accuracy": 100 * (logits.argmax(dim=1) == batch["labels"]).float().mean()}

    def after_step(self, step: int) -> None:
        """Let the average follow."""
        if self.ema is not None:
            self.ema.update(self.model)


@dataclass
class Setup:
    """A run that is ready to go: its parts, by name."""

    config: ClassifyConfig
    splits: Splits
    method: Classify
    trainer: Trainer
    device: torch.device


def build(config: ClassifyConfig, rank: int = 0, world_size: int = 1, splits: Splits | None = None) -> Setup:
    """Make every part of a run. `data.batch_size` is the batch of all processes together, which have begun by
    distributed.setup.

    Raises: ValueError for what the configuration asks and the model or the data cannot give;
        FileNotFoundError for missing data.
    """
    device = choose_device(config.trainer.device)
    splits = splits or load(config.data, config.seed)
    torch.manual_seed(config.seed)
    model = make_model(config, splits).to(device)
    if config.trainer.channels_last:
        model = model.to(memory_format=torch.channels_last)
    if world_size > 1 and config.trainer.sync_batch_norm:
        model = distributed.sync_batch_norm(model)
    method = Classify(model, config.trainer.label_smoothing, config.trainer.ema_decay).to(device)
    if config.trainer.activation_checkpointing:
        checkpoint_blocks(model)
    if config.data.batch_size % world_size:
        raise ValueError(
            f"data.batch_size: expected a multiple of {world_size} processes, got {config.data.batch_size}"
        )
    batches = Batches(
        splits.train,
        config.data.batch_size // world_size,
        config.seed,
        make_transform(config.augment, len(splits.classes)),
        workers=config.data.workers,
        rank=rank,
        world_size=world_size,
        device=device,
    )
    forward = make_forward(
        config, method, world_size
    )  # before the optimizer: sharding replaces the parameters
    optimizer = make_optimizer(config.optimizer, method)
    steps_per_epoch = batches.per_epoch // config.trainer.accumulate
    if steps_per_epoch == 0:
        raise ValueError(
            f"trainer.accumulate: expected at most {batches.per_epoch}, the batches of an epoch, "
            f"got {config.trainer.accumulate}"
        )
    trainer = Trainer(
        method,
        optimizer,
        make_schedule(config, steps_per_epoch),
        batches,
        accumulate=config.trainer.accumulate,
        clip_norm=config.trainer.clip_norm,
        precision=getattr(torch, config.trainer.precision),
        forward=forward,
    )
    distributed.separate_random(rank)
    return Setup(config, splits, method, trainer, device)


def make_forward(
    config: ClassifyConfig, method: Classify, world_size: int
) -> Callable[..., dict[str, Tensor]]:
    """What the trainer calls: the method, over many processes where there are, compiled where that is asked
    for.
    """
    if world_size > 1 and config.trainer.strategy == "fsdp":
        networks = [method.model] if method.ema is None else [method.model, method.ema.module]
        return sharded.shard(method, networks, compiled=config.trainer.compile)
    forward = distributed.wrap_ddp(method) if world_size > 1 else method
    return torch.compile(forward) if config.trainer.compile else forward


def choose_device(name: str) -> torch.device:
    """ "auto" takes the GPU where there is one. Raises ValueError where "cuda" is asked for and absent."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "trainer.device: expected a CUDA GPU for 'cuda', found none; set trainer.device=cpu or auto"
        )
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def make_model(config: ClassifyConfig, splits: Splits) -> nn.Module:
    """The row of the zoo with the classes and channels of the data, trained before where the section says so."""
    section = config.model
    return transfer.start(
        section.name, len(splits.classes), splits.in_channels, section.weights, section.freeze
    )


def make_optimizer(config: Optimizer, method: Method) -> torch.optim.Optimizer:
    """One of dlbook.optim, with the options of the section that it has."""
    kinds = {
        "sgd": optim.Momentum,
        "nesterov": optim.Nesterov,
        "adam": optim.Adam,
        "adamw": optim.AdamW,
        "rmsprop": optim.RMSprop,
        "lars": optim.LARS,
    }
    kind = kinds[config.name]
    known = inspect.signature(kind).parameters
    options = {
        name: getattr(config, name) for name in ("lr", "momentum", "betas", "weight_decay") if name in known
    }
    if config.decay_norms_and_biases:
        return kind(method.param_groups(), **options)
    return kind(optim.decay_groups(method.model, config.weight_decay), **options)


def make_schedule(config: ClassifyConfig, steps_per_epoch: int) -> schedules.Schedule:
    """Step -> factor of the rate over the whole run; the warm-up multiplies it. Raises ValueError where one
    cycle has no room.
    """
    total = config.trainer.epochs * steps_per_epoch
    section = config.schedule
    if section.name == "cosine":
        schedule = schedules.cosine(total, section.final)
    elif section.name == "one_cycle":
        if total < 4:
            raise ValueError(
                f"schedule.name=one_cycle: expected a run of 4 steps or more, got {total}; raise "
                "trainer.epochs or lower data.batch_size"
            )
        schedule = cycles.one_cycle(total)
    elif section.name == "step":
        schedule = schedules.multi_step([max(1, round(share * total)) for share in section.milestones])
    else:
        schedule = schedules.constant()
    warm = round(section.warmup_epochs * steps_per_epoch)
    return schedules.product(schedules.warmup(warm), schedule) if warm else schedule
