"""Images as sequences of patches: Dosovitskiy et al., "An Image is Worth 16x16 Words" (arXiv:2010.11929),
section 3.1.

An image [C, H, W] falls into N = (H / p) (W / p) patches of p x p pixels, read like text: left to right, top
to bottom. `patchify` writes each as a vector of p^2 C numbers and `unpatchify` puts them back.
`PatchEmbedding` multiplies each with one matrix E.

That product is a convolution of kernel p and stride p: its kernel [D, C, p, p] is E with rows in the order C,
p, p. The convolution reads the image where it lies, so models use it; `PatchEmbedding.written_out` cuts and
multiplies.

A vector's axes can be ordered in two ways, and papers differ: "c p q" is that of a convolution's weights and
of `torch.nn.functional.unfold`; "p q c" is that of the targets of masked autoencoders (He et al.,
arXiv:2111.06377).

Parameters of the embedding: D p^2 C + D.

>>> import torch
>>> image = torch.arange(16.0).view(1, 1, 4, 4)
>>> patchify(image, 2)[0].tolist()
[[0.0, 1.0, 4.0, 5.0], [2.0, 3.0, 6.0, 7.0], [8.0, 9.0, 12.0, 13.0], [10.0, 11.0, 14.0, 15.0]]
"""

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import require_images, require_one_of, require_positive

ORDERS = ("c p q", "p q c")  # channel, row and column within a patch


def patch_grid(resolution: int | tuple[int, int], patch_size: int) -> tuple[int, int]:
    """Return the rows and columns of patches of an image.

    Args:
        resolution: of the image in pixels, one number or (H, W), at least 1.
        patch_size: p, in pixels.

    Raises:
        ValueError: unless the patches fit exactly.
    """
    height, width = (resolution, resolution) if isinstance(resolution, int) else resolution
    if height < 1 or width < 1 or height % patch_size or width % patch_size:
        near = [max(1, round(side / patch_size)) * patch_size for side in (height, width)]
        raise ValueError(
            f"expected a resolution that is a multiple of the patch size {patch_size}, got {height} "
            f"x {width}; "
            f"resize the images, for example to {near[0]} x {near[1]}"
        )
    return height // patch_size, width // patch_size


def patchify(images: Tensor, patch_size: int, order: str = "c p q") -> Tensor:
    """Cut images [B, C, H, W] into patches [B, N, p^2 C], row by row.

    Args:
        order: of a patch's numbers, one of `ORDERS`.

    Raises:
        ValueError: for a resolution that p = `patch_size` does not divide, or another order.
    """
    require_one_of("order", order, ORDERS)
    rows, columns = patch_grid(tuple(images.shape[-2:]), patch_size)
    B, C = images.shape[:2]
    x = images.reshape(B, C, rows, patch_size, columns, patch_size)
    x = (
        x.permute(0, 2, 4, 1, 3, 5) if order == "c p q" else x.permute(0, 2, 4, 3, 5, 1)
    )  # [B, rows, columns, a patch's three axes]
    return x.reshape(B, rows * columns, C * patch_size**2)


def unpatchify(patches: Tensor, patch_size: int, grid: tuple[int, int], order: str = "c p q") -> Tensor:
    """Return the inverse of `patchify`: patches [B, N, p^2 C] on a grid of (rows, columns) -> images [B, C,
    H, W].

    Raises:
        ValueError: unless rows * columns = N and p^2 divides the patches' length.
    """
    require_one_of("order", order, ORDERS)
    B, N, length = patches.shape
    rows, columns = grid
    if rows * columns != N or length % patch_size**2:
        raise ValueError(
            f"expected patches [B, {rows * columns}, C * {patch_size}^2] on a grid of {rows} x "
            f"{columns}, got {list(patches.shape)}; "
            "leave out the class token, and give the grid and the patch size that patchify had"
        )
    C, p = length // patch_size**2, patch_size
    if order == "c p q":
        x = patches.reshape(B, rows, columns, C, p, p).permute(
            0, 3, 1, 4, 2, 5
        )  # [B, C, rows, p, columns, p]
    else:
        x = patches.reshape(B, rows, columns, p, p, C).permute(0, 5, 1, 3, 2, 4)
    return x.reshape(B, C, rows * p, columns * p)


class PatchEmbedding(nn.Module):
    """Embed each patch of an image linearly: images [B, C, H, W] -> tokens [B, N, D], the patches row by row.

    Args:
        patch_size: p, in pixels.
        in_channels: C.
        embed_dim: D.

    Raises:
        ValueError: in `forward`, if p does not divide H and W.
    """

    def __init__(self, patch_size: int, in_channels: int, embed_dim: int) -> None:
        super().__init__()
        require_positive("patch_size", patch_size)
        require_positive("in_channels", in_channels)
        require_positive("embed_dim", embed_dim)
        self.patch_size, self.in_channels = patch_size, in_channels
        self.proj = nn.Conv2d(in_channels, embed_dim, patch_size, stride=patch_size)

    def grid(self, images: Tensor) -> tuple[int, int]:
        """Return the rows and columns of patches in `images`.

        Raises:
            ValueError: if they are not images [B, C, H, W], or the patches do not fit.
        """
        require_images(images, self.in_channels)
        return patch_grid(tuple(images.shape[-2:]), self.patch_size)

    def forward(self, images: Tensor) -> Tensor:
        self.grid(images)
        return self.proj(images).flatten(2).transpose(1, 2)  # [B, D, rows, columns] -> [B, D, N] -> [B, N, D]

    def written_out(self, images: Tensor) -> Tensor:
        """The same as a matrix product: patches [B, N, p^2 C] times E [p^2 C, D], and the bias."""
        self.grid(images)
        return F.linear(patchify(images, self.patch_size), self.proj.weight.flatten(1), self.proj.bias)
