"""Figures of a network on a part of the data: while it trains, and afterwards from the run's folder.

    evaluate_run("runs/digits")                                       # on the test images
    evaluate_run("runs/pictures", "test", ["data.root=/elsewhere"])   # the images have moved

Networks that learnt classes are measured by `dlbook.train.evaluate.evaluate`. Those that learnt features give
the class of the nearest training image, by the cosine of the features; what counts is whether it is right.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset

from dlbook.recipes.run.build import Setup, choose_device
from dlbook.recipes.run.config import Data, RunConfig
from dlbook.recipes.run.data import Splits, load
from dlbook.recipes.run.network import open_network
from dlbook.train import configuration
from dlbook.train.batches import evaluation_batches
from dlbook.train.evaluate import evaluate, neighbour_accuracy
from dlbook.train.parallel.distributed import broadcast_buffers, rank, world_size
from dlbook.train.run import RunError

__all__ = ["PARTS", "evaluate_run", "evaluate_setup", "read_config"]

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
    """Read the configuration of a run, for evaluation.

    Args:
        folder: of the run.
        overrides: "section.key=value", of CHANGEABLE keys.

    Raises:
        ValueError: an override would change what is evaluated.
        RunError: there is no run.
    """
    file = Path(folder) / "config.yaml"
    for override in overrides:
        if override.partition("=")[0] not in CHANGEABLE:
            raise ValueError(
                f"expected an override of {', '.join(CHANGEABLE)}, got {override!r}; leave it out, since the "
                "rest belongs to the run"
            )
    if not file.is_file():
        raise RunError(
            f"{folder}: expected a run, found no config.yaml; train it first: "
            f"dlbook train CONFIG output.folder={folder}"
        )
    return configuration.load(RunConfig, file, overrides)


def evaluate_run(folder: str | Path, part: str = "test", overrides: Sequence[str] = ()) -> dict[str, float]:
    """The figures of a run's best weights on "test", "validation" or "train".

    Args:
        folder: of the run.
        part: of its data.
        overrides: "data.root=..." where the images have moved, "trainer.device=cpu", and the like.

    Raises:
        RunError: there is no run, or the images have other classes than those it was trained on.
        FileNotFoundError: the images are missing.
        ValueError: that part does not exist.
    """
    config = read_config(folder, overrides)
    device = choose_device(config.trainer.device)
    network = open_network(folder, device)
    splits = _load(config, folder)
    if splits.classes != network.classes:
        raise RunError(
            f"{folder}: expected images of the classes {', '.join(network.classes)}, got "
            f"{', '.join(splits.classes)}; give the images that the run was trained on by data.root=FOLDER"
        )
    if part not in PARTS or getattr(splits, part) is None:
        have = [name for name in PARTS if getattr(splits, name) is not None]
        raise ValueError(f"expected one of {', '.join(have)}, got {part!r}; the run has no other part")
    return _figures(network.model, network.answers, splits, part, config.data, device)


def _load(config: RunConfig, folder: str | Path) -> Splits:
    try:
        return load(config.data, config.seed)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{folder}: expected the images that the run was trained on, {config.data.name} in "
            f"{config.data.root}, got none there ({error}); say where they are now, by dlbook evaluate "
            f"{folder} data.root=FOLDER"
        ) from error


def _figures(
    model: nn.Module, answers: str, splits: Splits, part: str, data: Data, device: torch.device
) -> dict[str, float]:
    chosen: Dataset = getattr(splits, part)
    if len(chosen) == 0:  # data.validation=0: nothing was held out, the training images have to do
        chosen = splits.train
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
    return evaluate(model, evaluation_batches(chosen, **how, **share), len(splits.classes))
