"""Compares what an experiment measured, seed by seed or in the mean, and computes by how much a claim holds.

The margin is never typed: it is what the comparison leaves. Between means it has to be larger than the noise
of the seeds, two standard errors of the difference.

>>> found = exceeds([2.0, 2.2], [1.0, 1.1], by=0.5, unit="nats")
>>> found.holds, found.predicted, found.measured, found.margin
(True, 'more by 0.5 nats, every seed', '2.10 ± 0.14 against 1.050 ± 0.071 nats', '0.4 nats')
>>> exceeds([2.0, 1.0], [1.0, 1.1], every_seed=False).holds  # the mean is larger, but not beyond noise
False
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dlbook.book.agreement import plain
from dlbook.book.tables import cell_text


@dataclass(frozen=True)
class Comparison:
    """What came out.

    Args:
        holds: a boolean.
        predicted, measured, margin: as the ledger shows them.
        slack: the margin as a number.
        seeds: how many.
    """

    holds: bool
    predicted: str
    measured: str
    margin: str
    slack: float
    seeds: int


def seeds(values: Any) -> Tensor:
    """Turn `values` into one number a seed, [seeds], float64.

    Args:
        values: a number, a sequence, or a tensor.

    Raises:
        ValueError: if there is none, or something is no number, or there is more than one axis.
    """
    try:
        found = torch.as_tensor(plain(values), dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"expected numbers, one a seed, got {values!r}; compute them first.") from error
    if found.ndim > 1 or found.numel() == 0:
        raise ValueError(
            f"expected one number a seed, got the shape {tuple(found.shape)}; "
            "reduce the other axes first, say with .mean(1)."
        )
    return found.reshape(-1)


def spread_text(values: Tensor) -> str:
    """Write one value as a table does, several as mean ± standard deviation, with the digits that the
    deviation leaves meaningful.
    """
    if len(values) == 1:
        return cell_text(values.item())
    mean, deviation = values.mean().item(), values.std().item()
    if not (math.isfinite(mean) and math.isfinite(deviation) and deviation > 0):
        return f"{cell_text(mean)} ± {cell_text(deviation)}"
    decimals = max(0, 1 - math.floor(math.log10(deviation)))
    return f"{mean:,.{decimals}f} ± {deviation:,.{decimals}f}"


def exceeds(
    larger: Any,
    smaller: Any,
    by: float = 0.0,
    unit: str = "",
    every_seed: bool = True,
    paired: bool = False,
) -> Comparison:
    """Compare two measurements: is `larger` more than `smaller` by more than `by`?

    Args:
        larger, smaller: a number, or one number a seed.
        by: how much more is claimed, in `unit`.
        every_seed: True: the lowest of `larger` against the highest of `smaller`; False: the means, beyond
            two standard errors of their difference.
        paired: seed i of both is the same run but for the factor that is tested, so each seed is compared
            with itself.

    Raises:
        ValueError: `paired` with two numbers of seeds.
    """
    high, low, by = seeds(larger), seeds(smaller), float(by)
    if paired and len(high) != len(low):
        raise ValueError(f"expected as many seeds in both, got {len(high)} and {len(low)}; leave out paired.")
    if every_seed:
        gap, noise = ((high - low).min() if paired else high.min() - low.max()).item(), 0.0
    else:
        gap, noise = (high.mean() - low.mean()).item(), 2 * _standard_error(high, low, paired)
    claimed = f"more by {cell_text(by)} {unit}".rstrip() if by else "more"
    measured = f"{spread_text(high)} against {spread_text(low)} {unit}".rstrip()
    return _outcome(gap - by, noise, claimed, measured, unit, every_seed, max(len(high), len(low)))


def above(values: Any, limit: float, unit: str = "", every_seed: bool = True) -> Comparison:
    """Compare a measurement with a limit: is it above?"""
    found, limit = seeds(values), float(limit)
    gap, noise = _one_sided(found, every_seed, found.min())
    return _outcome(
        gap - limit, noise, _limit("above", limit, unit), _measured(found, unit), unit, every_seed, len(found)
    )


def below(values: Any, limit: float, unit: str = "", every_seed: bool = True) -> Comparison:
    """Compare a measurement with a limit: is it below?"""
    found, limit = seeds(values), float(limit)
    gap, noise = _one_sided(found, every_seed, found.max())
    return _outcome(
        limit - gap, noise, _limit("below", limit, unit), _measured(found, unit), unit, every_seed, len(found)
    )


def equal_within(
    values: Any, expected: Any, within: float, unit: str = "", every_seed: bool = True
) -> Comparison:
    """Compare two measurements that ought to be equal: do they differ by less than `within`?

    In the mean (every_seed=False) the difference and two standard errors of it have to lie within.

    Args:
        expected: a number, or one a seed; then each is compared with each.
    """
    ours, theirs, within = seeds(values), seeds(expected), float(within)
    if every_seed:
        away, noise = torch.maximum(ours.max() - theirs.min(), theirs.max() - ours.min()).item(), 0.0
    else:
        away, noise = (ours.mean() - theirs.mean()).abs().item(), 2 * _standard_error(ours, theirs, False)
    claimed = f"{spread_text(theirs)} ± {cell_text(within)} {unit}".rstrip()
    return _outcome(
        within - away, noise, claimed, _measured(ours, unit), unit, every_seed, max(len(ours), len(theirs))
    )


def _one_sided(values: Tensor, every_seed: bool, extreme: Tensor) -> tuple[float, float]:
    """The value that has to keep the limit, and its noise."""
    if every_seed:
        return extreme.item(), 0.0
    return values.mean().item(), 2 * _standard_error(values, torch.zeros(1), False)


def _standard_error(first: Tensor, second: Tensor, paired: bool) -> float:
    """Of the difference of two means; a single value has none that could be known, and counts as exact."""
    if paired:
        first, second = first - second, torch.zeros(1)
    parts = (values.var().item() / len(values) if len(values) > 1 else 0.0 for values in (first, second))
    return math.sqrt(sum(parts))


def _outcome(
    margin: float, noise: float, claimed: str, measured: str, unit: str, every_seed: bool, number: int
) -> Comparison:
    """Decide; NaN never holds."""
    words = "" if number == 1 else ", every seed" if every_seed else ", in the mean"
    shown = f"{cell_text(margin)} {unit}".rstrip()
    shown += "" if every_seed or number == 1 else f", noise {cell_text(noise)}"
    return Comparison(margin > noise, claimed + words, measured, shown, margin, number)


def _limit(side: str, limit: float, unit: str) -> str:
    return f"{side} {cell_text(limit)} {unit}".rstrip()


def _measured(values: Tensor, unit: str) -> str:
    return f"{spread_text(values)} {unit}".rstrip()
