"""The parameters of a figure: each has a name and an ascending list of numbers, or a list of strings.

>>> parameters = checked({"alpha": [0.5, 1.0, 2.0], "preset": ["cosine", "step"]})
>>> settings(parameters, {"alpha": 1.2})
{'alpha': 1.0, 'preset': 'cosine'}
"""

import itertools
import math


def _number(value):
    """`value` as int or float, whether it was a Python, numpy or torch number."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"expected finite numbers, got {value}; leave inf and nan out")
    return float(f"{value:.7g}") if isinstance(value, float) else value


def checked(parameters):
    """Return `{name: list of numbers, or list of str}`, checked.

    Raises:
        ValueError: a list is empty, mixed, not ascending (numbers) or repeats itself (strings).
    """
    clean = {}
    for name, values in dict(parameters or {}).items():
        values = [v if isinstance(v, str) else _number(v) for v in values]
        if not values:
            raise ValueError(
                f"parameter {name!r}: expected at least one value, got none; give its numbers or choices"
            )
        if all(isinstance(v, str) for v in values):
            if len(set(values)) < len(values):
                raise ValueError(
                    f"parameter {name!r}: expected different choices, got {values}; name each once"
                )
        elif any(isinstance(v, str) for v in values):
            raise ValueError(
                f"parameter {name!r}: expected all numbers or all strings, got a mixture: {values}; "
                "write them one way"
            )
        elif any(b <= a for a, b in itertools.pairwise(values)):
            raise ValueError(
                f"parameter {name!r}: expected ascending numbers, got {values}; sort them, and the "
                "data with them"
            )
        clean[str(name)] = values
    return clean


def settings(parameters, start=None):
    """Return one value for each parameter: from `start` (numbers: the nearest on the list), else the middle
    or first.

    Raises:
        ValueError: `start` names an unknown parameter, or a choice that is not on its list.
    """
    start = dict(start or {})
    unknown = set(start) - set(parameters)
    if unknown:
        raise ValueError(
            f"expected names of parameters, got the unknown {sorted(unknown)}; this figure has "
            f"{sorted(parameters)}"
        )
    chosen = {}
    for name, values in parameters.items():
        if isinstance(values[0], str):
            chosen[name] = start.get(name, values[0])
            if chosen[name] not in values:
                raise ValueError(
                    f"parameter {name!r}: expected one of {values}, got {chosen[name]!r}; choose one of these"
                )
        elif name in start:
            try:
                target = float(start[name])
            except (TypeError, ValueError):
                raise ValueError(
                    f"parameter {name!r}: expected a number, got {start[name]!r}; the nearest of its "
                    "values is taken, so give any number"
                ) from None
            chosen[name] = min(values, key=lambda v: abs(v - target))
        else:
            chosen[name] = values[len(values) // 2]
    return chosen


def index(parameters, names, values):
    """Return the tuple of positions of `values` in the lists of the parameters `names`."""
    return tuple(parameters[name].index(values[name]) for name in names)


def every_setting(parameters):
    """Yield `{name: value}` for each combination, the last parameter running fastest."""
    for combination in itertools.product(*parameters.values()):
        yield dict(zip(parameters, combination, strict=True))


def depends_on(what, leading, names, parameters, tail):
    """Return the parameters that an array depends on, having checked its leading shape.

    Args:
        what: name of the array, for the error.
        leading: the array's shape without the axes that `tail` describes.
        names: parameters named by the author, or None: all of them, or none if there are no leading axes.
        parameters: all parameters of the figure.
        tail: words for the last axes, for the error, such as "len(x)".

    Raises:
        ValueError: an unknown name, or a shape that does not fit.
    """
    if names is None:
        names = tuple(parameters) if leading else ()
    names = (names,) if isinstance(names, str) else tuple(names)
    unknown = set(names) - set(parameters)
    if unknown:
        raise ValueError(
            f"{what}: expected names of parameters, got the unknown {sorted(unknown)}; this figure has "
            f"{sorted(parameters)}"
        )
    expected = tuple(len(parameters[name]) for name in names)
    if tuple(leading) != expected:
        axes = ", ".join([*(f"{name}: {len(parameters[name])}" for name in names), tail])
        raise ValueError(
            f"{what}: expected shape ({axes}), got leading axes {tuple(leading)}; "
            "name the parameters that the array depends on, in the order of its axes"
        )
    return names


def chosen(parameters, what, pair):
    """Return a pair (name of a parameter, one of its values) as a list, or None where there is none.

    Raises:
        ValueError: the figure has no such parameter, or the parameter no such value.
    """
    if pair is None:
        return None
    if pair[1] not in parameters.get(pair[0], ()):
        raise ValueError(
            f"{what}: expected (a parameter, one of its values), got {tuple(pair)}; "
            f"this figure has {parameters}"
        )
    return list(pair)
