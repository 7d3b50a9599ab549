"""A network that was trained on shifted and scaled values, for images in [0, 1].

>>> import torch
>>> Normalised(nn.Identity(), mean=0.5, std=0.25)(torch.ones(1)).item()
2.0
"""

from collections.abc import Sequence

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

    # The contract of a backbone, see dlbook.models.backbone: what the network inside says of itself.

    @property
    def last_layer(self) -> str:
        """The dotted name of the layer that gives the logits."""
        return f"model.{self.model.last_layer}"

    @property
    def num_features(self) -> int:
        """The width of what `represent` returns."""
        return self.model.num_features

    @property
    def stages(self) -> Sequence[nn.Module]:
        """The modules whose outputs are the feature maps."""
        return self.model.stages

    def represent(self, images: Tensor) -> Tensor:
        """Describe images [B, C, H, W] by one vector each, [B, D], after the same normalisation."""
        return self.model.represent((images - self.mean) / self.std)
