"""The paper behind each family of `dlbook.models`.

`PAPERS` has one entry for every name in ``dlbook.models.FAMILIES``; a test holds the two together, and each
citation key against ``references.bib``. The year is that of the first public version, which may lie before
the conference's.

>>> PAPERS["resnet"].short
'He et al. 2015'
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """Describe one paper.

    Args:
        authors: family names in order.
        year: first public version.
        key: in references.bib.
        arxiv: number or "".
        resolution: side in pixels of the square images that the family's rows are counted for, where a row
            says nothing else.
        own: the family is this book's own, made after the paper's idea; no table of the paper has its rows.
    """

    title: str
    authors: tuple[str, ...]
    year: int
    key: str
    arxiv: str = ""
    resolution: int = 224
    own: bool = False

    @property
    def short(self) -> str:
        """ "He et al. 2015", as a table has it; "own, after ..." where the family is this book's own."""
        names = " & ".join(self.authors) if len(self.authors) < 3 else f"{self.authors[0]} et al."
        return f"{'own, after ' * self.own}{names} {self.year}"


def _paper(title: str, authors: str, year: int, key: str, *more: str | int, **named: int | bool) -> Paper:
    return Paper(title, tuple(authors.split(", ")), year, key, *more, **named)


PAPERS = {
    "perceptron": _paper(
        "The Perceptron: A Probabilistic Model for Information Storage and Organization in the Brain",
        "Rosenblatt",
        1958,
        "rosenblatt1958perceptron",
        resolution=28,
        own=True,
    ),
    "mlp": _paper(
        "Learning Representations by Back-Propagating Errors",
        "Rumelhart, Hinton, Williams",
        1986,
        "rumelhart1986learning",
        resolution=28,
        own=True,
    ),
    "lenet_1989": _paper(
        "Backpropagation Applied to Handwritten Zip Code Recognition",
        "LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel",
        1989,
        "lecun1989backpropagation",
        resolution=16,
    ),
    "lenet": _paper(
        "Gradient-Based Learning Applied to Document Recognition",
        "LeCun, Bottou, Bengio, Haffner",
        1998,
        "lecun1998gradient",
        resolution=32,
    ),
    "alexnet": _paper(
        "ImageNet Classification with Deep Convolutional Neural Networks",
        "Krizhevsky, Sutskever, Hinton",
        2012,
        "krizhevsky2012imagenet",
    ),
    "nin": _paper("Network In Network", "Lin, Chen, Yan", 2013, "lin2014network", "1312.4400", 32),
    "vgg": _paper(
        "Very Deep Convolutional Networks for Large-Scale Image Recognition",
        "Simonyan, Zisserman",
        2014,
        "simonyan2015very",
        "1409.1556",
    ),
    "googlenet": _paper(
        "Going Deeper with Convolutions",
        "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich",
        2014,
        "szegedy2015going",
        "1409.4842",
    ),
    "resnet": _paper(
        "Deep Residual Learning for Image Recognition",
        "He, Zhang, Ren, Sun",
        2015,
        "he2016deep",
        "1512.03385",
    ),
    "preact_resnet": _paper(
        "Identity Mappings in Deep Residual Networks",
        "He, Zhang, Ren, Sun",
        2016,
        "he2016identity",
        "1603.05027",
    ),
    "wide_resnet": _paper(
        "Wide Residual Networks", "Zagoruyko, Komodakis", 2016, "zagoruyko2016wide", "1605.07146"
    ),
    "densenet": _paper(
        "Densely Connected Convolutional Networks",
        "Huang, Liu, van der Maaten, Weinberger",
        2016,
        "huang2017densely",
        "1608.06993",
    ),
    "resnext": _paper(
        "Aggregated Residual Transformations for Deep Neural Networks",
        "Xie, Girshick, Dollár, Tu, He",
        2016,
        "xie2017aggregated",
        "1611.05431",
    ),
    "mobilenet_v1": _paper(
        "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
        "Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam",
        2017,
        "howard2017mobilenets",
        "1704.04861",
    ),
    "senet": _paper(
        "Squeeze-and-Excitation Networks", "Hu, Shen, Albanie, Sun, Wu", 2017, "hu2018squeeze", "1709.01507"
    ),
    "mobilenet_v2": _paper(
        "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
        "Sandler, Howard, Zhu, Zhmoginov, Chen",
        2018,
        "sandler2018mobilenetv2",
        "1801.04381",
    ),
    "mobilenet_v3": _paper(
        "Searching for MobileNetV3",
        "Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam",
        2019,
        "howard2019searching",
        "1905.02244",
    ),
    "efficientnet": _paper(
        "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
        "Tan, Le",
        2019,
        "tan2019efficientnet",
        "1905.11946",
    ),
    "ecanet": _paper(
        "ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks",
        "Wang, Wu, Zhu, Li, Zuo, Hu",
        2019,
        "wang2020eca",
        "1910.03151",
    ),
    "regnet": _paper(
        "Designing Network Design Spaces",
        "Radosavovic, Kosaraju, Girshick, He, Dollár",
        2020,
        "radosavovic2020designing",
        "2003.13678",
    ),
    "resnest": _paper(
        "ResNeSt: Split-Attention Networks",
        "Zhang, Wu, Zhang, Zhu, Lin, Zhang, Sun, He, Mueller, Manmatha, Li, Smola",
        2020,
        "zhang2020resnest",
        "2004.08955",
    ),
    "vit": _paper(
        "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
        "Dosovitskiy, Beyer, Kolesnikov, Weissenborn, Zhai, Unterthiner, Dehghani, Minderer, "
        "Heigold, Gelly, Uszkoreit, Houlsby",
        2020,
        "dosovitskiy2021image",
        "2010.11929",
    ),
    "deit": _paper(
        "Training Data-Efficient Image Transformers & Distillation through Attention",
        "Touvron, Cord, Douze, Massa, Sablayrolles, Jégou",
        2020,
        "touvron2021training",
        "2012.12877",
    ),
    "mobilevit": _paper(
        "MobileViT: Light-weight, General-purpose, and Mobile-friendly Vision Transformer",
        "Mehta, Rastegari",
        2021,
        "mehta2022mobilevit",
        "2110.02178",
        256,
    ),
    "convnext": _paper(
        "A ConvNet for the 2020s",
        "Liu, Mao, Wu, Feichtenhofer, Darrell, Xie",
        2022,
        "liu2022convnet",
        "2201.03545",
    ),
    "convnext_roadmap": _paper(
        "A ConvNet for the 2020s",
        "Liu, Mao, Wu, Feichtenhofer, Darrell, Xie",
        2022,
        "liu2022convnet",
        "2201.03545",
    ),
    "convnet": _paper(
        "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
        "Ioffe, Szegedy",
        2015,
        "ioffe2015batch",
        "1502.03167",
        28,
        own=True,
    ),
}
