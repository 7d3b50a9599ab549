"""Recorded results: what a large run gave, kept with what it takes to believe it.

`data/recorded/NAME.json` holds one object: `name`, `commit`, `device`, `versions`, `seed`, `seconds`, `date`
(ISO 8601), `results`. `python -m dlbook.book.record NAME` writes it; chapters read it with `recorded` and
show it with `show_recorded`.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dlbook.book.tables import Table, cell_text
from dlbook.files import write_whole

PACKAGE = Path(__file__).resolve().parent.parent
NAME = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
FIELDS = {
    "name": str,
    "commit": str,
    "device": str,
    "versions": dict,
    "seed": (int, list),
    "seconds": (int, float),
    "date": str,
    "results": dict,
}


def folder() -> Path:
    """Return the folder of recorded results: the repository's, or the copy inside an installed package."""
    checkout = PACKAGE.parent / "data" / "recorded"
    return checkout if checkout.is_dir() else PACKAGE / "_bundled" / "recorded"


def path_of(name: str) -> Path:
    """Return the file of the run `name`.

    Raises:
        ValueError: if `name` is not lower case, digits, '-' and '_'.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(
            f"expected the name of a recorded run (lower case, digits, '-', '_'), got {name!r}; "
            "leave out path and ending."
        )
    return folder() / f"{name}.json"


def faults(run: Any) -> list[str]:
    """Say what is wrong with a recorded run, one sentence each; empty if nothing is."""
    if not isinstance(run, Mapping):
        return [f"expected a JSON object, got {type(run).__name__}"]
    found = [f"the field {field!r} is missing" for field in FIELDS if field not in run]
    found += [f"the field {field!r} is not known" for field in run if field not in FIELDS]
    for field, kind in FIELDS.items():
        if field in run and (not isinstance(run[field], kind) or isinstance(run[field], bool)):
            found.append(f"{field!r} is {type(run[field]).__name__} {run[field]!r:.40}")
    if found:
        return found
    if not re.fullmatch(r"[0-9a-f]{7,40}(-dirty)?", run["commit"]):
        found.append(f"'commit' is {run['commit']!r}, expected 7 to 40 hexadecimal digits")
    if not run["results"] or "torch" not in run["versions"]:
        found.append("'results' must not be empty, and 'versions' must name torch")
    if not run["seconds"] >= 0:
        found.append(f"'seconds' is {run['seconds']!r}, expected a number >= 0")
    try:
        datetime.fromisoformat(run["date"])
    except ValueError:
        found.append(f"'date' is {run['date']!r}, expected ISO 8601 such as 2026-05-01T12:00:00+00:00")
    return found


def recorded(name: str) -> dict[str, Any]:
    """Return the recorded run `name`, checked.

    Raises:
        ValueError: if the file is missing or at fault; it names the file, the fault and the command that
            fixes it.
    """
    path = path_of(name)
    fix = (
        f"run `python -m dlbook.book.record {name}` where there is the hardware for it, or "
        "restore the file from the repository."
    )
    if not path.exists():
        there = ", ".join(sorted(file.stem for file in folder().glob("*.json"))) or "none"
        raise ValueError(
            f"expected the name of a recorded run, got {name!r}: {path} does not exist; there is "
            f"{there}; {fix}"
        )
    try:
        run = json.loads(path.read_text("utf8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected JSON, got other text ({error}); {fix}") from error
    wrong = faults(run)
    if not wrong and run["name"] != name:
        wrong = [f"'name' is {run['name']!r}, the file says {name!r}"]
    if wrong:
        raise ValueError(
            f"{path}: expected a recorded run, got a file with faults ({'; '.join(wrong)}); {fix}"
        )
    return run


def write(run: Mapping[str, Any], path: Path | None = None) -> Path:
    """Check a run and write it, whole or not at all.

    Args:
        path: by default the run's own place.

    Returns:
        The path.

    Raises:
        ValueError: if the run lacks something; it names what.
    """
    if wrong := faults(run):
        raise ValueError(
            f"expected a whole recorded run, got one with faults ({'; '.join(wrong)}); give all of "
            f"{', '.join(FIELDS)}"
        )
    path = path or path_of(run["name"])
    text = json.dumps(run, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, text)


def provenance(run: Mapping[str, Any]) -> str:
    """Say where the run comes from, on one line.

    Raises:
        ValueError: if it does not say.
    """
    if wrong := faults(run):
        raise ValueError(
            f"expected a whole recorded run, got one with faults ({'; '.join(wrong)}); take what "
            "book.recorded gives"
        )
    seed = ", ".join(map(str, run["seed"])) if isinstance(run["seed"], list) else run["seed"]
    seeds = "seeds" if isinstance(run["seed"], list) else "seed"
    took = f"{run['seconds']:,.0f} s"
    return (
        f"recorded {run['date'][:10]} on {run['device']}, commit {run['commit'][:7]}, torch "
        f"{run['versions']['torch']}, {seeds} {seed}, {took}"
    )


def result(run: Mapping[str, Any], path: str) -> Any:
    """Return the result at the dotted `path` ("error.mean").

    Raises:
        ValueError: if it leads nowhere.
    """
    found: Any = run.get("results", {})
    for step in path.split("."):
        if not isinstance(found, Mapping) or step not in found:
            known = ", ".join(found) if isinstance(found, Mapping) else "none"
            raise ValueError(
                f"expected a result of the run {run.get('name')!r}, got {path!r}; at {step!r} there is "
                f"{known}: name one of these"
            )
        found = found[step]
    return found


def show_recorded(name: str) -> Table:
    """Return the results of the recorded run `name` as a table, its provenance in the caption."""
    run = recorded(name)
    rows = tuple((path, cell_text(value)) for path, value in _flat(run["results"]))
    return Table(
        ("result", "value"), rows, (False, True), f"{name}: {provenance(run)}", "dlbook-table dlbook-recorded"
    )


def _flat(results: Mapping[str, Any], before: str = ""):
    for key, value in results.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        elif isinstance(value, list):
            yield (
                before + key,
                ", ".join(cell_text(item) for item in value[:8]) + (", …" if len(value) > 8 else ""),
            )
        else:
            yield before + key, value
