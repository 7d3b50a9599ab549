"""Figures of a network on a part of the data: while it trains, and afterwards from the run's folder.

    evaluate_run("runs/digits")                                       # on the test images
    evaluate_run("runs/pictures", "test", ["data.root=/elsewhere"])   # the images have moved

Networks that learnt classes are measured by `dlbook.train.evaluate.evaluate`. Those that learnt features give
the class of the nearest training image, by the cosine of the features; what counts is whether it is right.
"""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from dlbook.data.image_folder import ImageFolder
from dlbook.measure.answers import Answers
from dlbook.recipes.run.build import Setup, choose_device
from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.data import Splits, fingerprint, load
from dlbook.recipes.run.network import open_network, require_same_images
from dlbook.recipes.run.sections import Data
from dlbook.recipes.run.unused import require_used
from dlbook.recipes.run_folder import require_folder
from dlbook.train import configuration
from dlbook.train.batches import Batch, evaluation_batches
from dlbook.train.evaluate import evaluate, neighbour_accuracy
from dlbook.train.parallel.distributed import broadcast_buffers, gather, is_main, rank, world_size
from dlbook.train.run import RunError, warn

__all__ = ["PARTS", "answer_run", "evaluate_run", "evaluate_setup", "read_config"]

PARTS = ("test", "validation", "train")
CHANGEABLE = ("data.root", "data.workers", "data.batch_size", "trainer.device")
MOST_NEIGHBOURS = 5000  # training images whose features are kept


def evaluate_setup(setup: Setup, part: str = "validation") -> dict[str, float]:
    """The figures of a run while it trains. All processes call it together."""
    broadcast_buffers(setup.method)
    return _figures(
        setup.method.evaluated, setup.answers, setup.splits, part, setup.config.data, setup.device
    )


