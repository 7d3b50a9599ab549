"""Bundled files: where they lie, and the proof that they are the right ones.

``data/manifest.json`` holds, for each file, its SHA-256 checksum, its size in bytes, its source, its licence
and how it was made. Nothing is read before its checksum has been compared; the comparison is made once per
process and file. Size and checksum of a text are those with line feeds: what Git or an editor makes of the
ends of its lines does not alter it.

>>> sorted(entry["file"] for entry in manifest().values())[0]
'ilsvrc.csv'
"""

import hashlib
import json
from pathlib import Path

MANIFEST = "manifest.json"
TEXTS = (".csv", ".txt")
PACKAGE = Path(__file__).resolve().parents[1]

_verified: set[tuple[str, int, int, str]] = (
    set()
)  # (path, bytes, modification time, SHA-256) of files already compared


def data_dir() -> Path:
    """Return the folder of the bundled data.

    In an installed wheel this is ``dlbook/_bundled``; in a checkout, the repository's ``data``.

    Returns:
        An existing folder that holds ``manifest.json``.

    Raises:
        FileNotFoundError: where neither exists.
    """
    candidates = (PACKAGE / "_bundled", PACKAGE.parent / "data")
    for folder in candidates:
        if (folder / MANIFEST).is_file():
            return folder
    expected = " or ".join(str(folder / MANIFEST) for folder in candidates)
    raise FileNotFoundError(
        f"the bundled data of dlbook is missing: expected {expected}, got no such file; "
        f"{fix(PACKAGE.parent / 'data')}"
    )


def fix(folder: Path) -> str:
    """Return the sentence that says how to restore the files of ``folder``: by a script in a checkout, else
    by pip from one, for no index has the package.
    """
    if (folder.parent / "scripts" / "make_data.py").is_file():
        return f"to fix it, run `python scripts/make_data.py` in {folder.parent} (or `git checkout -- data`)"
    return "to fix it, run `pip install --force-reinstall --no-deps .` in a checkout of dlbook"


def manifest() -> dict[str, dict]:
    """Return the entries of ``manifest.json`` by file name: ``file``, ``sha256``, ``bytes``, ``source``,
    ``licence``, ``made``.
    """
    folder = data_dir()
    try:
        entries = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {entry["file"]: entry for entry in entries}
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"expected a readable manifest, got {folder / MANIFEST} ({error!r}); {fix(folder)}"
        ) from error


def sha256(path: Path) -> str:
    """Return the SHA-256 checksum of a file, as 64 hexadecimal digits; of a text, with line feeds."""
    return hashlib.sha256(_content(path)).hexdigest()


def verified(name: str) -> Path:
    """Return the path of a bundled file, once its size and checksum equal the manifest's.

    Each message names the file, what was expected, what was found, and the command that fixes it.

    Args:
        name: path below :func:`data_dir`, with forward slashes, as the manifest has it.

    Raises:
        FileNotFoundError: for a missing file.
        ValueError: for an unknown, truncated or altered one.
    """
    folder, entries = data_dir(), manifest()
    if name not in entries:
        raise ValueError(
            f"expected the name of a bundled file, got {name!r}; {MANIFEST} has: {', '.join(sorted(entries))}"
        )
    path, entry = folder / name, entries[name]
    expected = f"{entry['bytes']:,} bytes with SHA-256 {entry['sha256']}"
    if not path.is_file():
        raise FileNotFoundError(
            f"the bundled file {path} is missing: expected {expected}, got no file; {fix(folder)}"
        )
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns, entry["sha256"])
    if key in _verified:
        return path
    size = len(_content(path))
    if size != entry["bytes"]:
        what = "truncated" if size < entry["bytes"] else "altered"
        raise ValueError(
            f"the bundled file {path} is {what}: expected {expected}, got {size:,} bytes; {fix(folder)}"
        )
    found = sha256(path)
    if found != entry["sha256"]:
        raise ValueError(
            f"the bundled file {path} is altered: expected {expected}, got SHA-256 {found}; {fix(folder)}"
        )
    _verified.add(key)
    return path


def _content(path: Path) -> bytes:
    """The bytes that count: of a text, without carriage returns before line feeds."""
    content = path.read_bytes()
    return content.replace(b"\r\n", b"\n") if path.suffix in TEXTS else content
