"""Numbers for prose, from the run: a cell inserts a value, the text quotes it by its name.

A code cell calls ``insert("error", 24.7, "{:.1f} %")``; the prose says ``{glue:text}`error` ``. The output
carries the same metadata as `myst_nb.glue`, and needs no myst-nb, so that the cell runs in Colab too. Nothing
is displayed in the cell.

>>> as_text(24.67, "{:.1f} %")
'24.7 %'
"""

import re
import time
from typing import Any

from IPython.display import display

PREFIX = (
    "application/papermill.record/"  # what myst-nb puts before the mime type of a value that is not displayed
)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_started = time.perf_counter()


def as_text(value: Any, form: str = "{}") -> str:
    """Write `value` (number, string, or a tensor of one element) by the format `form`, for example "{:.1f}
    %".

    Raises: ValueError if `form` has not exactly one field, does not fit the value, or the value has many
        elements.
    """
    if hasattr(value, "item"):
        try:
            value = value.item()
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"expected one number, got {type(value).__name__} of many; reduce it first, say with .mean()."
            ) from error
    try:
        text = form.format(value)
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"the format {form!r} does not fit {value!r} ({error}); give one field, say '{{:.1f}} %'."
        ) from error
    if form == text:
        raise ValueError(f"the format {form!r} has no field for the value; give one field, say '{{:.1f}} %'.")
    return text


def insert(name: str, value: Any, form: str = "{}") -> None:
    """Keep `value` as text under `name` for the prose, where ``{glue:text}`name` `` quotes it.

    name: letters, digits, ``- _ .``; unique in the chapter. value: number, string or one-element tensor.
    form: a format string with one field. Raises: ValueError on a bad name, or a format that does not fit.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            f"the name {name!r} cannot stand in {{glue:text}}; use letters, digits, '-', '_' and '.' only."
        )
    metadata = {"scrapbook": {"name": name, "mime_prefix": PREFIX}}
    display({f"{PREFIX}text/plain": repr(as_text(value, form))}, raw=True, metadata=metadata)


def start_clock() -> None:
    """Set the chapter's clock to zero; `begin` does it."""
    global _started
    _started = time.perf_counter()


def run_time() -> float:
    """Seconds since `begin` (or since the import, where no `begin` was called)."""
    return time.perf_counter() - _started


def insert_run_time(name: str) -> None:
    """Keep the seconds since `begin`, rounded to whole seconds (at least 1), under `name`; for the chapter's
    last cell.
    """
    insert(name, max(1, round(run_time())))
