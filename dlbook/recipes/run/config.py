"""What a run can be told: every key, its type, its range and its default, whatever the method.

A file needs two keys only: `model.name` and `data.name`. The section `method` names a row of
`dlbook.recipes.methods` and sets its hyper-parameters. `dlbook train FILE section.key=value` overrides a key.

>>> content = {"model": {"name": "lenet5_modern"}, "data": {"name": "mnist5k"}}
>>> config = resolve(RunConfig, content, ["trainer.epochs=2", "method.label_smoothing=0.1"])
>>> config.trainer.epochs, config.optimizer.name, config.method.name
(2, 'sgd', 'cross_entropy')
>>> hyper_parameters(config.method)
CrossEntropyConfig(label_smoothing=0.1, ema_decay=None)
"""

import dataclasses
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, create_model, model_validator

from dlbook.recipes.methods import METHODS
from dlbook.train.configuration import Field, Section, resolve

__all__ = ["RunConfig", "changes", "hyper_parameters", "identity", "resolve"]

# Where a run is kept, how its images are fetched and where it computes: what it learns is the same.
FREE = {"output": True, "data": {"workers", "root"}, "trainer": {"device"}}

Home = AfterValidator(lambda path: str(Path(path).expanduser()) if path.startswith("~") else path)


class Model(Section):
    """A row of the zoo (`dlbook models`); the classes and channels come from the data."""

    name: str
    weights: Annotated[str, Home] | None = Field(
        None, description="a run's folder or its checkpoint to start from, or 'imagenet' (efficientnet_lite0)"
    )
    freeze: bool = Field(
        False, description="train the last linear layer only, with batch normalisation left as it is"
    )


class Data(Section):
    """Where the images are, and how they become batches."""

    name: Literal["mnist5k", "color_shapes", "cifar10", "cifar100", "fashion_mnist", "image_folder"]
    root: Annotated[str, Home] | None = Field(None, description="folder of a set that is not bundled")
    validation: float = Field(
        0.1, ge=0, lt=1, description="share of the training images held out, the same of each class"
    )
    limit: int | None = Field(None, ge=1, description="use at most this many training images")
    batch_size: int = Field(128, ge=1, description="images with labels in a batch, of all processes together")
    labels_per_class: int | None = Field(
        None, ge=1, description="keep so many labels of each class; the other training images have none"
    )
    unlabelled_batch_size: int = Field(
        448, ge=1, description="of semi-supervised methods: images without labels in a batch"
    )
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

    name: Literal["constant", "cosine", "cosine_fraction", "one_cycle", "step"] = Field(
        "cosine", description="cosine_fraction: cos(7 pi k / 16 K) of FixMatch"
    )
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

    folder: Annotated[str, Home] = "runs/classify"
    tensorboard: bool = True
    wandb: bool = False


def _method_section(name: str, hyper: type) -> type[Section]:
    """A section with the fields of a method's dataclass as keys; the dataclass itself judges their values."""

    def judge(section: Section) -> Section:
        hyper(**section.model_dump(exclude={"name"}))
        return section

    keys = {each.name: (each.type, each.default) for each in dataclasses.fields(hyper)}
    return create_model(
        hyper.__name__,
        __base__=Section,
        __doc__=hyper.__doc__,
        __validators__={"judge": model_validator(mode="after")(judge)},
        name=(Literal[name], name),
        **keys,
    )


def _with_name(content: Any) -> Any:
    """A section that names no method is one of cross-entropy."""
    return {"name": "cross_entropy"} | content if isinstance(content, dict) else content


SECTIONS = {name: _method_section(name, row.hyper) for name, row in METHODS.items()}
MethodSection = Annotated[reduce(or_, SECTIONS.values()), Field(discriminator="name")]


def hyper_parameters(section: Section) -> Any:
    """The frozen dataclass of a method from its section."""
    return METHODS[section.name].hyper(**section.model_dump(exclude={"name"}))


class RunConfig(Section):
    """A whole run; the resolved configuration in the run's folder reproduces it."""

    model: Model
    data: Data
    method: Annotated[MethodSection, BeforeValidator(_with_name)] = SECTIONS["cross_entropy"]()
    augment: Augment = Augment()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    trainer: Training = Training()
    output: Output = Output()
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _schedule_fits(self) -> "RunConfig":
        if self.schedule.warmup_epochs >= self.trainer.epochs:
            raise ValueError(
                f"expected schedule.warmup_epochs below trainer.epochs={self.trainer.epochs}, got "
                f"{self.schedule.warmup_epochs}; shorten the warm-up, or train for more epochs"
            )
        return self

    @model_validator(mode="after")
    def _labels_are_counted(self) -> "RunConfig":
        if METHODS[self.method.name].batches == "weak_strong" and self.data.labels_per_class is None:
            raise ValueError(
                f"expected data.labels_per_class for method.name={self.method.name}, got none; set how many "
                "labels of each class it may see"
            )
        return self


def identity(config: RunConfig) -> dict[str, object]:
    """Return what makes a run what it is, as JSON has it: dotted key -> value, without what is FREE."""
    return _flat(config.model_dump(mode="json", exclude=FREE))


def changes(before: dict[str, object], now: dict[str, object]) -> str:
    """Say which keys differ, and how; "" where none does.

    Args:
        before, now: dotted key -> value.
    """
    return "; ".join(
        f"{key} was {before.get(key)!r}, now {now.get(key)!r}"
        for key in before | now
        if before.get(key) != now.get(key)
    )


def _flat(section: dict, prefix: str = "") -> dict[str, object]:
    parts = ((f"{prefix}{key}", value) for key, value in section.items())
    return {
        k: v
        for key, value in parts
        for k, v in (_flat(value, f"{key}.") if isinstance(value, dict) else {key: value}).items()
    }
