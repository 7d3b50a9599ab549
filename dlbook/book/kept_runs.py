"""A long experiment that goes on where it was stopped: each run is kept as soon as it is finished.

A run is named by its definition: a dict of all that decides its result, such as network, data, recipe and
seed. `KeptRuns` keeps the results in one JSON file, each under the hash of its definition. Who starts the
experiment again, with the same file, on this machine or another, computes only what is missing. A run whose
definition has changed is missing.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> kept = KeptRuns(Path(folder.name) / "runs.json")
>>> kept.result({"seed": 0}, lambda: {"accuracy": 90.0})
{'accuracy': 90.0}
>>> KeptRuns(kept.path).result({"seed": 0}, lambda: {"accuracy": 0.0})
{'accuracy': 90.0}
>>> folder.cleanup()
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dlbook.files import write_whole, writing_into

__all__ = ["KeptRuns", "key_of"]


def key_of(definition: Mapping[str, Any]) -> str:
    """Return the hash of a definition, 16 hexadecimal digits; the order of its entries does not matter."""
    text = json.dumps(definition, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode("utf8")).hexdigest()[:16]


class KeptRuns:
    """The finished runs of one experiment, in a file.

    Args:
        path: of the file; its folder is made. A file that is there is read.
        source: what each run is kept with, such as the commit and the device.

    Raises:
        ValueError: the file holds no such runs, or its folder takes no files.
    """

    def __init__(self, path: str | Path, source: Mapping[str, str] | None = None) -> None:
        self.path, self.source = Path(path), dict(source or {})
        self.runs: dict[str, dict[str, Any]] = {}
        if self.path.exists():
            self.runs = self._read()

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            runs = json.loads(self.path.read_text("utf8"))
            right = all(key == key_of(run["definition"]) and "result" in run for key, run in runs.items())
        except (ValueError, AttributeError, KeyError, TypeError, OSError) as error:
            runs, right = repr(error), False
        if not right:
            raise ValueError(
                f"{self.path}: expected finished runs, each under the hash of its definition, got "
                f"{str(runs)[:80]}; give the file that this experiment wrote, or one that does not exist"
            )
        return runs

    def has(self, definition: Mapping[str, Any]) -> bool:
        """Say whether the run is finished."""
        return key_of(definition) in self.runs

    def result(self, definition: Mapping[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the result of a run that is kept, or compute it and keep it, written whole or not at all.

        Args:
            definition: all that decides the result, as JSON can say it.
            make: computes the result, as JSON can say it; it is not called where the run is kept.

        Raises:
            ValueError: the file cannot be written, or the result is no JSON.
        """
        key = key_of(definition)
        if key not in self.runs:
            result = make()
            date = datetime.now(UTC).isoformat(timespec="seconds")
            entry = {"definition": dict(definition), "result": result, "date": date, **self.source}
            text = json.dumps(self.runs | {key: entry}, indent=1, allow_nan=False) + "\n"
            with writing_into(self.path.parent, "the file of kept runs", "give another path"):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(self.path, text)
            self.runs[key] = entry
        return self.runs[key]["result"]
