"""Network in Network: Lin, Chen, Yan (arXiv:1312.4400), in the form for CIFAR-10 that the authors published.

The paper in four lines (figure 2)::

    for block in 3 blocks:
        x = relu(conv1x1(relu(conv1x1(relu(conv(x))))))  # an "mlpconv" layer: an MLP slides over the image
        x = dropout(pool3/2(x))                          # between blocks only
    logits = mean over H, W of x                         # one map a class: no linear layer at all

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

from torch import Tensor, nn

from dlbook.checks import find_row, require_images, require_positive, require_probability


@dataclass(frozen=True)
class Config:
    """Describe one row.

    Args:
        kernels: the kernel size of each mlpconv layer's first convolution.
        widths: the widths of each mlpconv layer; the very last one, the number of classes, is left out.
    """

    kernels: tuple[int, ...]
    widths: tuple[tuple[int, ...], ...]


VARIANTS = {"nin_cifar": Config((5, 5, 3), ((192, 160, 96), (192, 192, 192), (192, 192)))}


def mlpconv(in_channels: int, widths: tuple[int, ...], kernel_size: int) -> nn.Sequential:
    """Stack a convolution and 1x1 convolutions, each with its ReLU (equation 2): [B, C, H, W] -> [B,
    widths[-1], H, W].
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

    Args:
        config: a row of `VARIANTS`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.
        drop_prob: probability of dropping a unit between blocks, in [0, 1).

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
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
        """Return the three mlpconv layers; the first one reads the images."""
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


def nin(name: str = "nin_cifar", num_classes: int = 10, in_channels: int = 3, drop_prob: float = 0.5) -> NiN:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `NiN`."""
    return NiN(find_row(name, VARIANTS), num_classes, in_channels, drop_prob)
