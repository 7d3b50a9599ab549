"""Networks of a line, whose dataflow is known by construction."""

from torch import nn

from dlbook.measure import model_tree


class Net(nn.Module):
    """A module from a function of itself and its input."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.parts = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.parts(self, x)


def conv(channels=4, kernel=3):
    """A convolution of four channels that keeps the size."""
    return nn.Conv2d(4, channels, kernel, padding=kernel // 2, bias=False)


def rows(forward, size=(4, 8, 8), **parts):
    """The rows of the tree of a network of these parts."""
    return model_tree(lambda: Net(forward, **{name: part() for name, part in parts.items()}), size).children
