"""A network that was trained on shifted and scaled values, for images in [0, 1].

>>> Normalised(nn.Identity(), mean=0.5, std=0.25)(torch.ones(1)).item()
2.0
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["Normalised"]

Numbers = float | Sequence[float]


class Normalised(nn.Module):
    """Compute model((images - mean) / std).

    Args:
        model: the network.
        mean, std: one number each, for all channels; or one for each channel, [C].
    """

    def __init__(self, model: nn.Module, mean: Numbers, std: Numbers) -> None:
        super().__init__()
        self.model = model
        self.mean, self.std = (each if isinstance(each, int | float) else tuple(each) for each in (mean, std))
        for name, values in (("shift", self.mean), ("scale", self.std)):
            kept = None if isinstance(values, int | float) else torch.tensor(values)[:, None, None]
            self.register_buffer(name, kept, persistent=False)  # they stand in network.json

    def forward(self, images: Tensor) -> Tensor:
        return self.model(self._normalise(images))

    def _normalise(self, images: Tensor) -> Tensor:
        shift = self.mean if self.shift is None else self.shift
        return (images - shift) / (self.std if self.scale is None else self.scale)

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
        return self.model.represent(self._normalise(images))
