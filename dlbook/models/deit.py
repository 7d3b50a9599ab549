"""DeiT: Touvron et al., "Training data-efficient image transformers & distillation through attention"
(arXiv:2012.12877).

The network is the vision transformer of arXiv:2010.11929; new is the distillation token::

    z = [class; distillation; patches E] + E_pos     # the second token is learned, like the first
    for block in 1 .. L:
        z = z + attention(layernorm(z))
        z = z + mlp(layernorm(z))
    y = layernorm(z)
    class_logits, distill_logits = linear(y[0]), linear'(y[1])
    train:  loss = CE(class_logits, label) / 2 + CE(distill_logits, argmax teacher_logits) / 2  # equation (3)
    test:   logits = mean of the two

Departures from the paper

1. At the test the paper adds the softmax outputs of the two heads (section 4); here, as in the authors' code
   and in timm, the logits are averaged.
2. `soft_distillation_loss` has KL(teacher || student), as the authors' code has and Hinton et al. mean.
   Equation (2) writes the arguments in the other order. It is a mean over the batch; the authors' code
   divides by the number of classes as well.
3. Linear layers, tokens and positions start as the paper says, truncated normals, with deviation 0.02 as in
   the authors' code; the patch embedding keeps torch's default there, and here.
4. Stochastic depth is 0 unless asked for; the paper trains with 0.1 in the last block and linearly less
   before (table 9).
5. The models at 384 x 384 are these rows, built with ``resolution=384``: their weights differ, not their
   structure.

Submodules are named as in timm. Parameters with 1,000 classes: Ti 5,717,416; S 22,050,664; B 86,567,656; with
distillation token and head: Ti 5,910,800; S 22,436,432; B 87,338,192.

>>> from dlbook.models import create
>>> sum(p.numel() for p in create("deit_s_distilled", device="meta").parameters())
22436432
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_in, require_positive, require_probability
from dlbook.nn.attention import SelfAttention
from dlbook.nn.drop import StochasticDepth
from dlbook.nn.patch import PatchEmbedding, patch_grid
from dlbook.nn.position import interpolate_positions, learned_positions

PATCH_SIZE, DEPTH, HEAD_DIM, MLP_RATIO = 16, 12, 64, 4  # of all rows


@dataclass(frozen=True)
class Config:
    """Describe one row of Table 1.

    Args:
        dim: width D of a token; heads are 64 wide each.
        distilled: whether there is a distillation token.
    """

    dim: int
    distilled: bool = False


# Touvron et al. 2020, Table 1
VARIANTS = {
    "deit_ti": Config(192),
    "deit_s": Config(384),
    "deit_b": Config(768),
    "deit_ti_distilled": Config(192, True),
    "deit_s_distilled": Config(384, True),
    "deit_b_distilled": Config(768, True),
}


def soft_distillation_loss(
    class_logits: Tensor,
    distill_logits: Tensor,
    labels: Tensor,
    teacher_logits: Tensor,
    temperature: float = 3.0,
    weight: float = 0.1,
) -> Tensor:
    """Compute equation (2): (1 - weight) CE(class_logits, labels) + weight * temperature^2 * KL(teacher ||
    student), a scalar.

    Args:
        class_logits: [B, K].
        distill_logits: [B, K]; for a student without distillation token its logits once more.
        labels: [B], or [B, K] after mixing.
        teacher_logits: [B, K]; the gradient stops here.
        temperature: tau, above 0.
        weight: lambda, in [0, 1].
    """
    student = torch.log_softmax(distill_logits / temperature, dim=1)
    teacher = torch.log_softmax(teacher_logits.detach() / temperature, dim=1)
    divergence = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
    return (1 - weight) * F.cross_entropy(class_logits, labels) + weight * temperature**2 * divergence


def hard_distillation_loss(
    class_logits: Tensor, distill_logits: Tensor, labels: Tensor, teacher_logits: Tensor
) -> Tensor:
    """Compute equation (3): half the cross-entropy with the labels, half that with the teacher's decisions;
    arguments as above.
    """
    return (
        F.cross_entropy(class_logits, labels) / 2
        + F.cross_entropy(distill_logits, teacher_logits.argmax(dim=1)) / 2
    )


class MLP(nn.Module):
    """Linear, exact GELU, linear; each token by itself: [B, N, D] -> [B, N, D]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, MLP_RATIO * dim)
        self.fc2 = nn.Linear(MLP_RATIO * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Attention and MLP, each normalised before and skipped with `drop_prob`: [B, N, D] -> [B, N, D]."""

    def __init__(self, dim: int, drop_prob: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = SelfAttention(dim, dim // HEAD_DIM)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = MLP(dim)
        self.drop_path = StochasticDepth(drop_prob)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class DistillationHeads(nn.Module):
    """A linear layer for each of the two tokens [class; distillation], [B, 2 D] -> both logits, [B, K] each,
    in training, else their mean.
    """

    def __init__(self, dim: int, num_classes: int) -> None:
        super().__init__()
        self.label = nn.Linear(dim, num_classes)  # learns from the labels
        self.teacher = nn.Linear(dim, num_classes)  # learns from the teacher

    def forward(self, tokens: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        class_token, distill_token = tokens.chunk(2, dim=1)
        class_logits, distill_logits = self.label(class_token), self.teacher(distill_token)
        return (class_logits, distill_logits) if self.training else (class_logits + distill_logits) / 2


class DeiT(nn.Module):
    """Images [B, C, H, W] -> logits [B, K]. A distilled row in training: the class and the distillation
    logits, [B, K] each.

    A distilled row's last layer is its two heads together. They see both tokens, one after the other: 2 D
    numbers.

    Args:
        config: a row of `VARIANTS`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.
        resolution: of the learned positions in pixels, one number or (H, W), multiples of 16; images of
            another size get interpolated ones.
        drop_path: probability of skipping the last block's branches, in [0, 1).

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    last_layer = "head"

    def __init__(
        self,
        config: Config,
        num_classes: int = 1000,
        in_channels: int = 3,
        resolution: int | tuple[int, int] = 224,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_probability("drop_path", drop_path)
        dim = config.dim
        self.config, self.grid = config, patch_grid(resolution, PATCH_SIZE)
        self.prefix_tokens = 2 if config.distilled else 1
        self.num_features = self.prefix_tokens * dim
        self.patch_embed = PatchEmbedding(PATCH_SIZE, in_channels, dim)
        self.cls_token = nn.Parameter(torch.empty(1, 1, dim))
        self.dist_token = nn.Parameter(torch.empty(1, 1, dim)) if config.distilled else None
        self.pos_embed = learned_positions(self.prefix_tokens + self.grid[0] * self.grid[1], dim)
        self.blocks = nn.ModuleList(Block(dim, drop_path * index / (DEPTH - 1)) for index in range(DEPTH))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = DistillationHeads(dim, num_classes) if config.distilled else nn.Linear(dim, num_classes)
        initialise(self)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return the blocks."""
        return tuple(self.blocks)

    def embed(self, images: Tensor) -> Tensor:
        """Make tokens of images: [B, 1 + N, D]; with a distillation token, in second place, [B, 2 + N, D]."""
        patches = self.patch_embed(images)  # [B, N, D]
        prefix = [
            token.expand(patches.shape[0], -1, -1)
            for token in (self.cls_token, self.dist_token)
            if token is not None
        ]
        positions = interpolate_positions(
            self.pos_embed, self.grid, self.patch_embed.grid(images), self.prefix_tokens
        )
        return torch.cat([*prefix, patches], dim=1) + positions

    def forward_features(self, images: Tensor) -> Tensor:
        """Return all tokens of the last layer, normalised: [B, prefix_tokens + N, D]; the patches stand last,
        row by row.
        """
        tokens = self.embed(images)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def represent(self, images: Tensor) -> Tensor:
        """Return what the class token has become, normalised, [B, D]; in a distilled row followed by the
        distillation token, [B, 2 D].
        """
        return self.forward_features(images)[:, : self.prefix_tokens].flatten(1)

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        return self.head(self.represent(images))

    def attention(self, images: Tensor, layer: int = -1) -> Tensor:
        """Compute the attention weights of one block.

        Args:
            images: [B, C, H, W].
            layer: number of the block from 0, negative from the end.

        Returns:
            [B, h, M, M]; row i holds the weights with which token i attends to each of the M tokens.

        Raises:
            ValueError: there is no such block.
        """
        require_in("layer", layer, -DEPTH, DEPTH, "[)", f"the model has {DEPTH} blocks")
        tokens, layer = self.embed(images), layer % DEPTH
        for block in self.blocks[:layer]:
            tokens = block(tokens)
        return self.blocks[layer].attn.written_out(self.blocks[layer].norm1(tokens))[1]


def initialise(model: DeiT) -> None:
    """Draw linear weights, tokens and positions from a normal of deviation 0.02, cut at 2; set biases of
    linear layers to 0 (departure 3).
    """
    for token in (model.cls_token, model.dist_token, model.pos_embed):
        if token is not None:
            nn.init.trunc_normal_(token, std=0.02)
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)


def deit(
    name: str,
    num_classes: int = 1000,
    in_channels: int = 3,
    resolution: int | tuple[int, int] = 224,
    drop_path: float = 0.0,
) -> DeiT:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `DeiT`."""
    return DeiT(find_row(name, VARIANTS), num_classes, in_channels, resolution, drop_path)
