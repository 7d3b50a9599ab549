r"""Initial weights: LeCun, Xavier, He, orthogonal, truncated normal, and zero scales at the end of residual
branches.

With n_in inputs and n_out outputs of a unit (for a kernel: channels times taps)::

    LeCun       Var W = 1 / n_in                    keeps the variance of linear units, forward
    Xavier      Var W = gain^2 2 / (n_in + n_out)   a compromise between forward and backward
    He          Var W = gain^2 / n              gain^2 = 2 / (1 + slope^2) for (leaky) ReLU; n = n_in or n_out
    uniform     U(-b, b) has variance b^2 / 3, so b = sqrt(3 Var W)

Sources: LeCun, Bottou, Orr, Müller, "Efficient BackProp" (1998), section 4.6; Glorot, Bengio, "Understanding
the Difficulty of Training Deep Feedforward Neural Networks" (AISTATS 2010), eqs. (12), (16); He et al.,
"Delving Deep into Rectifiers" (arXiv:1502.01852), eqs. (10), (14), (15); Saxe, McClelland, Ganguli, "Exact
Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural Networks" (arXiv:1312.6120); Goyal et
al., "Accurate, Large Minibatch SGD" (arXiv:1706.02677), section 5.1.
Why the gains are what they are, and gains of other activations: ``signal_propagation``.

Every function fills `weight` in place, returns it, and draws from `generator`, or from torch's own if that is
None.

Departures from the papers

1. LeCun's paper fixes the variance only; both a normal and a uniform form are here. Glorot's has the uniform
   form, He's the normal one; the other form of each has the same variance.
2. Groups: a group's output channels see its own inputs only, so n_out = O / groups * taps here. torch counts
   O * taps, which for a depthwise convolution is C times too many, and makes ``fan_out`` weights sqrt(C)
   times too small. With groups=1 both agree; n_in needs no care, because the weight's second axis is C /
   groups already.

>>> import torch
>>> fans(torch.empty(64, 1, 3, 3), groups=64)                                   # depthwise: nine in, nine out
(9, 9)
>>> round(truncated_std(0.02), 6)                                 # what is left of 0.02 within two deviations
0.017593
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dlbook.checks import require_above, require_at_least, require_one_of, require_positive

Generator = torch.Generator | None


def fan_in(weight: Tensor) -> int:
    """Count the inputs that one output of a Linear or convolution weight (out, in/groups, ...) sums over."""
    if weight.dim() < 2:
        raise ValueError(
            f"expected a weight of at least 2 axes (out, in, ...), got {list(weight.shape)}; biases "
            "have no fan"
        )
    return weight[0].numel()


def fans(weight: Tensor, groups: int = 1) -> tuple[int, int]:
    """Return (n_in, n_out) of a weight [out, in / groups, ...] of a linear layer or a convolution.

    Raises:
        ValueError: for a weight with fewer than 2 axes, or if the groups do not divide `out`.
    """
    inputs = fan_in(weight)
    require_positive("groups", groups)
    if weight.shape[0] % groups:
        raise ValueError(
            f"expected groups to divide the output channels, got groups={groups} and weight "
            f"{list(weight.shape)}; choose a divisor"
        )
    return inputs, weight.shape[0] // groups * weight[0, 0].numel()


@torch.no_grad()
def _normal(weight: Tensor, variance: float, generator: Generator) -> Tensor:
    return weight.normal_(0, math.sqrt(variance), generator=generator)


@torch.no_grad()
def _uniform(weight: Tensor, variance: float, generator: Generator) -> Tensor:
    bound = math.sqrt(3 * variance)
    return weight.uniform_(-bound, bound, generator=generator)


def lecun_normal_(weight: Tensor, generator: Generator = None) -> Tensor:
    """Fill with N(0, 1 / n_in)."""
    return _normal(weight, 1 / fan_in(weight), generator)


def lecun_uniform_(weight: Tensor, generator: Generator = None) -> Tensor:
    """Fill with U(-b, b) of variance 1 / n_in."""
    return _uniform(weight, 1 / fan_in(weight), generator)


def xavier_normal_(weight: Tensor, gain: float = 1.0, groups: int = 1, generator: Generator = None) -> Tensor:
    """Fill with N(0, gain^2 2 / (n_in + n_out)), Glorot & Bengio's equation (12)."""
    return _normal(weight, gain**2 * 2 / sum(fans(weight, groups)), generator)


def xavier_uniform_(
    weight: Tensor, gain: float = 1.0, groups: int = 1, generator: Generator = None
) -> Tensor:
    """Fill with U(-b, b), b = gain sqrt(6 / (n_in + n_out)), Glorot & Bengio's equation (16)."""
    return _uniform(weight, gain**2 * 2 / sum(fans(weight, groups)), generator)


def he_variance(weight: Tensor, mode: str = "fan_in", slope: float = 0.0, groups: int = 1) -> float:
    """Return 2 / ((1 + slope^2) n): n = n_in keeps the variance forward, n = n_out that of the gradient.

    Args:
        slope: leaky ReLU's.

    Raises:
        ValueError: for another mode than "fan_in" and "fan_out".
    """
    require_one_of("mode", mode, ("fan_in", "fan_out"))
    inputs, outputs = fans(weight, groups)
    return 2 / ((1 + slope**2) * (inputs if mode == "fan_in" else outputs))


