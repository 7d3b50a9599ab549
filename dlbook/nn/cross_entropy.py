r"""Cross-entropy of logits, in the form that neither overflows nor rounds a small probability to zero.

    log_sum_exp(z)      = m + log sum_k exp(z_k - m)        m = max_k z_k
    log_softmax(z)_k    = z_k - log_sum_exp(z)
    cross_entropy(z, y) = 1/B sum_b (log_sum_exp(z_b) - z_b[y_b])
    its gradient by z_b = (softmax(z_b) - one_hot(y_b)) / B

The first line is exact for every m. With the largest logit no exponential is above 1, and one of them is 1,
so that the sum is neither infinite nor zero (Blanchard, Higham and Higham, "Accurately computing the
log-sum-exp and softmax functions", IMA Journal of Numerical Analysis 41(4), 2021).

>>> z = torch.tensor([[1000.0, 0.0]])
>>> cross_entropy(z, torch.tensor([1])).item(), -z.exp().div(z.exp().sum(1)).log()[0, 1].item()
(1000.0, inf)
"""

import torch
from torch import Tensor


def log_sum_exp(logits: Tensor, dim: int = -1) -> Tensor:
    """Compute log sum_k exp(z_k) along an axis, which is left out of the result.

    Args:
        logits: any shape, floating point; infinite ones are allowed.
        dim: the axis of the classes.
    """
    largest = logits.amax(dim, keepdim=True).detach()  # any constant is right, so no gradient goes through it
    largest = torch.where(largest.isfinite(), largest, 0.0)  # inf - inf is not a number
    return largest.squeeze(dim) + (logits - largest).exp().sum(dim).log()


def log_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    """Compute the logarithms of the probabilities, in the shape of the logits.

    Args:
        logits: any shape, floating point.
        dim: the axis of the classes.
    """
    return logits - log_sum_exp(logits, dim).unsqueeze(dim)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Average minus the log-probability of the right class over the batch, in nats.

    Args:
        logits: [B, K], floating point.
        labels: [B], classes from 0 to K - 1.

    Raises:
        ValueError: the shapes do not fit, or a label is no class.
    """
    _require_labels(logits, labels)
    return -log_softmax(logits).gather(1, labels[:, None]).mean()


def cross_entropy_gradient(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the gradient of `cross_entropy` by the logits, [B, K]: probabilities minus one-hot labels, over
    B.

    Args:
        logits: [B, K], floating point.
        labels: [B], classes from 0 to K - 1.

    Raises:
        ValueError: the shapes do not fit, or a label is no class.
    """
    _require_labels(logits, labels)
    right = torch.zeros_like(logits).scatter(1, labels[:, None], 1.0)
    return (log_softmax(logits).exp() - right) / len(logits)


def _require_labels(logits: Tensor, labels: Tensor) -> None:
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or labels.dtype is not torch.int64:
        raise ValueError(
            f"expected logits [B, K] and int64 labels [B], got {list(logits.shape)} and {labels.dtype} "
            f"{list(labels.shape)}; give one class a row, not probabilities"
        )
    classes = logits.shape[1]
    if ((labels < 0) | (labels >= classes)).any():
        raise ValueError(
            f"expected labels from 0 to {classes - 1}, got {labels.min()} to {labels.max()}; count classes "
            "from 0"
        )
