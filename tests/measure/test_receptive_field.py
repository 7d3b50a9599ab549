"""The receptive field is the support of the gradient: which pixels move one number of the output."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.measure.receptive_field import Field


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return x[..., : self.body(x).shape[-2], : self.body(x).shape[-1]] * 0.5 + self.body(x)


class Gate(nn.Module):
    """Squeeze-and-excitation: it looks at the whole map, and leaves the field as it is."""

    def __init__(self, channels):
        super().__init__()
        self.layer = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return x * self.layer(F.adaptive_avg_pool2d(x, 1)).sigmoid()


class Side(nn.Module):
    """Branches side by side, as in GoogLeNet; the one that runs last may see least."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class Shuffle(nn.Module):
    def forward(self, x):
        return x.unflatten(1, (2, x.shape[1] // 2)).transpose(1, 2).flatten(1, 2)


class ChannelsLast(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layer = nn.Linear(channels, channels)

    def forward(self, x):
        return self.layer(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


NETWORKS = {
    "plain": lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 5, stride=2), nn.Conv2d(2, 1, 3)),
    "dilated": lambda: nn.Sequential(
        nn.Conv2d(1, 2, 3, dilation=3), nn.AvgPool2d(3, 2), nn.Conv2d(2, 1, 3, stride=3)
    ),
    "uneven": lambda: nn.Sequential(
        nn.Conv2d(1, 2, (3, 1), stride=(1, 2)), nn.Conv2d(2, 1, (2, 4), padding=1)
    ),
    "branches": lambda: nn.Sequential(
        Residual(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 3)), nn.Conv2d(1, 1, 2, stride=2)
    ),
    "largest branch first": lambda: nn.Sequential(
        Side(nn.Conv2d(1, 2, 5, padding=2), nn.Conv2d(1, 2, 1)), nn.Conv2d(4, 4, 1)
    ),
    "ends in branches": lambda: Side(nn.Conv2d(1, 2, 5, padding=2), nn.Conv2d(1, 2, 3, padding=1)),
    "shuffled": lambda: nn.Sequential(nn.Conv2d(1, 4, 3), Shuffle(), nn.Conv2d(4, 1, 3, padding=1)),
    "channels last": lambda: nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), ChannelsLast(4), nn.Conv2d(4, 1, 3)),
    "padded": lambda: nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(1, 1, 3, stride=2), nn.AvgPool2d(2)
    ),
}


def gradient_support(build, size=41):
    """Rows and columns of the input that the output's middle element depends on: the definition, by
    autograd.
    """
    model = build().double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1.0)  # no cancellation
    image = torch.ones(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    output = model(image)
    output[0, 0, output.shape[2] // 2, output.shape[3] // 2].backward()
    seen = image.grad[0, 0] != 0
    spans = [axis.nonzero().flatten() for axis in (seen.any(1), seen.any(0))]
    return tuple(int(span[-1] - span[0]) + 1 for span in spans)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_receptive_field_is_the_support_of_the_gradient(name):
    field = count(NETWORKS[name], (1, 41, 41)).receptive_field
    assert ((field, field) if isinstance(field, int) else field) == gradient_support(NETWORKS[name])


def test_a_gate_leaves_the_field_as_it_is():
    layers = count(lambda: nn.Sequential(nn.Conv2d(1, 4, 3), Gate(4), nn.Conv2d(4, 4, 3)), (1, 20, 20)).layers
    assert [layer.rf for layer in layers] == [3, None, 5]


def test_a_mean_over_channels_keeps_the_field():
    class Mean(nn.Module):
        def forward(self, x):
            return x.mean(1, keepdim=True)

    assert (
        count(
            lambda: nn.Sequential(nn.Conv2d(1, 4, 3), Mean(), nn.Conv2d(1, 4, 3)), (1, 20, 20)
        ).receptive_field
        == 5
    )


def test_the_oracle_catches_a_field_that_forgets_dilation(monkeypatch):
    right = Field.window
    monkeypatch.setattr(
        Field,
        "window",
        lambda self, kernel, stride, dilation: right(self, kernel, stride, (1,) * len(kernel)),
    )
    assert count(NETWORKS["dilated"], (1, 41, 41)).receptive_field != gradient_support(NETWORKS["dilated"])[0]


def test_the_oracle_catches_a_jump_that_takes_the_new_stride(monkeypatch):
    def wrong(self, kernel, stride, dilation):
        jump = tuple(j * s for j, s in zip(self.jump, stride, strict=True))
        return Field(
            self.axes,
            tuple(r + (k - 1) * d * j for r, k, d, j in zip(self.size, kernel, dilation, jump, strict=True)),
            jump,
        )

    monkeypatch.setattr(Field, "window", wrong)
    assert count(NETWORKS["plain"], (1, 41, 41)).receptive_field != gradient_support(NETWORKS["plain"])[0]
