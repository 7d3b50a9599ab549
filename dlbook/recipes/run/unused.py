"""Settings that a run would not use: a key that somebody set, where nothing reads it.

The resolved configuration of a run holds every key, so a key counts as set where it differs from its default.

>>> from dlbook.recipes.run.sections import Draft, resolve
>>> content = {"model": {"name": "lenet5"}, "data": {"name": "mnist5k"}}
>>> unused(resolve(Draft, content, ["augment.magnitude=5"]))
{'augment.magnitude': 5}
"""

import json
from collections.abc import Callable, Collection

from dlbook.recipes.run.sections import BUNDLED, Draft

__all__ = ["require_used", "unused"]


def _is_semi(config: Draft) -> bool:
    from dlbook.recipes.methods import METHODS  # imports torch

    method = config.method or {}
    name = method.get("name", "cross_entropy") if isinstance(method, dict) else getattr(method, "name", None)
    # What is no name of a method is told when the section is looked at.
    return isinstance(name, str) and name in METHODS and METHODS[name].batches == "weak_strong"


def _is_supervised(config: Draft) -> bool:
    return not _is_semi(config)


UNMIXED = "the views of a semi-supervised method are those of augment.policy"
RULES: dict[str, tuple[Callable[[Draft], bool], str]] = {  # key -> whether it is used, and why not
    "data.image_size": (
        lambda c: c.data.name == "image_folder",
        "the images of the other sets have a size of their own; it is the side of an image folder's crops",
    ),
    "data.root": (lambda c: c.data.name not in BUNDLED, "this set is bundled"),
    "data.unlabelled_batch_size": (_is_semi, "a semi-supervised method alone uses it"),
    "model.freeze": (
        lambda c: c.model.weights is not None,
        "without model.weights it would freeze random weights; set those too",
    ),
    "augment.magnitude": (
        lambda c: c.augment.policy == "randaugment",
        "augment.policy=randaugment alone uses it",
    ),
    "augment.mixup": (_is_supervised, UNMIXED),
    "augment.cutmix": (_is_supervised, UNMIXED),
    "augment.cutout": (_is_supervised, UNMIXED),
    "augment.erasing": (_is_supervised, UNMIXED),
    "optimizer.momentum": (
        lambda c: c.optimizer.name in ("sgd", "nesterov", "rmsprop", "lars"),
        "Adam and AdamW have optimizer.betas instead",
    ),
    "optimizer.betas": (
        lambda c: c.optimizer.name in ("adam", "adamw"),
        "Adam and AdamW alone have them; the others have optimizer.momentum",
    ),
    "schedule.final": (lambda c: c.schedule.name == "cosine", "schedule.name=cosine alone uses it"),
    "schedule.milestones": (lambda c: c.schedule.name == "step", "schedule.name=step alone uses them"),
}


def unused(config: Draft) -> dict[str, object]:
    """Find the settings that nothing would read.

    Args:
        config: of a run; its method may not have been looked at yet.

    Returns:
        Dotted key -> its value.
    """
    found = {}
    for path, (is_used, _) in RULES.items():
        name, key = path.split(".")
        section = getattr(config, name)
        value, default = getattr(section, key), type(section).model_fields[key].default
        if value != default and not is_used(config):
            found[path] = value
    return found


def require_used(config: Draft, keys: Collection[str] | None = None) -> None:
    """Raise ValueError where a setting would be ignored, with a line for each.

    Args:
        config: of a run.
        keys: dotted; those that are looked at. None looks at all.
    """
    found = {path: value for path, value in unused(config).items() if keys is None or path in keys}
    if found:
        raise ValueError("\n".join(_sentence(path, value) for path, value in found.items()))


def _sentence(path: str, value: object) -> str:
    shown = value if isinstance(value, str) else json.dumps(value)
    return f"{path}: expected to be left out, got {shown}; {RULES[path][1]}"