def read_config(folder: str | Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read the configuration of a run, for evaluation. A device that this machine lacks becomes "auto".

    Args:
        folder: of the run.
        overrides: "section.key=value", of CHANGEABLE keys.

    Raises:
        ValueError: an override would change what is evaluated, or nothing would read it.
        RunError: there is no run.
    """
    require_folder(folder)
    file = Path(folder).expanduser() / "config.yaml"
    for override in overrides:
        if override.partition("=")[0] not in CHANGEABLE:
            raise ValueError(
                f"expected an override of {', '.join(CHANGEABLE)}, got {override!r}; leave it out, since the "
                "rest belongs to the run"
            )
    if not file.is_file():
        raise RunError(
            f"{folder}: expected a run, found no config.yaml; train it first: "
            f"dlbook train CONFIG output.folder={shlex.quote(str(folder))}"
        )
    config = configuration.load(RunConfig, file, overrides)
    require_used(config, [override.partition("=")[0] for override in overrides])
    if any(override.startswith("trainer.device=") for override in overrides):
        return config
    try:
        choose_device(config.trainer.device)
    except ValueError:  # it was trained elsewhere
        return configuration.load(RunConfig, file, [*overrides, "trainer.device=auto"])
    return config


def evaluate_run(
    folder: str | Path, part: str = "test", overrides: Sequence[str] = (), checkpoint: str = "best"
) -> dict[str, float]:
    """The figures of a run's best weights on "test", "validation" or "train".

    A run without test images is asked about its validation images, with a warning.

    Args:
        folder: of the run.
        part: of its data.
        overrides: "data.root=..." where the images have moved, "trainer.device=cpu", and the like.
        checkpoint: "best", or "last" for the newest weights.

    Raises:
        RunError: there is no run, or the images have other classes than those it was trained on.
        FileNotFoundError: the images are missing.
        ValueError: that part does not exist.
    """
    return answer_run(folder, part, overrides, checkpoint)[0]


def answer_run(
    folder: str | Path, part: str = "test", overrides: Sequence[str] = (), checkpoint: str = "best"
) -> tuple[dict[str, float], Answers | None, Dataset, tuple[str, ...], str]:
    """The figures of a run, its answer to each image, these images, the names of the classes, and the part
    that they are.

    Arguments and errors are those of `evaluate_run`. A run that learnt features answers nothing: None. Under
    torchrun each process gets the answers to all images.
    """
    config = read_config(folder, overrides)
    device = choose_device(config.trainer.device)
    network = open_network(folder, device, checkpoint)
    splits = _load(config, folder)
    if splits.classes != network.classes:
        raise RunError(
            f"{folder}: expected images of the classes {', '.join(network.classes)}, got "
            f"{', '.join(splits.classes)}; give the images that the run was trained on by data.root=FOLDER"
        )
    part, told = _shown(splits, part)
    have = [name for name in PARTS if getattr(splits, name)]  # data.validation=0 holds none out
    if part not in have:
        raise ValueError(f"expected one of {', '.join(have)}, got {part!r}; the run has no other part")
    _require_held_out(splits, part, folder)
    if told and is_main():
        warn(told)
    parts: list[Answers] = []
    figures = _figures(
        network.model,
        network.answers,
        splits,
        part,
        config.data,
        device,
        lambda logits, batch: parts.append(Answers.of(logits, batch["labels"])),
    )
    return figures, _in_order(parts), _chosen(splits, part), splits.classes, part


def _shown(splits: Splits, part: str) -> tuple[str, str]:
    """The part whose images are asked, and what to say where they are not those that were asked for."""
    without = splits.test is None or splits.test is splits.validation
    if part == "test" and without and len(splits.validation):
        return "validation", (
            "there are no test images: these are the figures of the validation images, by which the best "
            "weights were chosen"
        )
    return part, ""


def _require_held_out(splits: Splits, part: str, folder: str | Path) -> None:
    """Where validation images are a share of the training images, another list of these is another share:
    images that were trained on would be among the validation images.
    """
    if part != "test" and not isinstance(splits.validation, ImageFolder):
        require_same_images(folder, fingerprint(splits.train), "put new pictures into test")


def _in_order(parts: list[Answers]) -> Answers | None:
    """The answers of all processes: of several, each has every world_size-th image."""
    shares = [share for share in gather(Answers.joined(parts) if parts else None) if share is not None]
    if len(shares) < 2:
        return shares[0] if shares else None
    places = torch.cat([torch.arange(len(s.labels)) * world_size() + r for r, s in enumerate(shares)])
    return Answers.joined(shares).at(places.argsort())


def _load(config: RunConfig, folder: str | Path) -> Splits:
    try:
        return load(config.data, config.seed)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{folder}: expected the images that the run was trained on, {config.data.name} in "
            f"{config.data.root}, got none there ({error}); say where they are now, by dlbook evaluate "
            f"{shlex.quote(str(folder))} data.root=FOLDER"
        ) from error


def _figures(
    model: nn.Module,
    answers: str,
    splits: Splits,
    part: str,
    data: Data,
    device: torch.device,
    each: Callable[[Tensor, Batch], None] | None = None,
) -> dict[str, float]:
    chosen = _chosen(splits, part)
    how = {"batch_size": min(data.batch_size, 500), "workers": data.workers, "device": device}
    if answers == "features":
        if part == "train":  # each image would be its own nearest
            raise ValueError(
                "expected test or validation for a run that learnt features, got train, whose images are the "
                "neighbours; ask for another part"
            )
        if chosen is splits.train:
            raise ValueError(
                "data.validation: expected more than 0 for a method without labels, got 0; set it to 0.1"
            )
        known = torch.utils.data.Subset(splits.train, range(min(MOST_NEIGHBOURS, len(splits.train))))
        accuracy = neighbour_accuracy(
            model, evaluation_batches(known, **how), evaluation_batches(chosen, **how)
        )
        return {"accuracy": accuracy}
    share = {"rank": rank(), "world_size": world_size()}
    return evaluate(model, evaluation_batches(chosen, **how, **share), len(splits.classes), each)


def _chosen(splits: Splits, part: str) -> Dataset:
    """A part; data.validation=0 held nothing out, so that the training images have to do."""
    chosen: Dataset = getattr(splits, part)
    return chosen if len(chosen) else splits.train
