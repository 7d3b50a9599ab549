"""The list of a sharded checkpoint's files, with the length and the SHA-256 of each: a file that was cut
short, altered or lost is named before anything is loaded.

All processes call `write` and `verify`; each reads its share of the files. A process alone reads them all.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     _ = (Path(folder) / "part").write_bytes(b"weights")
...     write(folder)
...     verify(folder)
"""

import hashlib
import json
import os
from pathlib import Path

from dlbook.train.checkpoint import ADVICE, CheckpointError
from dlbook.train.parallel.distributed import gather, on_main, rank, world_size

__all__ = ["FILE", "verify", "write"]

FILE = "manifest.json"


def write(folder: str | Path) -> None:
    """List all files of a folder in its manifest, which is written last.

    Args:
        folder: of the checkpoint; every process has written its files.

    Raises:
        OSError: one process cannot read or write; all of them raise it.
    """
    folder = Path(folder)
    mine = _share(sorted(path.name for path in folder.iterdir() if path.name != FILE))
    listed = gather({name: _fingerprint(folder / name) for name in mine})
    files = {name: value for part in listed for name, value in part.items()}
    on_main(lambda: _put(folder / FILE, {"format": 1, "processes": world_size(), "files": files}))


def _put(path: Path, content: dict) -> None:
    with path.open("w", encoding="utf8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def verify(folder: str | Path) -> None:
    """Compare every file with the manifest; the processes share the work, and each raises what one of them
    finds.

    Args:
        folder: of the checkpoint.

    Raises:
        CheckpointError: a file is missing, cut short or altered; the message names it.
    """
    folder = Path(folder)
    try:
        files = on_main(lambda: json.loads((folder / FILE).read_text("utf8"))["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder}: expected a whole {FILE}, got {error}; {ADVICE}") from None
    found = [
        told
        for part in gather([_fault(folder / name, *files[name]) for name in _share(sorted(files))])
        for told in part
        if told
    ]
    if found:
        raise CheckpointError(f"{folder}: expected the files that {FILE} lists, got {found[0]}; {ADVICE}")


def _share(names: list[str]) -> list[str]:
    return names[rank() :: world_size()]


def _fingerprint(path: Path) -> list:
    """Length in bytes and SHA-256."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return [path.stat().st_size, digest]


def _fault(path: Path, size: int, digest: str) -> str:
    """What is wrong with a file, or nothing."""
    if not path.is_file():
        return f"no {path.name}, which is missing"
    if path.stat().st_size != size:
        return f"{path.name} of {path.stat().st_size:,} bytes for {size:,}, cut short"
    found = _fingerprint(path)[1]
    if found == digest:
        return ""
    return f"{path.name} of SHA-256 {found[:12]}... for {digest[:12]}..., altered"
