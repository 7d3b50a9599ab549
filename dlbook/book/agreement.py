"""When a measurement agrees with its prediction: exactly for integers, within a tolerance for real numbers,
never for NaN.

>>> agreement(2**60, 2**60 + 1, 0, None)
'off by 1'
>>> agreement([64, 56], [64, 56], 0, None) is None
True
"""

import math
from numbers import Number
from typing import Any

ROUNDING = 1e-6  # of the larger of 1 and the prediction


def plain(value: Any) -> Any:
    """Return `value` as Python's own: tensors, arrays, shapes and tuples become numbers or (nested) lists of
    numbers.
    """
    if hasattr(value, "tolist"):
        value = value.detach().tolist() if hasattr(value, "detach") else value.tolist()
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def agreement(predicted: Any, measured: Any, tolerance: float, relative: float | None) -> str | None:
    """Return None where the two agree, or a few words on how they differ. Arguments are as `plain` gives
    them.

    Raises:
        ValueError: if the tolerance is negative or NaN, both kinds are given, or `relative` is used against
            zero.
    """
    _check_tolerance(tolerance, relative)
    if isinstance(predicted, list) or isinstance(measured, list):
        return _sequences(predicted, measured, tolerance, relative)
    if not (_number(predicted) and _number(measured)):
        same = type(predicted) is type(measured) and predicted == measured
        return None if same else "they are not equal"
    if relative is not None and predicted == 0:
        raise ValueError(
            "expected a prediction other than 0 with `relative`, got 0; give `tolerance`, which is absolute"
        )
    allowed = tolerance if relative is None else relative * abs(predicted)
    difference = measured - predicted
    if predicted == measured or abs(difference) <= allowed:  # the first covers equal infinities
        return None
    return f"off by {abs(difference):,}" if isinstance(difference, int) else f"off by {abs(difference):.4g}"


def farthest(predicted: Any, measured: Any, share: bool = False) -> float:
    """Return the largest |measured - predicted| of two values that agree; 0 for text.

    Args:
        share: as a share of the prediction.
    """
    if isinstance(predicted, list):
        pairs = zip(predicted, measured, strict=True)
        return max((farthest(left, right, share) for left, right in pairs), default=0.0)
    if not _number(predicted) or predicted == measured:
        return 0.0
    return abs(measured - predicted) / (abs(predicted) if share else 1)


def margin_text(tolerance: float, relative: float | None, unit: str, off: float) -> str:
    """Return in words how far off a measurement is, and how far it might be: "exact", "0.01 of ± 0.25 ms"."""
    allowed = tolerance_text(tolerance, relative, unit)
    if allowed == "exact":
        return allowed
    return (
        f"off by {100 * off:.2g} % of {allowed}" if relative is not None else f"off by {off:.2g} of {allowed}"
    )


def is_equality(predicted: Any, tolerance: float, relative: float | None) -> bool:
    """Whether the tolerance leaves room for rounding alone: then two ways to one number are compared.

    >>> is_equality(0, 1e-12, None), is_equality(0.5, 0.05, None), is_equality(25_557_032, 0, None)
    (True, False, True)
    """
    if relative is not None:
        return relative <= ROUNDING
    values = predicted if isinstance(predicted, list) else [predicted]
    return tolerance <= ROUNDING * max([1.0, *(abs(value) for value in values if _number(value))])


def tolerance_text(tolerance: float, relative: float | None, unit: str = "") -> str:
    """Return the tolerance in words: "exact", "± 0.01 ms" or "± 2 %"."""
    if relative is not None:
        return f"± {100 * relative:.4g} %"
    return f"± {tolerance:.4g} {unit}".rstrip() if tolerance else "exact"


def _number(value: Any) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool)


def _check_tolerance(tolerance: float, relative: float | None) -> None:
    for name, value in (("tolerance", tolerance), ("relative", relative)):
        if value is not None and not (_number(value) and math.isfinite(value) and value >= 0):
            raise ValueError(f"expected {name} as a number >= 0, got {value!r}; 0 means exact.")
    if relative is not None and tolerance:
        raise ValueError(
            f"expected one tolerance, got tolerance={tolerance} and relative={relative}; leave one out."
        )


def _sequences(predicted: Any, measured: Any, tolerance: float, relative: float | None) -> str | None:
    if not (isinstance(predicted, list) and isinstance(measured, list)):
        return "one is a sequence, the other is not"
    if len(predicted) != len(measured):
        return f"lengths {len(predicted)} and {len(measured)}"
    for index, (left, right) in enumerate(zip(predicted, measured, strict=True)):
        if difference := agreement(left, right, tolerance, relative):
            return f"element {index}: {difference}"
    return None
