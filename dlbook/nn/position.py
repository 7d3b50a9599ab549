"""Where a token stands: learned and sine-cosine position embeddings, and moving them to another grid of
patches.

Learned (Dosovitskiy et al., arXiv:2010.11929, section 3.1): one trainable vector a token, N(0, 0.02) at the
start.

Sine-cosine (Vaswani et al., arXiv:1706.03762, section 3.5), for a coordinate t and i = 0 .. D/2 - 1::

    w_i = 10000^(-2i / D)
    embedding(t) = [sin(w_0 t), ..., sin(w_{D/2-1} t), cos(w_0 t), ..., cos(w_{D/2-1} t)]

Vaswani et al. let sines and cosines alternate; here, as in masked autoencoders and MoCo v3, all sines come
first. It is the same vector in another order. In two dimensions one half of the vector embeds the column and
the other the row:

- first="column": [sin x, cos x, sin y, cos y], the layout of masked autoencoders (He et al.,
  arXiv:2111.06377, in their code);
- first="row": [sin y, cos y, sin x, cos x], the layout of MoCo v3 (Chen, Xie, He, arXiv:2104.02057, in their
  code).

Interpolation (section 3.2 of arXiv:2010.11929): weights trained at one resolution serve at another when the
grid of vectors is resized like a picture. Tokens that are no patch (class, distillation) have no place on the
grid and keep their vectors. How to resize is a choice: ours is bicubic with antialiasing and
align_corners=False, timm's. torchvision's `interpolate_embeddings` has align_corners=True and no
antialiasing; the authors' own code resizes linearly. Between the first two it is the same function with other
arguments.

>>> sincos_1d(torch.tensor([0.0, 1.0]), 2).round(decimals=2).tolist()  # sine, cosine
[[0.0, 1.0], [0.8399999737739563, 0.5400000214576721]]
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import require_one_of, require_positive


def learned_positions(num_tokens: int, dim: int, std: float = 0.02) -> nn.Parameter:
    """Return a trainable table [1, N, D], drawn from N(0, std).

    Raises:
        ValueError: for a size below 1.
    """
    require_positive("num_tokens", num_tokens)
    require_positive("dim", dim)
    return nn.Parameter(torch.empty(1, num_tokens, dim).normal_(std=std))


def sincos_1d(coordinates: Tensor, dim: int, temperature: float = 10_000.0) -> Tensor:
    """Embed coordinates [N] as [N, dim]: dim / 2 sines, then as many cosines.

    Computed in float64 and returned in the type of `coordinates`, if that is floating-point, else in torch's
    default.

    Raises:
        ValueError: unless dim is even.
    """
    require_positive("dim", dim)
    if dim % 2:
        raise ValueError(f"expected an even dim, got {dim}; each frequency has a sine and a cosine")
    steps = torch.arange(dim // 2, dtype=torch.float64, device=coordinates.device)
    angles = coordinates.double()[:, None] * temperature ** (-2 * steps / dim)  # [N, dim / 2]
    dtype = coordinates.dtype if coordinates.is_floating_point() else torch.get_default_dtype()
    return torch.cat([angles.sin(), angles.cos()], dim=1).to(dtype)


def sincos_2d(
    grid: tuple[int, int],
    dim: int,
    prefix_tokens: int = 0,
    first: str = "column",
    temperature: float = 10_000.0,
) -> Tensor:
    """Embed the patches of a grid of (rows, columns), row by row: [1, prefix_tokens + N, dim].

    Args:
        prefix_tokens: how many vectors of zeros come before, for the class token and its like.
        first: which coordinate has the first half of the vector, "column" or "row".

    Raises:
        ValueError: unless 4 divides dim.
    """
    require_one_of("first", first, ("column", "row"))
    require_positive("dim", dim)
    if dim % 4:
        raise ValueError(
            f"expected dim to be a multiple of 4, got {dim}; row and column have a sine and a cosine each"
        )
    rows, columns = (sincos_1d(torch.arange(size), dim // 2, temperature) for size in grid)
    y = rows[:, None].expand(grid[0], grid[1], dim // 2)
    x = columns[None, :].expand(grid[0], grid[1], dim // 2)
    positions = torch.cat([x, y] if first == "column" else [y, x], dim=-1).flatten(0, 1)  # [N, dim]
    return torch.cat([positions.new_zeros(prefix_tokens, dim), positions])[None]


def interpolate_positions(
    positions: Tensor,
    old_grid: tuple[int, int],
    new_grid: tuple[int, int],
    prefix_tokens: int = 1,
    align_corners: bool = False,
    antialias: bool = True,
) -> Tensor:
    """Resize position embeddings bicubically: [1, prefix_tokens + N, D] of one grid of (rows, columns) ->
    those of another.

    The first `prefix_tokens` vectors stay as they are. The same grid gives back `positions` itself. Half
    precision is resized in float32.

    Raises:
        ValueError: if `positions` has another number of tokens than `old_grid`.
    """
    if positions.ndim != 3 or positions.shape[1] != prefix_tokens + old_grid[0] * old_grid[1]:
        raise ValueError(
            f"expected positions [1, {prefix_tokens} + {old_grid[0]} * {old_grid[1]}, D], got "
            f"{list(positions.shape)}; "
            "give the grid and the number of class tokens that they were made for"
        )
    if old_grid == new_grid:
        return positions
    prefix, patches = positions[:, :prefix_tokens], positions[:, prefix_tokens:]
    picture = patches.unflatten(1, old_grid).permute(0, 3, 1, 2)  # [1, D, rows, columns]
    if picture.dtype in (torch.float16, torch.bfloat16):
        picture = picture.float()
    picture = F.interpolate(
        picture, size=new_grid, mode="bicubic", align_corners=align_corners, antialias=antialias
    )
    return torch.cat([prefix, picture.flatten(2).transpose(1, 2).to(positions.dtype)], dim=1)


def resized_state(
    state: Mapping[str, Tensor], grid: tuple[int, int], prefix_tokens: int = 1, name: str = "pos_embed"
) -> dict[str, Tensor]:
    """Return a copy of a state dict whose positions `name`, if they are of another square grid, are
    interpolated to `grid`.

    Positions of a number of tokens that is no square stay as they are, for the loader to refuse.
    """
    state = dict(state)
    positions = state.get(name)
    if (
        isinstance(positions, Tensor)
        and positions.ndim == 3
        and positions.shape[1] != prefix_tokens + grid[0] * grid[1]
    ):
        side = math.isqrt(max(0, positions.shape[1] - prefix_tokens))
        if side > 0 and side**2 == positions.shape[1] - prefix_tokens:
            state[name] = interpolate_positions(positions, (side, side), grid, prefix_tokens)
    return state
