"""A linear layer on the channels of each pixel: the 1 x 1 convolution of ConvNeXt (arXiv:2201.03545).

A 1 x 1 convolution and a linear layer on the last axis of [B, H, W, C] are the same arithmetic. They are not
the same code: on the CPU torch hands a convolution to oneDNN, and a matrix product in float32 to the BLAS
that it was built with. That one is MKL, which is slow on processors that are not Intel's: on an AMD EPYC the
linear layers of ConvNeXt-T's four stages took 1.6, 1.5, 1.7 and 1.2 times as long, forward and backward, on
two threads (`benchmarks/pointwise.py`). So a CPU computes the convolution here, and every other device the
linear layer.

>>> import torch
>>> layer = Pointwise(6, 5)
>>> x = torch.rand(2, 3, 4, 6)
>>> layer(x).shape, torch.allclose(layer(x), F.linear(x, layer.weight, layer.bias), atol=1e-6)
(torch.Size([2, 3, 4, 5]), True)
"""

from torch import Tensor, nn
from torch.nn import functional as F


class Pointwise(nn.Linear):
    """Mix the channels of each pixel: [B, H, W, C] -> [B, H, W, C'], weights [C', C] as in a linear layer.

    Args:
        in_features: C.
        out_features: C'.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not x.is_cpu:
            return super().forward(x)
        return F.conv2d(x.permute(0, 3, 1, 2), self.weight[:, :, None, None], self.bias).permute(0, 2, 3, 1)
