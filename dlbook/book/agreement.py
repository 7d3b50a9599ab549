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
