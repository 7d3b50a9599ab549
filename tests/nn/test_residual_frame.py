"""The frame around the blocks: its result written out step by step, its strides and channels, the shortcut's
projection, the spread of the weights; and faults in each.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.nn import residual_frame as module
from dlbook.nn.residual_frame import ResidualFrame, conv, initialise, projection, require_stages, stem_layers


class Net(ResidualFrame):
    """Three stages of plain convolutions, with what a paper may put before the pooling."""

    def __init__(self, size="imagenet", in_channels=2):
        super().__init__(in_channels)
        self.add_stem(*stem_layers(size, in_channels, 4), 4)
        self.add_stage(lambda channels, stride: conv(channels, 6, 3, stride), 1, 6)
        self.add_stage(lambda channels, stride: conv(channels, 8, 3, stride), 2, 8)
        self.add_stage(lambda channels, stride: conv(channels, 10, 3, stride), 1, 10, stride=3)
        self.add_last_layer(5)

    def finish(self, x):
        return x.tanh()


def written_out(net, images, size):
    """The logits, layer by layer, with the strides written down here."""
    bn = net.bn1
    x = F.conv2d(
        images,
        net.conv1.weight,
        stride=2 if size == "imagenet" else 1,
        padding="same" if size == "cifar" else 3,
    )
    mean, var = (
        (bn.running_mean, bn.running_var)
        if not net.training
        else (x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0))
    )
    column = lambda v: v[:, None, None]
    x = ((x - column(mean)) / column(var + bn.eps).sqrt() * column(bn.weight) + column(bn.bias)).clamp(min=0)
    if size == "imagenet":
        x = F.max_pool2d(x, 3, 2, 1)
    for layer, strides in (("layer1", [1]), ("layer2", [2, 1]), ("layer3", [3])):
        for block, stride in zip(getattr(net, layer), strides, strict=True):
            x = F.conv2d(x, block.weight, stride=stride, padding=1)
    return x.tanh().flatten(2).mean(2) @ net.fc.weight.T + net.fc.bias


def check_frame(size, train):
    """The frame's logits are those of the steps written out."""
    torch.manual_seed(0)
    net = Net(size).double().train(train)
    net.bn1.weight.data = torch.tensor([1.0, -1.5, 0.5, -2.0], dtype=torch.float64)
    nn.init.normal_(net.bn1.bias)
    images = torch.randn(3, 2, 37, 30, dtype=torch.float64)
    torch.testing.assert_close(net(images), written_out(net, images, size), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("size", ["imagenet", "cifar"])
def test_the_frame_computes_what_its_docstring_says(size, train):
    check_frame(size, train)


def test_the_stages_and_what_the_frame_says_of_itself():
    net = Net()
    assert [len(stage) for stage in net.stages] == [1, 2, 1] and net.num_features == 10
    assert net.last_layer == "fc" and net.represent(torch.randn(3, 2, 40, 40)).shape == (3, 10)


@pytest.mark.parametrize(("stride", "out_channels", "needed"), [(1, 4, False), (2, 4, True), (1, 6, True)])
def test_a_projection_stands_where_x_cannot_be_added(stride, out_channels, needed):
    shortcut = projection(4, out_channels, stride)
    assert (shortcut is not None) == needed
    if needed:
        assert [type(layer) for layer in shortcut] == [nn.Conv2d, nn.BatchNorm2d]
        assert shortcut[0].kernel_size == (1, 1) and shortcut[0].bias is None
        height, width = -(-7 // stride), -(-5 // stride)
        assert shortcut(torch.randn(2, 4, 7, 5)).shape == (2, out_channels, height, width)


def check_start(initialise):
    """Variance 2 / fan_out within five standard errors, biases 0; linear layers are left alone."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(8, 64, 3), nn.Conv2d(64, 16, 5, bias=False), nn.Linear(3, 2))
    before = model[2].weight.clone()
    initialise(model)
    for layer, fan_out in ((model[0], 64 * 9), (model[1], 16 * 25)):
        spread = layer.weight.std().item() / (2 / fan_out) ** 0.5
        assert abs(spread - 1) < 5 / (2 * layer.weight.numel()) ** 0.5
    assert (model[0].bias == 0).all() and torch.equal(model[2].weight, before)


def test_the_weights_begin_with_he_s_spread():
    check_start(initialise)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: require_stages((1, 2), (4,)), r"\(1, 2\) and \(4,\)"),
        (lambda: require_stages((), ()), "depths and widths"),
        (lambda: require_stages((1, 0), (4, 4)), "each depth"),
        (lambda: require_stages((1, 1), (4, -4)), "each width"),
        (lambda: Net(in_channels=0), "in_channels"),
        (lambda: Net()(torch.zeros(1, 3, 32, 32)), r"float \[B, 2, H, W\]"),
        (lambda: ResidualFrame(3).add_last_layer(0), "num_classes"),
    ],
)
def test_what_does_not_fit_is_named(call, told):
    with pytest.raises(ValueError, match=told):
        call()


def no_relu(self, images):
    return self.maxpool(self.bn1(self.conv1(images)))


def pooled_before_bn(self, images):
    return F.relu(self.bn1(self.maxpool(self.conv1(images))))


@pytest.mark.parametrize(
    ("size", "method", "wrong"),
    [
        ("cifar", "run_stem", no_relu),
        ("imagenet", "run_stem", pooled_before_bn),
        ("imagenet", "finish", lambda self, x: x),
    ],
)
def test_a_wrong_step_is_caught(monkeypatch, size, method, wrong):
    """Pooling before BN gives the same in evaluation wherever gamma is positive: two of the four are not."""
    monkeypatch.setattr(ResidualFrame if method == "run_stem" else Net, method, wrong)
    with pytest.raises(AssertionError):
        check_frame(size, train=False)


def test_a_stride_in_the_first_stage_is_caught(monkeypatch):
    add = ResidualFrame.add_stage
    monkeypatch.setattr(
        ResidualFrame,
        "add_stage",
        lambda self, make, depth, out, stride=None: add(self, make, depth, out, stride or 2),
    )
    with pytest.raises(AssertionError):
        check_frame("imagenet", train=False)


def test_another_spread_is_caught(monkeypatch):
    normal = nn.init.kaiming_normal_
    monkeypatch.setattr(
        module.nn.init, "kaiming_normal_", lambda weight, **other: normal(weight, nonlinearity="relu")
    )
    with pytest.raises(AssertionError):
        check_start(initialise)
