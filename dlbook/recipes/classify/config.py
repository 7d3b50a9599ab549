"""What a run of image classification can be told: every key, its type, its range and its default.

A file needs two keys only: `model.name` and `data.name`. `dlbook train FILE section.key=value` overrides any
    of them.

>>> config = resolve(ClassifyConfig, {"model": {"name": "lenet5_modern"}, "data": {"name": "mnist5k"}}, ["trainer.epochs=2"])
>>> config.trainer.epochs, config.optimizer.name
(2, 'sgd')
"""

from typing import Literal

from pydantic import model_validator

from dlbook.train.configuration import Field, Section, resolve

__all__ = ["ClassifyConfig", "resolve"]


class Model(Section):
    """A row of the zoo (`dlbook models`); the classes and channels come from the data."""

    name: str
    weights: str | None = Field(
        None, description="a run's folder or checkpoint to start from, or 'imagenet' for efficientnet_lite0"
    )
    freeze: bool = Field(
        False, description="train the last linear layer only, with batch normalisation left as it is"
    )


class Data(Section):
    """Where the images are, and how they become batches."""

    name: Literal["mnist5k", "color_shapes", "cifar10", "cifar100", "fashion_mnist", "image_folder"]
    root: str | None = Field(None, description="folder of a set that is not bundled")
    validation: float = Field(
        0.1, ge=0, lt=1, description="share of the training images held out, the same of each class"
    )
    limit: int | None = Field(None, ge=1, description="use at most this many training images")
    batch_size: int = Field(128, ge=1)
    image_size: int = Field(224, ge=8, description="side of the crops of an image folder")
    workers: int = Field(0, ge=0, le=256)

    @model_validator(mode="after")
    def _root_where_needed(self) -> "Data":
        if self.root is None and self.name not in ("mnist5k", "color_shapes"):
            raise ValueError(
                f"expected root=FOLDER for {self.name}, got none; the bundled sets are mnist5k and "
                "color_shapes"
            )
        return self


class Augment(Section):
    """What happens to the images of a training batch."""

    policy: Literal["none", "shift", "flip_crop", "randaugment", "autoaugment"] = "none"
    magnitude: int = Field(9, ge=0, le=30, description="of RandAugment")
    mixup: float = Field(0.0, ge=0, description="alpha; 0 is off")
    cutmix: float = Field(0.0, ge=0, description="alpha; 0 is off")
    cutout: float = Field(
        0.0, ge=0, le=1, description="side of the blanked square over the image's; 0 is off"
    )
    erasing: float = Field(0.0, ge=0, le=1, description="probability of random erasing")


class Optimizer(Section):
    """One of dlbook.optim; `momentum` and `betas` are used where the optimizer has them."""

    name: Literal["sgd", "nesterov", "adam", "adamw", "rmsprop", "lars"] = "sgd"
    lr: float = Field(0.1, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = Field(5e-4, ge=0)
    decay_norms_and_biases: bool = Field(
        False, description="by default only weights of convolutions and linear layers decay"
    )


class Schedule(Section):
    """Factor of the rate over the run."""

    name: Literal["constant", "cosine", "one_cycle", "step"] = "cosine"
    warmup_epochs: float = Field(0.0, ge=0)
    final: float = Field(0.0, ge=0, le=1, description="of cosine: the last factor")
    milestones: list[float] = Field(
        [0.5, 0.75], description="of step: where to divide by ten, as shares of the run"
    )


class Training(Section):
    """The loop."""

    epochs: int = Field(10, ge=1)
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    accumulate: int = Field(1, ge=1)
    clip_norm: float | None = Field(None, gt=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    ema_decay: float | None = Field(None, ge=0, lt=1, description="evaluate a moving average of the weights")
    compile: bool = False
    strategy: Literal["ddp", "fsdp"] = Field(
        "ddp", description="under torchrun: each process holds the whole network, or a part of it"
    )
    sync_batch_norm: bool = Field(
        False, description="under torchrun, on GPUs: statistics over the images of all processes"
    )
    channels_last: bool = False
    activation_checkpointing: bool = False
    evaluate_every: int = Field(
        1, ge=1, description="epochs between two evaluations; each writes a checkpoint"
    )
    patience: int | None = Field(None, ge=1, description="stop after so many evaluations without a new best")
    device: Literal["auto", "cpu", "cuda"] = "auto"


class Output(Section):
    """Where the run is kept."""

    folder: str = "runs/classify"
    tensorboard: bool = True
    wandb: bool = False


class ClassifyConfig(Section):
    """A whole run; the resolved configuration in the run's folder reproduces it."""

    model: Model
    data: Data
    augment: Augment = Augment()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    trainer: Training = Training()
    output: Output = Output()
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _schedule_fits(self) -> "ClassifyConfig":
        if self.schedule.warmup_epochs >= self.trainer.epochs:
            raise ValueError(
                f"expected schedule.warmup_epochs below trainer.epochs={self.trainer.epochs}, got "
                f"{self.schedule.warmup_epochs}"
            )
        return self
