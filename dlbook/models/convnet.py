"""A small convolutional network for digits: the workhorse of the chapters that train on two cores.

Three stages of convolution, batch normalisation and ReLU; each of the first two halves the side. Max pooling
to a 3 x 3 map and one linear layer end the net. It is the plain pattern of every network since LeNet-5 (LeCun
et al. 1998), with the batch normalisation of Ioffe & Szegedy 2015 (arXiv:1502.03167), cut down until a
training step on one core costs milliseconds. The map of 3 x 3 keeps a little of where things are: with global
pooling a 6 and a 9 are hard to tell apart from forty labels.

Expected parameters of `convnet_digits` at 1 channel and 10 classes: 432 + 4,672 + 18,560 in the stages, 5,770
in the linear layer, 29,434 together.

>>> import torch
>>> model = convnet()
>>> model(torch.rand(2, 1, 28, 28)).shape, sum(parameter.numel() for parameter in model.parameters())
(torch.Size([2, 10]), 29434)
"""

from dataclasses import dataclass

from torch import Tensor, nn

from dlbook.checks import find_row, require_images, require_positive

__all__ = ["VARIANTS", "Config", "ConvNet", "convnet"]


@dataclass(frozen=True)
class Config:
    """Describe one row.

    Args:
        widths, kernels, strides: channels, kernel's side and stride of each stage.
        pooled: side of the last map.
    """

    widths: tuple[int, int, int]
    kernels: tuple[int, int, int] = (5, 3, 3)
    strides: tuple[int, int, int] = (2, 2, 1)
    pooled: int = 3


VARIANTS = {
    "convnet_digits": Config(widths=(16, 32, 64)),
}


class ConvNet(nn.Module):
    """Three convolutional stages, max pooling to a small map, one linear layer: images [B, C, H, W] ->
    logits [B, K].

    Args:
        config: a row of `VARIANTS` or your own `Config`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    last_layer = "head"

    def __init__(self, config: Config, num_classes: int = 10, in_channels: int = 1) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.in_channels = in_channels
        stages: list[nn.Module] = []
        channels = in_channels
        for width, kernel, stride in zip(config.widths, config.kernels, config.strides, strict=True):
            stages.append(nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, bias=False))
            stages += [nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        self.features = nn.Sequential(*stages, nn.AdaptiveMaxPool2d(config.pooled))  # [B, 64, 3, 3]
        self.num_features = channels * config.pooled**2
        self.head = nn.Linear(self.num_features, num_classes)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return the ReLU that ends each stage."""
        return tuple(layer for layer in self.features if isinstance(layer, nn.ReLU))

    def represent(self, images: Tensor) -> Tensor:
        """Return the last map, flattened: images [B, C, H, W] -> [B, 576]."""
        require_images(images, self.in_channels)
        return self.features(images).flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.represent(images))


def convnet(name: str = "convnet_digits", num_classes: int = 10, in_channels: int = 1) -> ConvNet:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `ConvNet`."""
    return ConvNet(find_row(name, VARIANTS), num_classes, in_channels)