def he_normal_(
    weight: Tensor, mode: str = "fan_in", slope: float = 0.0, groups: int = 1, generator: Generator = None
) -> Tensor:
    """Fill with N(0, `he_variance`)."""
    return _normal(weight, he_variance(weight, mode, slope, groups), generator)


def he_uniform_(
    weight: Tensor, mode: str = "fan_in", slope: float = 0.0, groups: int = 1, generator: Generator = None
) -> Tensor:
    """Fill with U(-b, b) of variance `he_variance`."""
    return _uniform(weight, he_variance(weight, mode, slope, groups), generator)


@torch.no_grad()
def orthogonal_(weight: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Fill with gain times a random matrix with orthonormal rows, or columns if there are more rows than
    columns (Saxe et al.).

    A kernel [out, in, kh, kw] is flattened to [out, in kh kw]. The Q of a QR decomposition of a Gaussian
    matrix is orthogonal, but its signs follow the algorithm's habit; giving R a positive diagonal makes Q
    uniform over all rotations and reflections (Mezzadri, arXiv:math-ph/0609050).

    Raises:
        ValueError: for a weight with fewer than 2 axes.
    """
    columns = fan_in(weight)
    dtype = torch.promote_types(weight.dtype, torch.float32)  # no QR in half precision
    gaussian = weight.new_empty(len(weight), columns, dtype=dtype).normal_(generator=generator)
    tall = gaussian if len(weight) >= columns else gaussian.T
    q, r = torch.linalg.qr(tall)
    q = q * torch.where(r.diagonal() < 0, -1.0, 1.0)
    return weight.copy_(gain * (q if len(weight) >= columns else q.T).reshape(weight.shape))


def truncated_std(std: float, bound: float = 2.0) -> float:
    """Return the standard deviation of N(0, std^2) cut off at +-bound standard deviations: std sqrt(1 - 2 b
    phi(b) / (2 Phi(b) - 1)).
    """
    require_above("bound", bound, fix="it counts standard deviations")
    density = math.exp(-(bound**2) / 2) / math.sqrt(2 * math.pi)
    return std * math.sqrt(1 - 2 * bound * density / math.erf(bound / math.sqrt(2)))


@torch.no_grad()
def truncated_normal_(
    weight: Tensor, std: float = 1.0, mean: float = 0.0, bound: float = 2.0, generator: Generator = None
) -> Tensor:
    """Fill with N(mean, std^2) within mean +- bound * std, by the inverse of its distribution function: no
    draw is thrown away.

    bound counts *standard deviations*. torch's ``trunc_normal_`` takes absolute limits, -2 and 2 by default:
    with std 0.02 that cuts nothing. The deviation after the cut is `truncated_std`, 0.88 std for bound 2;
    divide std by that factor if std has to be exact, as TensorFlow's variance scaling does.

    Raises:
        ValueError: unless std >= 0 and bound > 0.
    """
    require_at_least("std", std, 0)
    require_above("bound", bound, fix="it counts standard deviations")
    mass = math.erf(bound / math.sqrt(2))  # P(|Z| < bound)
    level = torch.empty_like(weight, dtype=torch.float64).uniform_(
        -mass, mass, generator=generator
    )  # 2 Phi(z) - 1
    z = math.sqrt(2) * torch.erfinv(level)
    return weight.copy_(mean + std * z.clamp(-bound, bound))


@torch.no_grad()
def zero_gamma_(model: nn.Module, last_norm: Mapping[type[nn.Module], str]) -> nn.Module:
    """Set the scale of the last normalisation of each residual branch to 0, in place, and return the model
    (Goyal et al.).

    Every block then starts as its shortcut.

    Args:
        last_norm: for each class of block the name of that normalisation, as {Bottleneck: "bn3"}.

    Raises:
        ValueError: if the model has no block of one of the classes: nothing would happen.
    """
    for block_type, name in last_norm.items():
        blocks = [module for module in model.modules() if type(module) is block_type]
        if not blocks:
            raise ValueError(
                f"expected a model with blocks of {block_type.__name__}, got none; name the class "
                "of its blocks"
            )
        for block in blocks:
            nn.init.zeros_(block.get_submodule(name).weight)
    return model


@torch.no_grad()
def scaled_normal_(weight: Tensor, weight_gain: float, generator: torch.Generator | None = None) -> Tensor:
    """Fill ``weight`` in place with N(0, weight_gain^2 / fan_in) and return it.

    weight_gain 1: LeCun et al. 1998; sqrt(2): He et al. 2015; any other activation: ``gain(f)``.

    Raises:
        ValueError: for a weight with fewer than 2 axes.
    """
    return weight.normal_(0.0, weight_gain / math.sqrt(fan_in(weight)), generator=generator)


def init_layers_(
    module: nn.Module, weight_gain: float, generator: torch.Generator | None = None
) -> nn.Module:
    """``scaled_normal_`` for every Linear and convolution in ``module``, their biases 0; returns
    ``module``.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
            scaled_normal_(layer.weight, weight_gain, generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module
