"""Starting from a trained network: its weights, a new head, and what is frozen.

>>> from dlbook.models import create
>>> model = create("convnet_digits", num_classes=3)
>>> new_head(model, 5)
>>> model(torch.rand(1, 1, 28, 28)).shape
torch.Size([1, 5])
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dlbook.models import create, efficientnet_weights
from dlbook.recipes.run.network import network_weights, read_description
from dlbook.recipes.run.normalised import Normalised
from dlbook.recipes.run.weights import as_ours, read_state
from dlbook.train.faults import at_key
from dlbook.train.fit.freeze import freeze, head

__all__ = ["new_head", "start"]

# What images in [0, 1] are shifted and scaled by; torchvision's weights, and most of timm's, want "imagenet".
NORMALISE = {
    "imagenet": {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    "half": {"mean": 0.5, "std": 0.5},
}


def start(
    name: str, num_classes: int, in_channels: int, weights: str | None, frozen: bool, normalise: str = "auto"
) -> nn.Module:
    """Make a row of the zoo, with fresh weights, with ImageNet's, with those of a run, or of another library.

    Args:
        name: of the row.
        num_classes: of the new head.
        in_channels: of the images.
        weights: None; "imagenet" (efficientnet_lite0); a run's folder or one of its checkpoints; or a file
            with a state dict of torchvision or timm. The head is taken along where its shape fits.
        frozen: train the head only; batch normalisation stays as it was trained.
        normalise: "none", "imagenet" or "half" (see NORMALISE); "auto" is what a run's network had,
            "imagenet" for colour images and a state dict, else none.

    Raises:
        ValueError: the weights are of another network, or ImageNet's are asked for a row that has none here.
    """
    if weights == "imagenet":
        model = _lite0(name, num_classes, in_channels, normalise)
    else:
        model, wanted = create(name, num_classes=num_classes, in_channels=in_channels), None
        if weights is not None:
            given, wanted = _given(Path(weights), name, in_channels)
            _copy(model, given, Path(weights))
        if normalise != "auto":
            wanted = NORMALISE.get(normalise)
        if normalise == "imagenet" and in_channels != 3:
            raise ValueError(
                f"model.normalise: expected three channels for 'imagenet', got {in_channels}; set it to half "
                "or none"
            )
        model = Normalised(model, **wanted) if wanted else model
    return freeze(model, except_for=[head(model)]) if frozen else model


def new_head(model: nn.Module, num_classes: int) -> None:
    """Replace the last linear layer by a fresh one for `num_classes` classes, in place."""
    name = head(model)
    old = model.get_submodule(name)
    if not isinstance(old, nn.Linear):
        raise ValueError(
            f"expected a network that ends in an nn.Linear, got {type(old).__name__} {name!r}; take another "
            "model.name"
        )
    model.set_submodule(name, nn.Linear(old.in_features, num_classes, old.bias is not None).to(old.weight))


def _lite0(name: str, num_classes: int, in_channels: int, normalise: str) -> nn.Module:
    """EfficientNet-Lite0 with the ImageNet weights of an installed package, which have their own shift."""
    if name != "efficientnet_lite0" or in_channels != 3:
        raise ValueError(
            "model.weights: expected efficientnet_lite0 and three channels for 'imagenet', "
            f"got {name} and {in_channels}; set model.name=efficientnet_lite0 and take colour images, or "
            "give the folder of a run"
        )
    if normalise != "auto":
        raise ValueError(
            f"model.normalise: expected auto with model.weights=imagenet, got {normalise!r}; leave it out, "
            "these weights have their own"
        )
    model = efficientnet_weights.load_lite0_imagenet()
    new_head(model, num_classes)
    return Normalised(model, 127 / 255, 128 / 255)  # see efficientnet_weights.prepare


def _given(path: Path, name: str, in_channels: int) -> tuple[Mapping[str, Tensor], dict[str, Any] | None]:
    """The weights in a run or in a file, by our names, and how their network wants its images."""
    folder = path if path.is_dir() else path.absolute().parent.parent  # RUN/checkpoints/best.ckpt
    if path.exists() and (folder / "network.json").is_file() and (path.is_dir() or path.suffix == ".ckpt"):
        wanted = read_description(folder).get("normalise")
        given = network_weights(folder, "best" if path.is_dir() else path)
        prefix = "model." if wanted else ""  # of Normalised
        return {key.removeprefix(prefix): value for key, value in given.items()}, wanted
    if path.is_dir() or not path.exists():
        raise ValueError(
            "model.weights: expected a run's folder, a checkpoint or a file with a state dict, got "
            f"{path}, {'where no run was begun' if path.exists() else 'which is missing'}; train a run "
            "there, or fix the path"
        )
    with at_key("model.weights"):
        state = read_state(path)
    try:
        given = as_ours(state, name, in_channels)
    except ValueError as misfit:
        raise ValueError(
            f"model.weights: expected weights of {name} in {path}, got others ({misfit}); set model.name to "
            "their network, or give another file"
        ) from misfit
    return given, NORMALISE["imagenet"] if in_channels == 3 else None


def _copy(model: nn.Module, given: Mapping[str, Tensor], path: Path) -> None:
    """Take every tensor along that fits; only the head's may be of another shape."""
    last, own = head(model), model.state_dict()
    for key, value in own.items():
        fits = key in given and given[key].shape == value.shape
        if not fits and not key.startswith(f"{last}."):
            got = list(given[key].shape) if key in given else "nothing"
            raise ValueError(
                f"model.weights: expected tensor {key!r} of shape {list(value.shape)} in {path}, got {got}; "
                "set model.name to the run's network"
            )
    fitting = {
        key: given[key] for key, value in own.items() if key in given and given[key].shape == value.shape
    }
    with torch.no_grad():
        model.load_state_dict(own | fitting)
