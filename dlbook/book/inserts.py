"""Numbers for prose, from the run: a cell inserts a value, the text quotes it by its name.

A code cell of the chapter "resnet" calls ``page.insert("error", 24.7, "{:.1f} %")``; the prose has
the role `{glue:text}` with `resnet-error`. The output carries the same metadata as `myst_nb.glue`, and needs
no myst-nb, so that the cell runs in Colab too. Nothing is displayed in the cell.

>>> as_text(24.67, "{:.1f} %")
'24.7 %'
>>> as_text([24.0, 25.0], "{:.1f} %")
'24.5 ± 0.7 %'
>>> as_text(-0.25, "{:.2f}")  # with a minus sign, not a hyphen
'−0.25'
"""

import re
import statistics
from collections.abc import Sequence
from typing import Any

from IPython.display import display

PREFIX = (
    "application/papermill.record/"  # what myst-nb puts before the mime type of a value that is not displayed
)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
FIELD = re.compile(r"\{:[^{}]+\}")  # with digits: "{:.1f}"
HYPHEN = re.compile(r"(?<![\w.)\]])-(?=\.?\d|inf)")  # before a negative number, not within a word or "1e-5"


def as_text(value: Any, form: str = "{}") -> str:
    """Write `value` by the format `form`, for example "{:.1f} %"; a negative number gets a minus sign.

    Args:
        value: a number, a text, or several numbers (a sequence or a tensor, one a seed), which become mean ±
            standard deviation.

    Raises:
        ValueError: if `form` has not exactly one field, does not fit the value, or says of several values not
            with how many digits.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return _spread(value, form)
    try:
        text = form.format(value)
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"expected a format that fits the value {value!r}, got {form!r} ({error}); give one field, "
            f"say '{{:.1f}} %'"
        ) from error
    if form == text:
        raise ValueError(
            f"expected a format with a field for the value, got {form!r}; give one field, say '{{:.1f}} %'"
        )
    return HYPHEN.sub("−", text)


def _spread(values: Sequence[Any], form: str) -> str:
    """One value as it is, several as mean ± standard deviation."""
    if len(values) == 1:
        return as_text(values[0], form)
    field = FIELD.search(form)
    if len(values) < 1 or field is None or not all(isinstance(value, (int, float)) for value in values):
        raise ValueError(
            f"expected one number a seed and a form that says how many digits, got {values!r:.60} and "
            f"{form!r}; reduce the other axes first, and give, say, '{{:.1f}} %'."
        )
    mean, deviation = statistics.fmean(values), statistics.stdev(values)
    before, after = form[: field.start()], form[field.end() :]
    spread = as_text(deviation, field[0].replace("+", ""))  # it has no sign
    return as_text(mean, f"{before}{field[0]}") + f" ± {spread}{after}"


def insert(name: str, value: Any, form: str = "{}") -> None:
    """Keep `value` as text under `name` for the prose, where the role `{glue:text}` quotes it.

    Args:
        name: letters, digits, ``- _ .``; unique in the chapter.
        value: number, text, or one number a seed, which become mean ± standard deviation.
        form: a format string with one field.

    Raises:
        ValueError: on a bad name, or a format that does not fit.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            f"expected a name that {{glue:text}} can hold, got {name!r}; use letters, digits, '-', '_' "
            "and '.' only"
        )
    metadata = {"scrapbook": {"name": name, "mime_prefix": PREFIX}}
    display({f"{PREFIX}text/plain": repr(as_text(value, form))}, raw=True, metadata=metadata)
