"""The sections of a configuration: every key, its type, its range and its default.

Nothing here imports torch: a mistake in a value is told at once. `config` adds the section of the method,
whose keys are the hyper-parameters of a class of the package.

>>> resolve(Draft, {"model": {"name": "lenet5_modern"}, "data": {"name": "mnist5k"}}).trainer.epochs
10
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, model_validator

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

# Other words for a device, and what to write instead.
DEVICES = {
    "gpu": "cuda for an NVIDIA GPU, mps for Apple's, or auto, which takes the one that is there",
    "nvidia": "cuda",
    "metal": "mps",
    "apple": "mps",
}


def _known_device(name: Any) -> Any:
    """Refuse other words for a device; the nearest of those that are known to gpu would be cpu."""
    word = str(name).lower()
    kind, _, number = word.partition(":")
    fix = DEVICES.get(word)
    if number.isdecimal() and kind in ("cuda", "gpu"):
        fix = f"cuda, and the variable CUDA_VISIBLE_DEVICES={number} before the command"
    if fix:
        raise ValueError(f"expected auto, cpu, cuda or mps, got {name!r}; set trainer.device={fix}")
    return name


Home = AfterValidator(lambda path: str(Path(path).expanduser()) if path.startswith("~") else path)


class Model(Section):
    """A row of the zoo (`dlbook models`); the classes and channels come from the data."""

    name: str = Field(description="a name of `dlbook models`, such as resnet18")
    weights: Annotated[str, Home] | None = Field(
        None,
        description="what to start from: a run's folder or a checkpoint in it; a state dict of torchvision "
        "or timm (.pth, .safetensors); or `imagenet` (efficientnet_lite0)",
    )
    normalise: Literal["auto", "none", "imagenet", "half"] = Field(
        "auto",
        description="how images, which are in [0, 1], are shifted and scaled: `imagenet` by mean and "
        "deviation of ImageNet's channels, `half` to [-1, 1]. `auto` is what model.weights had in training: "
        "of a run, what it had; of a state dict for colour images, `imagenet`; without weights, `none`",
    )
    freeze: bool = Field(
        False,
        description="train the last linear layer only; all else, batch normalisation too, stays as in "
        "model.weights",
    )


class Data(Section):
    """Where the images are, and how they become batches."""

    name: Literal["mnist5k", "color_shapes", "cifar10", "cifar100", "fashion_mnist", "image_folder"] = Field(
        description="the set of images; mnist5k and color_shapes come with the package"
    )
    root: Annotated[str, Home] | None = Field(
        None,
        description="folder of a set that is not bundled; of image_folder the one that holds train, whose "
        "folders are the classes, and val and test where there are any",
    )
    validation: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of the training images that is held out for validation, the same of each class; "
        "where an image folder has val, none is",
    )
    limit: int | None = Field(
        None,
        ge=1,
        description="use at most this many training images, the same number of each class that has so many",
    )
    batch_size: int = Field(128, ge=1, description="images with labels in a batch, of all processes together")
    labels_per_class: int | None = Field(
        None,
        ge=1,
        description="use the labels of so many training images of each class; semi-supervised methods, which "
        "need it, take the others without labels; null uses all labels",
    )
    unlabelled_batch_size: int = Field(
        448,
        ge=1,
        description="of semi-supervised methods: images without labels in a batch, of all processes together",
    )
    image_size: int = Field(
        224,
        ge=8,
        description="of an image folder: side of the squares that are cut from its pictures, in pixels",
    )
    workers: int = Field(
        0, ge=0, le=256, description="processes that read images ahead; 0 reads in the process that trains"
    )

    @model_validator(mode="after")
    def _root_where_needed(self) -> "Data":
        if self.root is None and self.name not in BUNDLED:
            raise ValueError(
                f"root: expected a folder for data.name={self.name}, got none; set data.root=FOLDER, "
                f"or take a bundled set: {' or '.join(BUNDLED)}"
            )
        return self


class Augment(Section):
    """What happens to the images of a training batch."""

    policy: Literal["none", "shift", "flip_crop", "randaugment", "autoaugment"] = Field(
        "none",
        description="shift: moved a little, for digits; flip_crop: moved, and half of them mirrored; "
        "randaugment and autoaugment: flip_crop and random changes of colour and form, for photographs. "
        "Pictures of a folder are cropped at random and mirrored in any case",
    )
    magnitude: int = Field(9, ge=0, le=30, description="of randaugment: how strong its changes are")
    mixup: float = Field(
        0.0,
        ge=0,
        description="alpha: images and labels are blended in pairs, by a share from Beta(alpha, alpha); "
        "0 is off",
    )
    cutmix: float = Field(
        0.0,
        ge=0,
        description="alpha: a rectangle of one image is put into another, with an area from "
        "Beta(alpha, alpha); 0 is off",
    )
    cutout: float = Field(
        0.0, ge=0, le=1, description="side of a square that is blanked, as a share of the image's; 0 is off"
    )
    erasing: float = Field(
        0.0, ge=0, le=1, description="probability that a random rectangle is blanked; 0 is off"
    )


Beta = Annotated[float, Field(ge=0, lt=1)]


class Optimizer(Section):
    """One of dlbook.optim; `momentum` and `betas` are used where the optimizer has them."""

    name: Literal["sgd", "nesterov", "adam", "adamw", "rmsprop", "lars"] = Field(
        "sgd", description="the rule that moves the weights; sgd is with momentum"
    )
    lr: float = Field(0.1, gt=0, description="learning rate, which the schedule multiplies")
    momentum: float = Field(
        0.9, ge=0, lt=1, description="share of the last step that is kept; not of adam and adamw"
    )
    betas: tuple[Beta, Beta] = Field(
        (0.9, 0.999), description="of adam and adamw: decay of the means of gradients and of their squares"
    )
    weight_decay: float = Field(5e-4, ge=0, description="how strongly weights are drawn to zero; 0 is off")
    decay_norms_and_biases: bool = Field(
        False,
        description="draw these to zero, too, and not only the weights of convolutions and linear layers",
    )


def _ascending(shares: list[float]) -> list[float]:
    if not all(0 < share < 1 for share in shares) or sorted(set(shares)) != shares:
        raise ValueError(
            f"expected ascending shares of the run, each between 0 and 1, got {shares}; [0.5, 0.75] "
            "divides the rate after one half and after three quarters of the steps"
        )
    return shares


class Schedule(Section):
    """The learning rate over the run: a factor of `optimizer.lr` for each step."""

    name: Literal["constant", "cosine", "cosine_fraction", "one_cycle", "step"] = Field(
        "cosine",
        description="constant; cosine falls to schedule.final; cosine_fraction is FixMatch's "
        "cos(7 pi k / 16 K) of step k of K; one_cycle rises, then falls to zero; step falls at "
        "schedule.milestones",
    )
    warmup_epochs: float = Field(
        0.0, ge=0, description="epochs in which the rate rises from zero, such as 0.5"
    )
    final: float = Field(0.0, ge=0, le=1, description="of cosine: the factor at the end")
    milestones: Annotated[list[float], AfterValidator(_ascending)] = Field(
        [0.5, 0.75], description="of step: where the rate is divided by ten, as shares of the run"
    )


class Training(Section):
    """How long the network is trained, and how its steps are computed."""

    epochs: int = Field(10, ge=1, description="rounds through the training images")
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32",
        description="number format in which layers compute, by torch.autocast; weights stay float32",
    )
    accumulate: int = Field(1, ge=1, description="batches whose gradients make one step")
    clip_norm: float | None = Field(
        None, gt=0, description="largest norm of the gradient; null does not clip"
    )
    compile: bool = Field(
        False, description="compile the network by torch.compile: a wait at the start, then faster steps"
    )
    strategy: Literal["ddp", "fsdp"] = Field(
        "ddp",
        description="under torchrun: each process holds the whole network (ddp), or a part of it (fsdp)",
    )
    sync_batch_norm: bool = Field(
        False, description="under torchrun, on GPUs: batch normalisation over the images of all processes"
    )
    channels_last: bool = Field(
        False, description="order of tensors in memory; true is faster for many convolutions"
    )
    activation_checkpointing: bool = Field(
        False, description="compute activations twice instead of keeping them: less memory, more time"
    )
    evaluate_every: int = Field(
        1, ge=1, description="epochs from one validation to the next; each writes a checkpoint"
    )
    patience: int | None = Field(
        None, ge=1, description="stop after so many evaluations without a better accuracy; null never does"
    )
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], BeforeValidator(_known_device)] = Field(
        "auto",
        description="cuda: an NVIDIA GPU; mps: Apple's; auto takes the first of cuda, mps, cpu that is there",
    )


class Output(Section):
    """Where the run is kept."""

    folder: Annotated[str, Home] = Field("runs/classify", min_length=1, description="the run's folder")
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
        0,
        ge=0,
        lt=2**64,
        description="of all that is random: first weights, order, crops, which images are held out",
    )

    @model_validator(mode="after")
    def _schedule_fits(self) -> "Draft":
        if self.schedule.warmup_epochs >= self.trainer.epochs:
            raise ValueError(
                f"schedule.warmup_epochs: expected less than trainer.epochs={self.trainer.epochs}, got "
                f"{self.schedule.warmup_epochs:g}; shorten the warm-up, or train for more epochs"
            )
        return self
