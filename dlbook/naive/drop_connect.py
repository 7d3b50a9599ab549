"""DropConnect without chance: every mask of one unit, with its probability.

A unit of a DropConnect layer (Wan et al., ICML 2013, section 3.1) with n inputs has n + 1 terms, the bias
among them, and each is kept with probability q. All 2^(n + 1) masks together give the exact distribution of
its value.

>>> sum(probability * value for probability, value in every_mask([1.0, 2.0], [3.0, 4.0], 0.5, drop_prob=0.5))
5.75
"""

import math


def every_mask(
    x: list[float], weights: list[float], bias: float, drop_prob: float
) -> list[tuple[float, float]]:
    """List (probability, value) of sum_i m_i w_i x_i + m b over all masks m.

    Args:
        x: the n inputs.
        weights: the n weights.
        bias: the bias, which is masked too.
        drop_prob: 1 - q, the probability of dropping a term, in [0, 1].

    Returns:
        2^(n + 1) pairs; the probabilities sum to 1.
    """
    terms = [w * value for w, value in zip(weights, x, strict=True)] + [bias]
    outcomes = []
    for code in range(2 ** len(terms)):
        kept = [code >> i & 1 for i in range(len(terms))]  # the binary digits of the code are the mask
        probability = math.prod(1 - drop_prob if m else drop_prob for m in kept)
        outcomes.append((probability, sum(m * term for m, term in zip(kept, terms, strict=True))))
    return outcomes
