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

from torch import nn

from dlbook.models import variants
from dlbook.recipes.methods import METHODS
from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.data import Splits
from dlbook.recipes.run.sections import Data
from dlbook.train.method import Method

__all__ = ["require_batches_fit", "require_data_fit", "require_one_head"]


def require_one_head(name: str) -> None:
    """Raise ValueError for a row of the zoo that has further heads in training, and another row without."""
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
