"""A network for shifted and scaled values sees (images - mean) / std."""

import torch

from dlbook.recipes.run.normalised import Normalised


def test_the_network_sees_the_shifted_and_scaled_values():
    images = torch.rand(2, 3, 4, 4)
    seen = Normalised(torch.nn.Identity(), 127 / 255, 128 / 255)(images)
    torch.testing.assert_close(seen, (images * 255 - 127) / 128)
