"""Split attention: several candidate maps a channel, mixed by weights that the whole image decides.

Zhang et al., "ResNeSt: Split-Attention Networks" (arXiv:2004.08955), section 3.1 and appendix A, for radix
R::

    U_1, ..., U_R = relu(bn(conv3x3(x)))                 R candidates of C channels each        [B, R C, H, W]
    s = mean over H, W of U_1 + ... + U_R                                                       [B, C]
    a = linear(relu(bn(linear(s))))                      one logit a candidate and channel      [B, R C]
    a = softmax over the R candidates;  sigmoid where R = 1                                     equation (2)
    V = a_1 U_1 + ... + a_R U_R                          channel by channel                     [B, C, H, W]

With cardinality K the channels are in K groups that do not see each other: all three layers are grouped. The
logits come out of the second linear layer group by group, within a group candidate by candidate; the maps are
candidate by candidate, within a candidate group by group. Hence the transposition before they meet.

Departure from the paper: the two linear layers are 1 x 1 convolutions on a 1 x 1 map, as in the authors' code
    and in timm.

>>> sum(p.numel() for p in SplitAttention(64, radix=2).parameters())  # 36,864 + 256 + 2,080 + 64 + 4,224
43488
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import require_positive


class SplitAttention(nn.Module):
    """A 3 x 3 convolution with R candidates and attention over them: [B, C, H, W] -> [B, C, ceil(H/stride),
    ceil(W/stride)].

    The hidden layer has max(R C / 4, 32) units (the paper's reduction of 4).

    Args:
        channels: C, divisible by R K.
        radix: R.
        cardinality: K.
        stride: of the 3 x 3 convolution.

    Raises:
        ValueError: for numbers below 1, or where C or the hidden layer cannot be cut into equal groups.
    """

    def __init__(self, channels: int, radix: int = 2, cardinality: int = 1, stride: int = 1) -> None:
        super().__init__()
        for name, value in (
            ("channels", channels),
            ("radix", radix),
            ("cardinality", cardinality),
            ("stride", stride),
        ):
            require_positive(name, value)
        hidden = max(radix * channels // 4, 32)
        if channels % (radix * cardinality) or hidden % cardinality:
            raise ValueError(
                f"expected channels to be a multiple of radix * cardinality, and the {hidden} "
                "hidden units of "
                f"cardinality, got channels {channels}, radix {radix}, cardinality {cardinality}; "
                "choose other channels"
            )
        self.radix, self.cardinality = radix, cardinality
        self.conv = nn.Conv2d(
            channels, radix * channels, 3, stride, padding=1, groups=radix * cardinality, bias=False
        )
        self.bn0 = nn.BatchNorm2d(radix * channels)
        self.fc1 = nn.Conv2d(channels, hidden, 1, groups=cardinality)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.fc2 = nn.Conv2d(hidden, radix * channels, 1, groups=cardinality)

    def attention(self, means: Tensor) -> Tensor:
        """The weights of the candidates, from their means [B, R, C, 1, 1]: the same shape; over R they sum to
        1 if R > 1.
        """
        logits = self.fc2(F.relu(self.bn1(self.fc1(means.sum(dim=1))), inplace=True))  # [B, K R C/K, 1, 1]
        if self.radix == 1:
            return torch.sigmoid(logits).unsqueeze(1)
        logits = logits.view(len(logits), self.cardinality, self.radix, -1).transpose(1, 2)  # [B, R, K, C/K]
        return logits.softmax(dim=1).reshape(means.shape)

    def forward(self, x: Tensor) -> Tensor:
        maps = F.relu(self.bn0(self.conv(x)), inplace=True)  # [B, R C, H, W]
        means = maps.mean(dim=(2, 3), keepdim=True).unflatten(
            1, (self.radix, -1)
        )  # the mean of a sum is the sum of means
        weights = (
            self.attention(means).to(maps.dtype).unbind(dim=1)
        )  # R times [B, C, 1, 1]; autocast's softmax is float32
        candidates = maps.chunk(self.radix, dim=1)  # R times [B, C, H, W]
        mixed = candidates[0] * weights[0]
        for candidate, weight in zip(candidates[1:], weights[1:], strict=True):
            mixed = torch.addcmul(
                mixed, candidate, weight
            )  # one pass each; a sum over R of all products takes 2 to 6 times as long
        return mixed
