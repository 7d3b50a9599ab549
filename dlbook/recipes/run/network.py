"""The trained network of a run, from its folder alone: `network.json` says what it is and how it is asked.

    model, num_classes, in_channels, image_size     the row of the zoo, and what it was made for
    classes                                         their names, in the order of the logits
    preparation                                     how a picture becomes an input
    normalise                                       mean and standard deviation inside the network, or null
    weights                                         where the evaluated network stands in the method
    answers                                         "classes", or "features" for self-supervised methods
    training_images                                 how many there were, and a SHA-256 of their list

The file is written when the run begins. Neither the training images nor the configuration are needed to open
a network, and no optimizer is built.

>>> open_network("runs/none")  # doctest: +NORMALIZE_WHITESPACE
Traceback (most recent call last):
dlbook.train.run.RunError: runs/none: expected a run with checkpoints/best.ckpt, found none; train it first:
dlbook train CONFIG output.folder=runs/none
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dlbook.data.picture_file import Preparation
from dlbook.files import write_whole
from dlbook.models import create
from dlbook.recipes.methods import METHODS
from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.data import Splits, fingerprint
from dlbook.recipes.run.normalised import Normalised
from dlbook.train.method import Method
from dlbook.train.run import RunError, load_weights

__all__ = ["Network", "describe", "network_weights", "open_network", "read_description", "save_description"]

FILE = "network.json"


@dataclass(frozen=True)
class Network:
    """A trained network with all that is needed to ask it.

    Attributes:
        model: in evaluation mode, on `device`.
        classes: their names, in the order of its logits.
        preparation: picture -> input [C, H, W].
        answers: "classes" or "features".
        device: where the model is.
    """

    model: nn.Module
    classes: tuple[str, ...]
    preparation: Preparation
    answers: str
    device: torch.device


def describe(config: RunConfig, splits: Splits, method: Method) -> dict[str, Any]:
    """What network.json holds."""
    model = method.model
    place = next(name for name, module in method.named_modules() if module is method.evaluated)
    return {
        "model": config.model.name,
        "num_classes": len(splits.classes),
        "in_channels": splits.in_channels,
        "image_size": list(splits.preparation.size),
        "classes": list(splits.classes),
        "preparation": dataclasses.asdict(splits.preparation),
        "normalise": {"mean": model.mean, "std": model.std} if isinstance(model, Normalised) else None,
        "weights": place,
        "answers": METHODS[config.method.name].answers,
        "training_images": fingerprint(splits.train),
    }


def save_description(folder: Path, description: dict[str, Any]) -> None:
    """Write network.json."""
    write_whole(folder / FILE, json.dumps(description, indent=1, ensure_ascii=False) + "\n")


def read_description(folder: str | Path) -> dict[str, Any]:
    """Read network.json.

    Args:
        folder: of the run.

    Raises:
        RunError: the file is missing or was damaged.
    """
    file = Path(folder) / FILE
    try:
        return json.loads(file.read_text("utf8"))
    except FileNotFoundError:
        raise RunError(
            f"{file}: expected the description of the run's network, found none; start the run again, or go "
            "on with it by dlbook train CONFIG --resume"
        ) from None
    except ValueError as error:
        raise RunError(
            f"{file}: expected JSON, got what cannot be read ({error}); copy it from a backup"
        ) from error


def network_weights(folder: str | Path) -> dict[str, Tensor]:
    """Read the weights of a run's best evaluation.

    Args:
        folder: of the run.

    Returns:
        Name in the network -> tensor.

    Raises:
        RunError: the folder holds no run.
        CheckpointError: the checkpoint was damaged.
    """
    folder = Path(folder)
    best = folder / "checkpoints" / "best.ckpt"
    if not best.is_file():
        raise RunError(
            f"{folder}: expected a run with checkpoints/best.ckpt, found none; train it first: "
            f"dlbook train CONFIG output.folder={folder}"
        )
    prefix = read_description(folder)["weights"] + "."
    state = load_weights(best)
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def open_network(folder: str | Path, device: str | torch.device | None = None) -> Network:
    """Build the network of a run with the weights of its best evaluation.

    Args:
        folder: of the run.
        device: where to compute; None takes the GPU where there is one.

    Raises:
        RunError: the folder holds no run, or its network.json is missing.
    """
    folder = Path(folder)
    weights, told = network_weights(folder), read_description(folder)
    model = create(told["model"], num_classes=told["num_classes"], in_channels=told["in_channels"])
    if told["normalise"]:
        model = Normalised(model, **told["normalise"])
    model.load_state_dict(weights)
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    preparation = told["preparation"] | {"size": tuple(told["preparation"]["size"])}
    return Network(
        model.to(device).eval(),
        tuple(told["classes"]),
        Preparation(**preparation),
        told["answers"],
        device,
    )
