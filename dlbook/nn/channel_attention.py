"""Channel attention: gates that weigh the channels of a map by what the whole map contains.

Squeeze-and-excitation: Hu, Shen, Albanie, Sun, Wu, "Squeeze-and-Excitation Networks" (arXiv:1709.01507),
equations (2)-(4)::

    squeeze   z = mean over H, W of x                              [B, C]
    excite    s = sigmoid(W2 relu(W1 z + b1) + b2)                 [B, C]
    scale     y = s * x                                            [B, C, H, W]

Departure from the paper: the two linear layers are written as 1 x 1 convolutions on a 1 x 1 map, as in
torchvision and timm, so that their weights fit as they are. The arithmetic is that of a linear layer.
MobileNetV3 (arXiv:1905.02244) puts a hard sigmoid, relu6(x + 3) / 6, in the sigmoid's place: `gate`.

>>> sum(p.numel() for p in SqueezeExcitation(64, 4).parameters())  # 64 * 4 + 4 + 4 * 64 + 64
580
"""

from torch import Tensor, nn

from dlbook.checks import require_positive


class SqueezeExcitation(nn.Module):
    """Gate each channel by a two-layer net of the channels' means: [B, C, H, W] -> the same shape.

    Args:
        channels: C.
        squeeze_channels: width of the hidden layer, the paper's C / r.
        activation: between the layers; ReLU in the paper, SiLU in EfficientNet.
        gate: what makes the weights of the channels.

    Raises:
        ValueError: unless both widths are at least 1.
    """

    def __init__(
        self,
        channels: int,
        squeeze_channels: int,
        activation: type[nn.Module] = nn.ReLU,
        gate: type[nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        require_positive("channels", channels)
        require_positive("squeeze_channels", squeeze_channels)
        self.reduce = nn.Conv2d(channels, squeeze_channels, 1)
        self.activation = activation()
        self.expand = nn.Conv2d(squeeze_channels, channels, 1)
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        squeezed = x.mean(dim=(2, 3), keepdim=True)  # [B, C, 1, 1]
        return x * self.gate(self.expand(self.activation(self.reduce(squeezed))))
