"""Every network of the lineage in a small row, for pictures of 3 x 64 x 64: about 5 million MACs each.

`ROWS` has one entry a network, in the order of the years. Where a paper's file takes widths and depths, the
row is a `Config` of few channels; where it has none, the paper's network is made and then `narrowed`. The
papers' files stay as they are, and so do the proportions of each network as far as the budget lets them.

What all rows share, so that they differ in the architecture and not in what is added to it:

1. No dropout and no stochastic depth: how to regularise belongs to the recipe, which is one for all.
2. Batch normalisation averages with torch's momentum of 0.1. The 0.01 of MobileNetV3 and EfficientNet is for
   runs of many thousands of steps; in a run of some hundred, the averages would not arrive.
3. AlexNet's and NiN's first convolution has stride 2. With AlexNet's 4, made for 227 pixels, one pixel would
   be left of 64. The ImageNet stems (a stride of 4 in all) stay as they are.
4. NiN has no ReLU on its scores. A class whose scores are all negative would never be learnt.

Their first weights are the recipe's too (`experiments/networks/start.py`).

LeNet-5 has the 32 x 32 pixels that it was made for: the mean of each 2 x 2 pixels. The first three have what
costs they have. DeiT is left out: without a teacher it is the vision transformer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from torch import nn

from dlbook.models import (
    alexnet,
    convnext,
    densenet,
    ecanet,
    efficientnet,
    googlenet,
    lenet,
    mlp,
    mobilenet_v1,
    mobilenet_v2,
    mobilenet_v3,
    mobilevit,
    nin,
    perceptron,
    preact_resnet,
    regnet,
    resnest,
    resnet,
    resnext,
    senet,
    vgg,
    vit,
    wide_resnet,
)
from dlbook.zoo.papers import PAPERS
from experiments.networks.narrowed import narrowed

SIDE = 64


@dataclass(frozen=True)
class SmallRow:
    """One network.

    Args:
        title: as a figure says it.
        family: its file in `dlbook.models`, which gives paper and year.
        build: number of classes -> fresh network, images [B, 3, 64, 64] -> logits [B, K].
        about: what is small in it, in words.
    """

    title: str
    family: str
    build: Callable[[int], nn.Module]
    about: str

    @property
    def year(self) -> int:
        """Of the paper's first public version."""
        return PAPERS[self.family].year

    def fresh(self, num_classes: int) -> nn.Module:
        """Build the network, with one momentum for all batch normalisations."""
        model = self.build(num_classes)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.1
        return model


def _strided(model: nn.Module, conv: nn.Conv2d) -> nn.Module:
    """Give the first convolution a stride of 2."""
    conv.stride = (2, 2)
    return model


def _alexnet(num_classes: int) -> nn.Module:
    config = alexnet.Config((80, 224, 320, 320, 224), padding=2)
    model = alexnet.AlexNet(config, num_classes, drop_prob=0.0)
    return narrowed(_strided(model, model.features[0]), Fraction(1, 8))


def _nin(num_classes: int) -> nn.Module:
    config = nin.Config((5, 5, 3), ((16, 16, 12), (32, 32, 32), (32, 32)))
    model = nin.NiN(config, num_classes, drop_prob=0.0)
    model.features[6][5] = nn.Identity()  # the ReLU on the scores
    return _strided(model, model.features[0][0])


def _lenet(num_classes: int) -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(2), lenet.ModernLeNet5(lenet.Config(False, 32, 0), num_classes, 3))


def _googlenet(num_classes: int) -> nn.Module:
    return narrowed(
        googlenet.GoogLeNet(googlenet.Config(heads=False, drop_prob=0.0), num_classes), Fraction(1, 8)
    )


def _residual(block: type[nn.Module], shortcut: str | None) -> Callable[[int], nn.Module]:
    return lambda k: resnet.ResNet(resnet.Config(block, (3, 4, 6, 3), NARROW, shortcut=shortcut), k)


