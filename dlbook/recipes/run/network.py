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
import shlex
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
from dlbook.recipes.run.device import choose_device
from dlbook.recipes.run.normalised import Normalised
from dlbook.recipes.run_folder import require_folder
from dlbook.train.checkpoint import CheckpointError, verify
from dlbook.train.method import Method
from dlbook.train.run import RunError, load_weights

__all__ = [
    "Network",
    "describe",
    "network_weights",
    "open_network",
    "read_description",
    "require_same_images",
    "save_description",
]

FILE = "network.json"
KEYS = (
    "model",
    "num_classes",
    "in_channels",
    "classes",
    "preparation",
    "weights",
    "answers",
)  # that are read


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
    file = Path(folder).expanduser() / FILE
    try:
        content = json.loads(file.read_text("utf8"))
    except FileNotFoundError:
        raise RunError(
            f"{file}: expected the description of the run's network, found none; dlbook train "
            f"{shlex.quote(str(folder))} --resume writes it"
        ) from None
    except ValueError as error:
        raise RunError(
            f"{file}: expected JSON, got what cannot be read ({error}); copy it from a backup"
        ) from error
    if missing := [key for key in KEYS if not isinstance(content, dict) or key not in content]:
        raise RunError(
            f"{file}: expected the description of the run's network, got one without {', '.join(missing)}; "
            "copy it from a backup"
        )
    return content


def require_same_images(folder: str | Path, now: dict[str, str | int], otherwise: str) -> None:
    """Compare training images with those that a run began with.

    Args:
        folder: of the run.
        now: their fingerprint.
        otherwise: what else to do than to bring those back.

    Raises:
        RunError: they are others.
    """
    begun = read_description(folder)["training_images"]
    if begun != now:
        others = ", other files" if begun["examples"] == now["examples"] else ""
        raise RunError(
            f"{folder}: expected the {begun['examples']} training images that the run began with, got "
            f"{now['examples']}{others}; bring those back, or {otherwise}"
        )


def network_weights(folder: str | Path, checkpoint: str | Path = "best") -> dict[str, Tensor]:
    """Read the weights of a run's network.

    Args:
        folder: of the run.
        checkpoint: "best", of the best evaluation; "last", of the newest step that was kept; or a file.

    Returns:
        Name in the network -> tensor.

    Raises:
        RunError: the folder holds no run, or not that checkpoint.
        CheckpointError: the checkpoint was damaged.
    """
    require_folder(folder)
    folder = Path(folder).expanduser()
    file = checkpoint if isinstance(checkpoint, Path) else _checkpoint(folder, checkpoint)
    prefix = read_description(folder)["weights"] + "."
    try:
        state = load_weights(file)
    except CheckpointError as error:
        fault = str(error).rpartition(";")[0]
        raise CheckpointError(
            f"{folder}: expected a whole checkpoint, got a damaged one ({fault}); {_way_out(folder, file)}"
        ) from error
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _way_out(folder: Path, lacking: Path) -> str:
    """What to do where a checkpoint is damaged or missing: which other one is whole, or that none is."""
    best, steps = _kept(folder)
    whole = [path for path in (best, *steps) if path != lacking and _is_whole(path)]
    start = shlex.quote(str(folder))
    if best in whole:
        return f"take the best weights by --checkpoint best, or in a new run by model.weights={start}"
    if steps and steps[-1] in whole:
        way = f"go on with it by dlbook train {start} --resume, or " if not best.exists() else ""
        given = shlex.quote(str(steps[-1]))
        return f"{way}take the last weights by --checkpoint last, or in a new run by model.weights={given}"
    if whole or any(folder.glob("checkpoints/step-*.shards")):
        return f"go on from one before it by dlbook train {start} --resume"
    again = shlex.quote(f"{folder}-again")
    return f"no other one is whole, so train it anew by dlbook train {start} output.folder={again}"


def _is_whole(path: Path) -> bool:
    try:
        verify(path)
    except (CheckpointError, OSError):
        return False
    return True


def _kept(folder: Path) -> tuple[Path, list[Path]]:
    """Where the best checkpoint is, and those of steps in their order."""
    return folder / "checkpoints" / "best.ckpt", sorted(folder.glob("checkpoints/step-*.ckpt"))


def _checkpoint(folder: Path, which: str) -> Path:
    """The file of a checkpoint."""
    if which not in ("best", "last"):
        raise ValueError(f"expected the checkpoint best or last, got {which!r}; take one of these")
    best, steps = _kept(folder)
    file = best if which == "best" else (steps or [folder / "checkpoints" / "step-*.ckpt"])[-1]
    if file.is_file():
        return file
    kept = any(path.suffix != ".partial" for path in folder.glob("checkpoints/*"))
    first = f"train it first: dlbook train CONFIG output.folder={shlex.quote(str(folder))}"
    raise RunError(
        f"{folder}: expected a run with checkpoints/{file.name}, found none; "
        f"{_way_out(folder, file) if kept else first}"
    )


def open_network(
    folder: str | Path, device: str | torch.device | None = None, checkpoint: str = "best"
) -> Network:
    """Build the network of a run with the weights of its best evaluation.

    Args:
        folder: of the run.
        device: where to compute; None takes the GPU where there is one.
        checkpoint: "best", or "last" for the newest weights.

    Raises:
        RunError: the folder holds no run, or its network.json is missing.
    """
    weights, told = network_weights(folder, checkpoint), read_description(folder)
    model = create(told["model"], num_classes=told["num_classes"], in_channels=told["in_channels"])
    if told.get("normalise"):
        model = Normalised(model, **told["normalise"])
    model.load_state_dict(weights)
    device = torch.device(device or choose_device())
    preparation = told["preparation"] | {"size": tuple(told["preparation"]["size"])}
    return Network(
        model.to(device).eval(),
        tuple(told["classes"]),
        Preparation(**preparation),
        told["answers"],
        device,
    )
