"""Whether a configuration fits its data and its network: asked before the run, not after an epoch.

>>> from dlbook.recipes.run.build import build
>>> from dlbook.recipes.run.config import RunConfig, resolve
>>> content = {"model": {"name": "convnet_digits"}, "data": {"name": "mnist5k", "labels_per_class": 999}}
>>> build(resolve(RunConfig, content))  # doctest: +NORMALIZE_WHITESPACE
Traceback (most recent call last):
ValueError: data.labels_per_class: expected at most 360, the training images of class 0, got 999; ask for
fewer
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from dlbook.models import create, variants
from dlbook.recipes.methods import METHODS
from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.data import Splits
from dlbook.recipes.run.sections import Data
from dlbook.train.faults import at_key
from dlbook.train.method import Method

__all__ = ["require_batches_fit", "require_data_fit", "require_network_fits"]


def require_network_fits(config: RunConfig, splits: Splits) -> None:
    """Raise ValueError for a network that does not take these images, or gives several answers in training.

    Asked on torch's meta device, where tensors have shapes and no values: nothing is computed.
    """
    name, channels, size = config.model.name, splits.in_channels, splits.preparation.size
    _require_one_head(name)
    with at_key("model.name"):
        model = create(name, device="meta", num_classes=len(splits.classes), in_channels=channels)
    try:
        answers = model.train()(torch.empty(2, channels, *size, device="meta"))
    except ValueError as misfit:
        told = str(misfit).rpartition(";")[0]  # its advice is for somebody who calls the network
        if config.data.name == "image_folder":
            raise ValueError(
                f"data.image_size: expected a size that {name} takes, got {size[0]} ({told}); set another"
            ) from misfit
        raise ValueError(
            f"model.name: expected a network for the images of {config.data.name}, {channels} x {size[0]} x "
            f"{size[1]}, got {name} ({told}); take another, `dlbook models` lists them"
        ) from misfit
    if not isinstance(answers, Tensor):
        raise ValueError(
            f"model.name: expected a network with one head, got {name}, which gives several answers in "
            "training; take another, `dlbook models` lists them"
        )


def _require_one_head(name: str) -> None:
    """Raise ValueError for a row of the zoo that has another row with one head only."""
    if f"{name}_no_heads" in variants():
        raise ValueError(
            f"model.name: expected a network with one head, got {name}, which has more of them in training; "
            f"set model.name={name}_no_heads"
        )


def require_data_fit(config: RunConfig, splits: Splits) -> None:
    """Raise ValueError for one class only, for more labels than there are, and for a share to hold out where
    the folder has its own validation images.
    """
    data, labels = config.data, splits.train.labels
    if len(splits.classes) < 2:
        raise ValueError(
            f"data.root: expected two classes or more, got {len(splits.classes)} in {data.root} "
            f"({', '.join(splits.classes)}); one class leaves nothing to tell apart: add a folder for another"
        )
    present, counts = labels.unique(return_counts=True)  # data.limit may leave a class without any
    least = int(counts.argmin())
    if data.labels_per_class is not None and data.labels_per_class > counts[least]:
        raise ValueError(
            f"data.labels_per_class: expected at most {int(counts[least])}, the training images of class "
            f"{splits.classes[present[least]]}, got {data.labels_per_class}; ask for fewer"
        )
    own = Path(data.root or "") / "val"
    usual = (0, Data.model_fields["validation"].default)
    if data.name == "image_folder" and own.is_dir() and data.validation not in usual:
        raise ValueError(
            f"data.validation: expected to be left out, got {data.validation}; the validation images are "
            f"those of {own}"
        )


def require_batches_fit(config: RunConfig, method: Method, world_size: int = 1) -> None:
    """Raise ValueError for batches of one image where a layer takes statistics over the batch.

    Args:
        config: its batch sizes are those of all processes together.
        method: with its networks in the mode in which they train.
        world_size: processes of the run.
    """
    kind = METHODS[config.method.name].batches
    key = "unlabelled_batch_size" if kind == "weak_strong" else "batch_size"  # what goes through it alone
    size, joined = getattr(config.data, key), world_size > 1 and config.trainer.sync_batch_norm
    norms = [part for part in method.model.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    if size <= world_size and not joined and any(norm.training for norm in norms):
        raise ValueError(
            f"data.{key}: expected 2 images or more for a process, since {config.model.name} normalises over "
            f"the images of a batch, got {size} for {world_size}; raise it"
        )
