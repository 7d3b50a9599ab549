"""What ResNet and its kin share around their blocks: the stem, the stages, the pooling and the last layer.

None of it is a later paper's contribution: He et al. (arXiv:1512.03385, Table 1) laid it out, and ResNeXt,
SE-ResNet, ECA-ResNet, ResNeSt, the wide and the pre-activated nets and RegNet kept it. So it stands here
once, and each paper's file holds what the paper changed::

    x = maxpool(relu(bn1(conv1(images))))           # the stem
    for stage in (layer1, layer2, ...):             # runs of blocks; all but the first halve H and W
        x = stage(x)
    logits = fc(mean over H, W of x)

Submodules are named as in torchvision.

>>> class Net(ResidualFrame):
...     def __init__(self):
...         super().__init__(in_channels=3)
...         self.add_stem(*stem_layers("cifar", 3, 8), 8)
...         self.add_stage(lambda channels, stride: conv(channels, 16, 3, stride), depth=2, out_channels=16)
...         self.add_last_layer(10)
>>> Net().num_features, [name for name, _ in Net().named_children()]
(16, ['conv1', 'bn1', 'maxpool', 'layer1', 'fc'])
"""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import require_images, require_positive


def conv(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    """Return a convolution [B, C_in, H, W] -> [B, C_out, ceil(H/stride), ceil(W/stride)] for an odd kernel.

    It has no bias: batch normalisation follows, sooner or later, and has one.
    """
    return nn.Conv2d(
        in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False
    )


def projection(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    """Return the shortcut of a block: None where x can be added as it is, else a 1x1 convolution and BN.

    He et al., section 3.3, option B; the matrix W_s of their equation (2).
    """
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(conv(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels))


def stem_layers(size: str, in_channels: int, width: int) -> tuple[nn.Conv2d, nn.Module]:
    """Return the first convolution, to `width` channels, and the pooling after it.

    Args:
        size: "imagenet" for 7x7/2 and max pooling 3x3/2, "cifar" for 3x3 and no pooling.
    """
    if size == "imagenet":
        return conv(in_channels, width, 7, 2), nn.MaxPool2d(3, 2, padding=1)
    return conv(in_channels, width, 3), nn.Identity()


def initialise(model: nn.Module) -> None:
    """Draw the weights of convolutions as normal deviates of variance 2 / fan_out; set their biases to 0.

    He et al. (arXiv:1502.01852), equation (14). BN begins with gamma 1 and beta 0, and a linear layer with
    what torch gives it.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def require_stages(depths: tuple[int, ...], widths: tuple[int, ...]) -> None:
    """Refuse a net without stages, with another number of widths than of depths, or with one below 1.

    Raises:
        ValueError: if it is so; it names both.
    """
    if not depths or len(depths) != len(widths):
        raise ValueError(
            f"expected depths and widths with one entry a stage, got {depths} and {widths}; make them "
            "equally long"
        )
    for depth in depths:
        require_positive("each depth", depth)
    for width in widths:
        require_positive("each width", width)


class ResidualFrame(nn.Module):
    """The network around the blocks, to be derived from: images [B, C, H, W] -> logits [B, K].

    A paper's network calls `add_stem`, `add_stage` for each stage and `add_last_layer`, in this order.

    Args:
        in_channels: C of the images, at least 1.

    Raises:
        ValueError: for a number below 1, and when called for images that are not float [B, C, H, W].
    """

    last_layer = "fc"

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        require_positive("in_channels", in_channels)
        self.in_channels = in_channels

    def add_stem(self, convolution: nn.Module, pool: nn.Module, width: int) -> None:
        """Put convolution, BN, ReLU and pooling first.

        Args:
            width: channels that the convolution makes.
        """
        self.conv1 = convolution
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = pool
        self.num_features = width

    def add_stage(
        self,
        make_block: Callable[..., nn.Module],
        depth: int,
        out_channels: int,
        stride: int | None = None,
    ) -> None:
        """Append `depth` blocks, each of which gives `out_channels`; the i-th stage is ``layer{i}``.

        make_block(in_channels, stride=stride) makes one block.

        Args:
            stride: of the first block; None for 2, but 1 in the first stage, whose map the stem has made
                small already.
        """
        index = len(self.stages) + 1
        stride = stride or min(index, 2)
        blocks = []
        for position in range(depth):
            blocks.append(make_block(self.num_features, stride=1 if position else stride))
            self.num_features = out_channels
        self.add_module(f"layer{index}", nn.Sequential(*blocks))

    def add_last_layer(self, num_classes: int) -> None:
        """Append the linear layer to K = `num_classes` logits, at least 1."""
        require_positive("num_classes", num_classes)
        self.fc = nn.Linear(self.num_features, num_classes)

    @property
    def stages(self) -> list[nn.Sequential]:
        """The stages in order; the i-th is the submodule ``layer{i}`` and lists its blocks."""
        return [child for name, child in self.named_children() if name.startswith("layer")]

    def run_stem(self, images: Tensor) -> Tensor:
        """Run the stem: images [B, C, H, W] -> what the first stage reads, [B, C_0, H_0, W_0]."""
        require_images(images, self.in_channels)
        return self.maxpool(F.relu(self.bn1(self.conv1(images)), inplace=True))

    def finish(self, x: Tensor) -> Tensor:
        """Do what stands between the last stage and the pooling: nothing, unless a paper says otherwise."""
        return x

    def represent(self, images: Tensor) -> Tensor:
        """Describe images [B, C, H, W] by the mean over H and W of the last map: [B, D]."""
        x = self.run_stem(images)
        for stage in self.stages:
            x = stage(x)
        return self.finish(x).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.represent(images))  # [B, D] -> [B, K]
