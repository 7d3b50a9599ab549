"""Starting from a trained network: its weights, a new head, and what is frozen.

>>> from dlbook.models import create
>>> model = create("convnet_digits", num_classes=3)
>>> new_head(model, 5)
>>> model(torch.rand(1, 1, 28, 28)).shape
torch.Size([1, 5])
"""

from pathlib import Path

import torch
from torch import nn

from dlbook.models import create, efficientnet_weights
from dlbook.recipes.run.network import network_weights
from dlbook.recipes.run.normalised import Normalised
from dlbook.train.fit.freeze import freeze, head

__all__ = ["new_head", "start"]


def start(name: str, num_classes: int, in_channels: int, weights: str | None, frozen: bool) -> nn.Module:
    """Make a row of the zoo, with fresh weights, with ImageNet's, or with those of a run.

    Args:
        name: of the row.
        num_classes: of the new head.
        in_channels: of the images.
        weights: None; "imagenet" (efficientnet_lite0); or a run's folder or checkpoint. The head is taken
            along where its shape fits.
        frozen: train the head only; batch normalisation stays as it was trained.

    Raises:
        ValueError: the weights are of another network, or ImageNet's are asked for a row that has none here.
    """
    if weights == "imagenet":
        if name != "efficientnet_lite0" or in_channels != 3:
            raise ValueError(
                "model.weights: expected efficientnet_lite0 and three channels for 'imagenet', "
                f"got {name} and {in_channels}; set model.name=efficientnet_lite0 and take colour images, or "
                "give the folder of a run"
            )
        model = efficientnet_weights.load_lite0_imagenet()
        new_head(model, num_classes)
        model = Normalised(model, 127 / 255, 128 / 255)  # see efficientnet_weights.prepare
    else:
        model = create(name, num_classes=num_classes, in_channels=in_channels)
        if weights is not None:
            _copy_from_run(model, Path(weights))
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


def _copy_from_run(model: nn.Module, path: Path) -> None:
    """Take every tensor along that fits; only the head's may be of another shape."""
    folder = path if path.is_dir() else path.parent.parent  # RUN/checkpoints/best.ckpt
    if not path.exists() or not (folder / "network.json").is_file():
        raise ValueError(
            f"model.weights: expected a run's folder or its best.ckpt, got {path}, "
            f"{'where no run was begun' if path.exists() else 'which is missing'}; train a run there, or fix "
            "the path"
        )
    given, last, own = network_weights(folder), head(model), model.state_dict()
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