NARROW = (8, 16, 32, 64)  # an eighth of ResNet's widths
ROWS = {
    "linear": SmallRow(
        "Linear",
        "perceptron",
        lambda k: perceptron.Perceptron(k, 3, SIDE),
        "pixels to scores; no hidden layer",
    ),
    "mlp": SmallRow(
        "MLP", "mlp", lambda k: mlp.MLP(mlp.Config((256, 128), "relu"), k, 3, SIDE), "256 and 128 units"
    ),
    "lenet5": SmallRow("LeNet-5", "lenet", _lenet, "as it is, on 32 x 32 pixels of 3 colours"),
    "alexnet": SmallRow(
        "AlexNet", "alexnet", _alexnet, "convolutions of 10 to 40 channels, 512 hidden units, first stride 2"
    ),
    "nin": SmallRow(
        "NiN", "nin", _nin, "three mlpconv layers of 12 to 32 channels, first stride 2, no ReLU on the scores"
    ),
    "vgg11": SmallRow(
        "VGG-11",
        "vgg",
        lambda k: narrowed(vgg.vgg("vgg_a", k, drop_prob=0.0), Fraction(5, 64)),
        "5/64 of all widths",
    ),
    "googlenet": SmallRow(
        "GoogLeNet", "googlenet", _googlenet, "an eighth of all widths, no auxiliary heads"
    ),
    "plain34": SmallRow("Plain-34", "resnet", _residual(resnet.PlainBlock, None), "an eighth of the widths"),
    "resnet34": SmallRow("ResNet-34", "resnet", _residual(resnet.BasicBlock, "B"), "an eighth of the widths"),
    "preact34": SmallRow(
        "Pre-activation ResNet-34",
        "preact_resnet",
        lambda k: preact_resnet.PreActResNet(
            preact_resnet.Config(preact_resnet.BasicUnit, (3, 4, 6, 3), NARROW, stem_width=8), k
        ),
        "an eighth of the widths",
    ),
    "wide_resnet": SmallRow(
        "Wide ResNet",
        "wide_resnet",
        lambda k: narrowed(
            wide_resnet.WideBottleneckResNet(wide_resnet.Config("imagenet", (1, 1, 1, 1), 2, k), k, 3),
            Fraction(1, 8),
        ),
        "four bottlenecks, twice as wide inside, an eighth of the widths",
    ),
    "resnext": SmallRow(
        "ResNeXt",
        "resnext",
        lambda k: resnext.ResNeXt(resnext.Config((2, 2, 2, 2), 8, 2, stem_width=8), k),
        "eight bottlenecks of 8 paths, stem of 8 channels",
    ),
    "densenet": SmallRow(
        "DenseNet-BC",
        "densenet",
        lambda k: densenet.DenseNet(densenet.Config((3, 6, 8, 6), 6, 12), k),
        "growth of 6",
    ),
    "mobilenet_v1": SmallRow(
        "MobileNetV1",
        "mobilenet_v1",
        lambda k: mobilenet_v1.MobileNetV1(mobilenet_v1.Config(0.3), k),
        "width 0.3",
    ),
    "senet": SmallRow(
        "SE-ResNet",
        "senet",
        lambda k: senet.SEResNet(senet.Config((2, 2, 2, 2), "3x3", widths=NARROW, reduction=4), k),
        "eight bottlenecks, an eighth of the widths, reduction 4",
    ),
    "mobilenet_v2": SmallRow(
        "MobileNetV2",
        "mobilenet_v2",
        lambda k: mobilenet_v2.MobileNetV2(mobilenet_v2.Config(0.35), k, drop_prob=0.0),
        "width 0.35",
    ),
    "mobilenet_v3": SmallRow(
        "MobileNetV3-Small",
        "mobilenet_v3",
        lambda k: mobilenet_v3.MobileNetV3(mobilenet_v3.VARIANTS["mobilenet_v3_small"], k, drop_prob=0.0),
        "as it is",
    ),
    "efficientnet": SmallRow(
        "EfficientNet",
        "efficientnet",
        lambda k: efficientnet.EfficientNet(
            efficientnet.Config(0.25, 1.0, SIDE, dropout=0.0, drop_prob=0.0), k
        ),
        "B0 at width 0.25",
    ),
    "ecanet": SmallRow(
        "ECA-ResNet-34",
        "ecanet",
        lambda k: ecanet.ECAResNet(ecanet.Config(ecanet.ECABasicBlock, (3, 4, 6, 3), widths=NARROW), k),
        "an eighth of the widths",
    ),
    "resnest": SmallRow(
        "ResNeSt",
        "resnest",
        lambda k: resnest.ResNeSt(resnest.Config((1, 1, 1, 1), 6, planes=NARROW), k),
        "four bottlenecks, an eighth of the widths",
    ),
    "regnet_y": SmallRow(
        "RegNetY",
        "regnet",
        lambda k: regnet.AnyNet(regnet.stages_of(regnet.Config(16, 9.0, 2.2, 11, 8, 0.25)), 0.25, k),
        "11 blocks from 16 channels",
    ),
    "vit": SmallRow(
        "ViT",
        "vit",
        lambda k: vit.VisionTransformer(vit.Config(4, 40, 4, 80, 8), k, resolution=SIDE),
        "4 blocks of 40 channels, patches of 8 x 8 pixels",
    ),
    "mobilevit": SmallRow(
        "MobileViT",
        "mobilevit",
        lambda k: mobilevit.MobileViT(mobilevit.Config((8, 12, 16, 24, 32), (24, 32, 40), 2), k),
        "narrow, 8 to 32 channels",
    ),
    "convnext": SmallRow(
        "ConvNeXt",
        "convnext",
        lambda k: convnext.ConvNeXt(convnext.Config((2, 2, 6, 2), (12, 24, 48, 96)), k),
        "12 blocks, an eighth of ConvNeXt-T's widths",
    ),
}
