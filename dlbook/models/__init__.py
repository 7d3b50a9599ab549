"""Vision architectures, one file a paper; this file is the lookup table.

``backbone.py`` says what each network offers to methods: `represent`, `num_features`, `last_layer`, `stages`.

>>> create("resnet20_cifar", num_classes=10).__class__.__name__
'ResNet'
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import torch
from torch import Tensor, nn

from dlbook.checks import find_row

# Each module of this folder has a table VARIANTS and a function of the module's own name: builder(variant,
# **options). By year.
FAMILIES = (
    "perceptron",
    "mlp",
    "lenet_1989",
    "lenet",
    "alexnet",
    "nin",
    "vgg",
    "googlenet",
    "resnet",
    "preact_resnet",
    "wide_resnet",
    "resnext",
    "densenet",
    "mobilenet_v1",
    "senet",
    "mobilenet_v2",
    "mobilenet_v3",
    "efficientnet",
    "ecanet",
    "regnet",
    "resnest",
    "vit",
    "deit",
    "mobilevit",
    "convnext",
    "convnext_roadmap",
    "convnet",
)

# Modules that no gradient trains: they give no logits and are no backbone, so `create` does not know them.
BY_THEIR_OWN_RULE = ("mcculloch_pitts", "neocognitron")


def variants() -> dict[str, str]:
    """Return all rows of all tables, in their order: name of the variant -> name of its module."""
    return {name: family for family in FAMILIES for name in import_module(f"dlbook.models.{family}").VARIANTS}


def create(name: str, device: torch.device | str | None = None, **options) -> nn.Module:
    """Build a model of the zoo with fresh weights, for example ``create("efficientnet_b0", num_classes=10)``.

    Args:
        device: where it is built, None for torch's default; "meta" builds it without memory.
        options: what the family's builder takes, always num_classes (K) and in_channels (C).

    Raises:
        ValueError: for an unknown name, with the nearest ones, or for an option out of range.
    """
    family = find_row(name, variants())
    build = getattr(import_module(f"dlbook.models.{family}"), family)
    with torch.device(device or torch.get_default_device()):
        return build(name, **options)


def load_weights(model: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """Copy the weights of another library into a model of the zoo, in place, and return the model.

    Nothing is copied unless everything fits.

    Args:
        state: a state dict of torchvision's or timm's model; which of them it is, the names of its tensors
            tell.

    Raises:
        ValueError: if none fits; it says of each library whose weights the family knows why not: the first
            tensor that is missing, of another shape or left over.
    """
    misfits = {}
    for library in ("torchvision", "timm"):
        for module in _weight_files(type(model)):
            load = getattr(module, f"load_{library}_state", None)
            if load is not None:
                try:
                    return load(model, state)
                except ValueError as misfit:
                    misfits[library] = misfit
    told = "; ".join(f"as {library}'s: {misfit}" for library, misfit in misfits.items())
    raise ValueError(
        f"expected the weights of torchvision's or timm's {type(model).__name__}, got others; "
        f"{told or 'no library has this network: fill it with load_state_dict'}"
    )


def _weight_files(network: type[nn.Module]) -> Iterator[ModuleType]:
    """The files that may know other libraries' names of a network's tensors: x_weights.py of its x.py."""
    for name in (f"{network.__module__}_weights", network.__module__):
        if network.__module__.startswith("dlbook.models.") and find_spec(name) is not None:
            yield import_module(name)
