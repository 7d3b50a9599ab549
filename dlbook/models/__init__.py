"""Vision architectures, one file a paper; this file is the lookup table.

>>> create("resnet20_cifar", num_classes=10).__class__.__name__
'ResNet'
"""

from importlib import import_module

from torch import nn

from dlbook.checks import find_row

# Each module of this folder has a table VARIANTS and a function of the module's own name: builder(variant,
# **options). By year.
FAMILIES = (
    "perceptron",
    "mlp",
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


def variants() -> dict[str, str]:
    """All rows of all tables: name of the variant -> name of its module, in the order of the tables."""
    return {name: family for family in FAMILIES for name in import_module(f"dlbook.models.{family}").VARIANTS}


def create(name: str, **options) -> nn.Module:
    """Build a model of the zoo with fresh weights, for example ``create("efficientnet_b0", num_classes=10)``.

    options: what the family's builder takes, always num_classes (K) and in_channels (C).
    Raises ValueError for an unknown name, with the nearest ones, or for an option out of range.
    """
    family = find_row(name, variants())
    return getattr(import_module(f"dlbook.models.{family}"), family)(name, **options)
