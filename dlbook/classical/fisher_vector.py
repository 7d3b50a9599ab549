"""Fisher vectors: a picture's many descriptors as one vector, by how they pull at a mixture of Gaussians.

Perronnin, Dance, "Fisher Kernels on Visual Vocabularies for Image Categorization" (CVPR 2007); Perronnin,
Sánchez, Mensink, "Improving the Fisher Kernel for Large-Scale Image Classification" (ECCV 2010). The gradient
by the weights is that of Sánchez, Perronnin, Mensink, Verbeek, "Image Classification with the Fisher Vector:
Theory and Practice" (IJCV 105, 2013), equations 16 to 18.

A mixture of K Gaussians with weights w, means m and variances s^2 is the vocabulary; it was fitted to the
descriptors of many pictures. For a picture with the descriptors x_1 ... x_N::

    share[n, k] = w_k N(x_n; m_k, s_k^2) / sum_j w_j N(x_n; m_j, s_j^2)   # how much Gaussian k explains x_n
    u[n, k]     = (x_n - m_k) / s_k
    by weights  = mean_n (share - w_k) / sqrt(w_k)                        # K numbers
    by means    = mean_n share * u / sqrt(w_k)                            # K D numbers
    by widths   = mean_n share * (u^2 - 1) / sqrt(2 w_k)                  # K D numbers
    improved    = sign(v) sqrt(|v|), divided by its length

Each row is the gradient of the mean log likelihood, by the softmax's logits of the weights, by m and by s,
divided by the root of the Fisher information. The information is the diagonal one of the papers, which holds
where each descriptor belongs to one Gaussian.

Departures from the papers

1. The paper of 2010 leaves out the K numbers by weights, which add little; here they come first, as in
   scikit-image. `[:, K:]` cuts them off.
2. scikit-image's numbers by widths have the opposite sign. Inner products do not change by it.

>>> weights, means, variances = torch.tensor([0.5, 0.5]), torch.tensor([[-5.0], [5.0]]), torch.ones(2, 1)
>>> vector = fisher_vectors(torch.tensor([[[-4.0], [-3.0]]]), weights, means, variances)
>>> [round(entry, 2) for entry in vector[0, [0, 1, 2, 4]].tolist()]  # both belong to Gaussian 0; u is 1 and 2
[0.71, -0.71, 2.12, 1.5]
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from dlbook.checks import require_shape


def posteriors(descriptors: Tensor, weights: Tensor, means: Tensor, variances: Tensor) -> Tensor:
    """Return how much each Gaussian of a mixture explains each descriptor.

    Args:
        descriptors: floating-point [B, N, D].
        weights: [K], above 0, of sum 1.
        means: [K, D].
        variances: [K, D], above 0.

    Returns:
        [B, N, K], from 0 to 1, of sum 1 over the Gaussians.

    Raises:
        ValueError: shapes that do not fit together, or weights or variances that are not above 0.
    """
    return _shares(descriptors, *_mixture(descriptors, weights, means, variances))


def standardised(descriptors: Tensor, means: Tensor, variances: Tensor) -> Iterator[Tensor]:
    """Yield u = (x - m) / s of the descriptors, [B, N, D], for one Gaussian after the other.

    The mean is subtracted before anything is squared. Multiplied out, x^2 - 2 x m + m^2 would be two matrix
    products, and faster; but far from zero it is a small difference of large numbers, and float32 has no
    digits left for it. One Gaussian at a time, so that no [B, N, K, D] is made.

    Args:
        descriptors: floating-point [B, N, D].
        means: [K, D].
        variances: [K, D], above 0.
    """
    for mean, variance in zip(means, variances, strict=True):
        yield (descriptors - mean) / variance.sqrt()


def fisher_vectors(descriptors: Tensor, weights: Tensor, means: Tensor, variances: Tensor) -> Tensor:
    """Gather the descriptors of each picture into one vector.

    Args:
        descriptors: floating-point [B, N, D]: N of D numbers for each picture, in any order.
        weights: [K], above 0, of sum 1.
        means: [K, D].
        variances: [K, D], above 0.

    Returns:
        [B, K + 2 K D]: by weights, then by means, then by widths, each Gaussian by Gaussian.

    Raises:
        ValueError: shapes that do not fit together, or weights or variances that are not above 0.
    """
    weights, means, variances = _mixture(descriptors, weights, means, variances)
    shares = _shares(descriptors, weights, means, variances)
    mass = shares.mean(1)  # [B, K]: share that each Gaussian has in the picture
    by_means, by_widths = [], []
    for k, u in enumerate(standardised(descriptors, means, variances)):
        pull = shares[:, None, :, k] / descriptors.shape[1]  # [B, 1, N]; pull @ u is the mean of share * u
        by_means.append(pull @ u / weights[k].sqrt())
        by_widths.append(pull @ (u.square() - 1) / (2 * weights[k]).sqrt())
    by_weights = (mass - weights) / weights.sqrt()
    return torch.cat([by_weights[:, None], *by_means, *by_widths], 2).flatten(1)


def improve(vectors: Tensor) -> Tensor:
    """Take the signed square root of every entry, then give each vector length 1.

    The root makes a few large entries weigh less against many small ones; the length takes away how much of
    the picture is background that the mixture expects.

    Args:
        vectors: floating-point [B, D]; a vector of zeros stays one.
    """
    rooted = vectors.sign() * vectors.abs().sqrt()
    return F.normalize(rooted, dim=1, eps=torch.finfo(vectors.dtype).tiny)


def _shares(descriptors: Tensor, weights: Tensor, means: Tensor, variances: Tensor) -> Tensor:
    """Compute the posteriors of a mixture that was checked."""
    squares = [u.square().sum(2) for u in standardised(descriptors, means, variances)]
    return (weights.log() - variances.log().sum(1) / 2 - torch.stack(squares, 2) / 2).softmax(2)


def _mixture(descriptors: Tensor, *mixture: Tensor) -> list[Tensor]:
    """Check a mixture against descriptors, and return it in their type."""
    weights, means, variances = mixture
    fix = "descriptors of D numbers need means and variances [K, D] and weights [K]"
    require_shape("descriptors", descriptors, ("B", "N", "D"), fix)
    require_shape("weights", weights, ("K",), fix)
    for name, values in (("means", means), ("variances", variances)):
        require_shape(name, values, (len(weights), descriptors.shape[2]), fix)
    for name, values in (("weights", weights), ("variances", variances)):
        if not (values > 0).all():
            raise ValueError(
                f"expected {name} above 0, got {values.min().item()}; fit a mixture with a floor"
            )
    return [each.to(descriptors) for each in mixture]
