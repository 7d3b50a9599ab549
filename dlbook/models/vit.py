"""Vision transformers: Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image
Recognition" (arXiv:2010.11929).

The paper in eight lines (section 3.1)::

    patches = cut the image into N = HW / p^2 squares  # each a vector of p^2 C numbers
    z = [class; patches E] + E_pos                     # equation (1): N + 1 tokens of D numbers
    for block in 1 .. L:
        z = z + attention(layernorm(z))                # equation (2): tokens look at each other
        z = z + mlp(layernorm(z))                      # equation (3): linear, GELU, linear; token by token
    y = layernorm(z)[0]                                # equation (4): what the class token has become
    logits = linear(y)                                 # for pre-training: linear(tanh(linear(y)))

Departures from the paper

1. The head is the single linear layer of fine-tuning. `representation_dim` adds the hidden layer that the
   paper has in pre-training ("pre_logits" in its code), with tanh.
2. Table 1 begins at Base. Ti and S are DeiT's (arXiv:2012.12877) and Steiner et al.'s (arXiv:2106.10270)
   smaller relatives.
3. Dropout is 0 unless asked for; the paper trains most models with 0.1 (table 3), placed as here (appendix
   B.1).
4. Images of another resolution than the model's get bicubically resized positions (`dlbook.nn.position` says
   how). The authors' code resizes linearly, once, when it loads weights.

Submodules are named as in timm. Parameters with 1,000 classes at 224 x 224: Ti/16 5,717,416; S/16 22,050,664;
S/32 22,878,952; B/16 86,567,656; B/32 88,224,232; L/16 304,326,632; L/32 306,535,400; H/14 632,045,800.

>>> from dlbook.models import create
>>> sum(p.numel() for p in create("vit_b_16", device="meta").parameters())
86567656
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_in, require_positive, require_probability
from dlbook.nn.attention import SelfAttention
from dlbook.nn.patch import PatchEmbedding, patch_grid
from dlbook.nn.position import interpolate_positions, learned_positions


@dataclass(frozen=True)
class Config:
    """Describe one row of Table 1.

    Args:
        depth: L, number of blocks.
        dim: D, width of a token.
        num_heads: h.
        mlp_dim: width inside the MLP.
        patch_size: p, side of a patch in pixels.
    """

    depth: int
    dim: int
    num_heads: int
    mlp_dim: int
    patch_size: int


# Dosovitskiy et al. 2020, Table 1; Ti and S: departure 2. The number in the name is the patch size.
VARIANTS = {
    "vit_ti_16": Config(12, 192, 3, 768, 16),
    "vit_s_16": Config(12, 384, 6, 1536, 16),
    "vit_s_32": Config(12, 384, 6, 1536, 32),
    "vit_b_16": Config(12, 768, 12, 3072, 16),
    "vit_b_32": Config(12, 768, 12, 3072, 32),
    "vit_l_16": Config(24, 1024, 16, 4096, 16),
    "vit_l_32": Config(24, 1024, 16, 4096, 32),
    "vit_h_14": Config(32, 1280, 16, 5120, 14),
}


class MLP(nn.Module):
    """Two linear layers, the exact GELU between them; each token by itself: [B, N, D] -> [B, N, D]."""

    def __init__(self, dim: int, hidden_dim: int, drop_prob: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, dim)
        self.drop = nn.Dropout(drop_prob)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.fc2(self.drop(F.gelu(self.fc1(x)))))


class Block(nn.Module):
    """Equations (2) and (3), figure 1 on the right: [B, N, D] -> [B, N, D]."""

    def __init__(self, config: Config, drop_prob: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.dim, eps=1e-6)
        self.attn = SelfAttention(config.dim, config.num_heads, drop_prob=drop_prob)
        self.norm2 = nn.LayerNorm(config.dim, eps=1e-6)
        self.mlp = MLP(config.dim, config.mlp_dim, drop_prob)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """Embedding, blocks, normalisation, linear layer: images [B, C, H, W] -> logits [B, K].

    H and W are multiples of the patch size.

    Args:
        config: a row of `VARIANTS` or your own `Config`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.
        resolution: of the learned positions in pixels, one number or (H, W); images of another size get
            interpolated ones.
        drop_prob: probability of dropping an entry of the embeddings, of attention's output and within the
            MLPs, in [0, 1).
        representation_dim: width of the hidden layer of the pre-training head, None for the linear head.

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    last_layer = "head"
    prefix_tokens = 1  # the class token, in front of the patches

    def __init__(
        self,
        config: Config,
        num_classes: int = 1000,
        in_channels: int = 3,
        resolution: int | tuple[int, int] = 224,
        drop_prob: float = 0.0,
        representation_dim: int | None = None,
    ) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_probability("drop_prob", drop_prob)
        self.config, self.dim = config, config.dim
        self.grid = patch_grid(resolution, config.patch_size)
        self.patch_embed = PatchEmbedding(config.patch_size, in_channels, self.dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, self.dim))
        self.pos_embed = learned_positions(self.prefix_tokens + self.grid[0] * self.grid[1], self.dim)
        self.drop = nn.Dropout(drop_prob)
        self.blocks = nn.ModuleList(Block(config, drop_prob) for _ in range(config.depth))
        self.norm = nn.LayerNorm(self.dim, eps=1e-6)
        self.num_features = self.dim if representation_dim is None else representation_dim
        self.pre_logits = None
        if representation_dim is not None:
            require_positive("representation_dim", representation_dim)
            self.pre_logits = nn.Linear(self.dim, representation_dim)
        self.head = nn.Linear(self.num_features, num_classes)
        initialise(self)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return the blocks."""
        return tuple(self.blocks)

    def positions(self, grid: tuple[int, int]) -> Tensor:
        """Return the position embeddings [1, 1 + N, D] for a grid of (rows, columns) of patches."""
        return interpolate_positions(self.pos_embed, self.grid, grid, self.prefix_tokens)

    def embed(self, images: Tensor) -> Tensor:
        """Make tokens of images (equation 1): [B, C, H, W] -> [B, 1 + N, D], the class token first."""
        patches = self.patch_embed(images)  # [B, N, D]
        tokens = torch.cat([self.cls_token.expand(patches.shape[0], -1, -1), patches], dim=1)
        return self.drop(tokens + self.positions(self.patch_embed.grid(images)))

    def encode(self, tokens: Tensor) -> Tensor:
        """Run all blocks and the last normalisation: [B, M, D] -> [B, M, D] for any number of tokens."""
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def forward_features(self, images: Tensor) -> Tensor:
        """Return all tokens of the last layer, normalised: [B, 1 + N, D]; the class token first, then the
        patches row by row.
        """
        return self.encode(self.embed(images))

    def represent(self, images: Tensor) -> Tensor:
        """Return what the class token has become, normalised (equation 4): images [B, C, H, W] -> [B, D].

        With the pre-training head it has passed the hidden layer and its tanh.
        """
        y = self.forward_features(images)[:, 0]
        if self.pre_logits is not None:
            y = torch.tanh(self.pre_logits(y))
        return y

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.represent(images))

    def attention(self, images: Tensor, layer: int = -1) -> Tensor:
        """Compute the attention weights of one block.

        Args:
            images: [B, C, H, W].
            layer: number of the block from 0, negative from the end.

        Returns:
            [B, h, 1 + N, 1 + N]; row i holds the weights with which token i attends to every token.

        Raises:
            ValueError: there is no such block.
        """
        count = len(self.blocks)
        require_in("layer", layer, -count, count, "[)", f"the model has {count} blocks")
        tokens, layer = self.embed(images), layer % len(self.blocks)
        for block in self.blocks[:layer]:
            tokens = block(tokens)
        block = self.blocks[layer]
        return block.attn.written_out(block.norm1(tokens))[1]


def initialise(model: VisionTransformer) -> None:
    """Draw weights as the authors' code: Xavier uniform in the blocks, queries, keys and values each by
    itself; the embedding's variance is 1 / fan_in; positions N(0, 0.02); class token and head 0; biases of
    the MLPs N(0, 1e-6), all others 0.
    """
    embedding = model.patch_embed.proj
    nn.init.trunc_normal_(embedding.weight, std=embedding.weight[0].numel() ** -0.5)
    nn.init.zeros_(embedding.bias)
    for block in model.blocks:
        for weight in (
            *block.attn.qkv.weight.chunk(3),
            block.attn.proj.weight,
            block.mlp.fc1.weight,
            block.mlp.fc2.weight,
        ):
            nn.init.xavier_uniform_(weight)
        nn.init.zeros_(block.attn.qkv.bias)
        nn.init.zeros_(block.attn.proj.bias)
        nn.init.normal_(block.mlp.fc1.bias, std=1e-6)
        nn.init.normal_(block.mlp.fc2.bias, std=1e-6)
    if model.pre_logits is not None:
        nn.init.trunc_normal_(model.pre_logits.weight, std=model.dim**-0.5)
        nn.init.zeros_(model.pre_logits.bias)
    nn.init.zeros_(model.head.weight)
    nn.init.zeros_(model.head.bias)


def vit(
    name: str,
    num_classes: int = 1000,
    in_channels: int = 3,
    resolution: int | tuple[int, int] = 224,
    drop_prob: float = 0.0,
    representation_dim: int | None = None,
) -> VisionTransformer:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `VisionTransformer`."""
    return VisionTransformer(
        find_row(name, VARIANTS), num_classes, in_channels, resolution, drop_prob, representation_dim
    )
