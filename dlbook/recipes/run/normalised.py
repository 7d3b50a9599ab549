"""A network that was trained on shifted and scaled values, for images in [0, 1].

>>> import torch
>>> Normalised(nn.Identity(), mean=0.5, std=0.25)(torch.ones(1)).item()
2.0
"""

from torch import Tensor, nn

__all__ = ["Normalised"]


class Normalised(nn.Module):
    """Compute model((images - mean) / std).

    Args:
        model: the network.
        mean, std: one number each, for all channels.
    """

    def __init__(self, model: nn.Module, mean: float, std: float) -> None:
        super().__init__()
        self.model, self.mean, self.std = model, mean, std

    def forward(self, images: Tensor) -> Tensor:
        return self.model((images - self.mean) / self.std)
