"""Network in Network: Lin, Chen, Yan (arXiv 1312.4400), in the form for CIFAR-10 that the authors published.

The paper in four lines (figure 2)::

    for block in 3 blocks:
        x = relu(conv(x));  x = relu(conv1x1(x));  x = relu(conv1x1(x))     # an "mlpconv" layer: an MLP slides over the image
        x = dropout(pool3/2(x))                                             # between blocks only
    logits = mean over H, W of x                                            # one map a class: no linear layer at all

Departures from the paper

1. The paper gives no table of widths. The row is the authors' Caffe model for CIFAR-10 (5x5 with 192-160-96
   channels, 5x5 with 192-192-192, 3x3 with 192-192-10; max pooling, then average pooling), the one that
   everybody reproduces.
2. The ReLU after the last 1x1 convolution, on the class scores, is kept as in that model.
3. All weights start as N(0, 0.05); the published model uses 0.01 in its first layer.

Parameters with 10 classes: 966,986.

>>> sum(p.numel() for p in nin("nin_cifar").parameters())
966986
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlbook.checks import find_row, require_images, require_positive, require_probability


@dataclass(frozen=True)
class Config:
    """Kernel size and the three widths of each mlpconv layer; the last width is the number of classes."""

    kernels: tuple[int, ...]
    widths: tuple[tuple[int, ...], ...]


VARIANTS = {"nin_cifar": Config((5, 5, 3), ((192, 160, 96), (192, 192, 192), (192, 192)))}


def mlpconv(in_channels: int, widths: tuple[int, ...], kernel_size: int) -> nn.Sequential:
    """A convolution and 1x1 convolutions, each with its ReLU: [B, C, H, W] -> [B, widths[-1], H, W] (equation
    2).
    """
    layers: list[nn.Module] = []
    for index, width in enumerate(widths):
        size = kernel_size if index == 0 else 1
        layers += [nn.Conv2d(in_channels, width, size, padding=size // 2), nn.ReLU(inplace=True)]
        in_channels = width
    return nn.Sequential(*layers)


class NiN(nn.Module):
    """Three mlpconv layers and global average pooling: images [B, C, H, W] -> logits [B, K].

    The last layer is the last 1x1 convolution, and it comes before the pooling. `represent` pools the maps
    that this convolution sees, so this is the one network whose logits are not the last layer of
    `represent(images)`: between the convolution and the mean over its maps stands a ReLU.

    drop_prob: probability of dropping a unit between blocks, in [0, 1). Raises ValueError for arguments out
        of range.
    """

    last_layer = "features.6.4"

    def __init__(
        self, config: Config, num_classes: int = 10, in_channels: int = 3, drop_prob: float = 0.5
    ) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        require_probability("drop_prob", drop_prob)
        self.in_channels = in_channels
        widths = (*config.widths[:-1], (*config.widths[-1], num_classes))
        inputs = (in_channels, *(block[-1] for block in widths[:-1]))
        blocks = [mlpconv(*block) for block in zip(inputs, widths, config.kernels, strict=True)]
        self.num_features = config.widths[-1][-1]
        pools = (nn.MaxPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(3, 2, ceil_mode=True))
        self.features = nn.Sequential(
            blocks[0], pools[0], nn.Dropout(drop_prob), blocks[1], pools[1], nn.Dropout(drop_prob), blocks[2]
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, 0.05)
                nn.init.zeros_(module.bias)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The three mlpconv layers; the first one reads the images."""
        return (self.features[0], self.features[3], self.features[6])

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean over their pixels of the maps that the last convolution sees: [B, 192]."""
        require_images(images, self.in_channels)
        *blocks, last = self.features
        x = images
        for layer in (*blocks, *last[:-2]):
            x = layer(x)
        return x.mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        require_images(images, self.in_channels)
        return self.features(images).mean(dim=(2, 3))  # [B, K, H, W] -> [B, K]


def nin(
    name: str = "nin_cifar",
    num_classes: int = 10,
    in_channels: int = 3,
    drop_prob: float = 0.5,
    device: str | None = None,
) -> NiN:
    """Build a row of `VARIANTS` with fresh weights; device "meta" builds it without memory. ValueError for
    bad arguments.
    """
    with torch.device(device or torch.get_default_device()):
        return NiN(find_row(name, VARIANTS), num_classes, in_channels, drop_prob)
