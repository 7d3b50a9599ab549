"""torchvision's blocks, put together as each row of ResNet's paper needs; nothing here imports dlbook."""

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import resnet as reference

DEPTHS = {
    "18": (2, 2, 2, 2),
    "34": (3, 4, 6, 3),
    "50": (3, 4, 6, 3),
    "101": (3, 4, 23, 3),
    "152": (3, 8, 36, 3),
}


class PaddedShortcut(nn.Module):
    """Option A, written out channel by channel."""

    def __init__(self, out_channels: int, stride: int) -> None:
        super().__init__()
        self.out_channels, self.stride = out_channels, stride

    def forward(self, x):
        height, width = -(-x.shape[2] // self.stride), -(-x.shape[3] // self.stride)
        out = x.new_zeros(x.shape[0], self.out_channels, height, width)
        for channel in range(x.shape[1]):
            for row in range(height):
                out[:, channel, row] = x[:, channel, row * self.stride, :: self.stride]
        return out


class PlainReference(reference.BasicBlock):
    """torchvision's basic block with its shortcut cut off."""

    def __init__(self, inplanes, planes, stride=1, downsample=None, *rest, **options):
        super().__init__(inplanes, planes, stride, None, *rest, **options)

    def forward(self, x):
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))


def imagenet_reference(
    depth: str, *, v1: bool = False, pad: bool = False, plain: bool = False, **kwargs
) -> nn.Module:
    """torchvision's ResNet of this depth; v1 moves the strides, pad replaces projections by option A."""
    block = (
        PlainReference if plain else reference.BasicBlock if depth in ("18", "34") else reference.Bottleneck
    )
    model = reference.ResNet(block, list(DEPTHS[depth]), **kwargs)
    for stage in (model.layer2, model.layer3, model.layer4):
        if v1 and hasattr(stage[0], "conv3"):
            stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
        if pad:
            stage[0].downsample = PaddedShortcut(stage[0].conv2.out_channels, 2)
    return model


class CifarReference(nn.Module):
    """Section 4.2 of the paper out of torchvision's basic blocks: 6n + 2 layers, 16-32-64 channels."""

    def __init__(self, n: int, option: str, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        block = PlainReference if option == "none" else reference.BasicBlock
        channels = 16
        for stage, width in enumerate((16, 32, 64), start=1):
            stride = 1 if stage == 1 else 2
            shortcut = None
            if stage > 1 and option == "A":
                shortcut = PaddedShortcut(width, 2)
            if stage > 1 and option == "B":
                shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, 2, bias=False), nn.BatchNorm2d(width))
            first = block(channels, width, stride, shortcut)
            setattr(self, f"layer{stage}", nn.Sequential(first, *(block(width, width) for _ in range(n - 1))))
            channels = width
        self.fc = nn.Linear(64, num_classes)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class ResNeXtCifarReference(nn.Module):
    """ResNeXt-29 out of torchvision's blocks: three stages, a 3x3 stem."""

    def __init__(self, cardinality: int, path_width: int) -> None:
        super().__init__()
        block = reference.Bottleneck
        self.conv1, self.bn1, channels = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), 64
        for stage, planes in enumerate((64, 128, 256)):
            down = nn.Sequential(
                nn.Conv2d(channels, 4 * planes, 1, 2 if stage else 1, bias=False), nn.BatchNorm2d(4 * planes)
            )
            kind = {"groups": cardinality, "base_width": path_width}
            first = block(channels, planes, 2 if stage else 1, down, **kind)
            setattr(self, f"layer{stage + 1}", nn.Sequential(first, block(4 * planes, planes, **kind)))
            channels = 4 * planes
        self.fc = nn.Linear(channels, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x))))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))
