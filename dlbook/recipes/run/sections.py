"""The sections of a configuration: every key, its type, its range and its default.

Nothing here imports torch: a mistake in a value is told at once. `config` adds the section of the method,
whose keys are the hyper-parameters of a class of the package.

>>> resolve(Draft, {"model": {"name": "lenet5_modern"}, "data": {"name": "mnist5k"}}).trainer.epochs
10
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from dlbook.train.configuration import Field, Section, resolve

__all__ = [
    "BUNDLED",
    "Augment",
    "Data",
    "Draft",
    "Model",
    "Optimizer",
    "Output",
    "Schedule",
    "Training",
    "resolve",
]

BUNDLED = ("mnist5k", "color_shapes")

Home = AfterValidator(lambda path: str(Path(path).expanduser()) if path.startswith("~") else path)


class Model(Section):
    """A row of the zoo (`dlbook models`); the classes and channels come from the data."""

    name: str = Field(description="the row")
    weights: Annotated[str, Home] | None = Field(
        None,
        description="what to start from: a run's folder or its best.ckpt; a state dict of torchvision or "
        "timm (.pth, .safetensors); or `imagenet` (efficientnet_lite0)",
    )
    normalise: Literal["auto", "none", "imagenet", "half"] = Field(
        "auto",
        description="shift and scale of the images: `imagenet` by mean and deviation of ImageNet's channels, "
        "`half` to [-1, 1]; `auto` as the weights want it, which of a state dict is `imagenet`",
    )
    freeze: bool = Field(
        False, description="train the last linear layer only, with batch normalisation left as it is"
    )


class Data(Section):
    """Where the images are, and how they become batches."""

    name: Literal["mnist5k", "color_shapes", "cifar10", "cifar100", "fashion_mnist", "image_folder"] = Field(
        description="the set; mnist5k and color_shapes are bundled"
    )
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
    workers: int = Field(
        0, ge=0, le=256, description="processes that read images ahead; 0 reads them when asked"
    )

    @model_validator(mode="after")
    def _root_where_needed(self) -> "Data":
        if self.root is None and self.name not in BUNDLED:
            raise ValueError(
                f"expected root=FOLDER for {self.name}, got none; the bundled sets are "
                f"{' and '.join(BUNDLED)}"
            )
        return self


class Augment(Section):
    """What happens to the images of a training batch."""

    policy: Literal["none", "shift", "flip_crop", "randaugment", "autoaugment"] = Field(
        "none", description="shift: by a few pixels, for digits; flip_crop: also left and right exchanged"
    )
    magnitude: int = Field(9, ge=0, le=30, description="of RandAugment")
    mixup: float = Field(0.0, ge=0, description="alpha; 0 is off")
    cutmix: float = Field(0.0, ge=0, description="alpha; 0 is off")
    cutout: float = Field(
        0.0, ge=0, le=1, description="side of the blanked square over the image's; 0 is off"
    )
    erasing: float = Field(0.0, ge=0, le=1, description="probability of random erasing")


Beta = Annotated[float, Field(ge=0, lt=1)]


class Optimizer(Section):
    """One of dlbook.optim; `momentum` and `betas` are used where the optimizer has them."""

    name: Literal["sgd", "nesterov", "adam", "adamw", "rmsprop", "lars"] = Field(
        "sgd", description="the rule; sgd has momentum"
    )
    lr: float = Field(0.1, gt=0, description="learning rate, which the schedule multiplies")
    momentum: float = Field(0.9, ge=0, lt=1, description="share of the last step that is kept")
    betas: tuple[Beta, Beta] = Field(
        (0.9, 0.999), description="of adam and adamw: decay of the means of gradients and of their squares"
    )
    weight_decay: float = Field(5e-4, ge=0, description="how strongly weights are drawn to zero; 0 is off")
    decay_norms_and_biases: bool = Field(
        False, description="by default only weights of convolutions and linear layers decay"
    )


def _ascending(shares: list[float]) -> list[float]:
    if not all(0 < share < 1 for share in shares) or sorted(set(shares)) != shares:
        raise ValueError(
            f"expected ascending shares of the run, each between 0 and 1, got {shares}; [0.5, 0.75] "
            "divides the rate after one half and after three quarters of the steps"
        )
    return shares


class Schedule(Section):
    """Factor of the rate over the run."""

    name: Literal["constant", "cosine", "cosine_fraction", "one_cycle", "step"] = Field(
        "cosine", description="the curve; cosine_fraction: cos(7 pi k / 16 K) of FixMatch"
    )
    warmup_epochs: float = Field(0.0, ge=0, description="the rate grows from zero for so long")
    final: float = Field(0.0, ge=0, le=1, description="of cosine: the last factor")
    milestones: Annotated[list[float], AfterValidator(_ascending)] = Field(
        [0.5, 0.75], description="of step: where to divide by ten, as shares of the run"
    )


class Training(Section):
    """The loop."""

    epochs: int = Field(10, ge=1, description="rounds through the training images")
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="number format of the layers, by autocast"
    )
    accumulate: int = Field(1, ge=1, description="batches whose gradients make one step")
    clip_norm: float | None = Field(
        None, gt=0, description="largest norm of the gradient; null does not clip"
    )
    compile: bool = Field(False, description="torch.compile the network: minutes first, then faster")
    strategy: Literal["ddp", "fsdp"] = Field(
        "ddp", description="under torchrun: each process holds the whole network, or a part of it"
    )
    sync_batch_norm: bool = Field(
        False, description="under torchrun, on GPUs: statistics over the images of all processes"
    )
    channels_last: bool = Field(False, description="memory order in which many convolutions are faster")
    activation_checkpointing: bool = Field(
        False, description="compute activations twice instead of keeping them: less memory, more time"
    )
    evaluate_every: int = Field(
        1, ge=1, description="epochs between two evaluations; each writes a checkpoint"
    )
    patience: int | None = Field(None, ge=1, description="stop after so many evaluations without a new best")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto",
        description="cuda: an NVIDIA GPU; mps: Apple's; auto takes the first of cuda, mps, cpu that is there",
    )


class Output(Section):
    """Where the run is kept."""

    folder: Annotated[str, Home] = Field("runs/classify", description="the run's folder")
    tensorboard: bool = Field(True, description="write curves for TensorBoard into the folder")
    wandb: bool = Field(False, description="send curves to Weights & Biases, if it is installed")


class Draft(Section):
    """A run's configuration before its section `method` is looked at."""

    model: Model
    data: Data
    method: Any = None
    augment: Augment = Augment()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    trainer: Training = Training()
    output: Output = Output()
    seed: int = Field(
        0, ge=0, lt=2**64, description="of the first weights, the order, the crops and the held-out images"
    )

    @model_validator(mode="after")
    def _schedule_fits(self) -> "Draft":
        if self.schedule.warmup_epochs >= self.trainer.epochs:
            raise ValueError(
                f"expected schedule.warmup_epochs below trainer.epochs={self.trainer.epochs}, got "
                f"{self.schedule.warmup_epochs}; shorten the warm-up, or train for more epochs"
            )
        return self
