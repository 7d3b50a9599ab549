"""Writes a file whole or not at all. Run folders, recorded results and the list of claims are written so.
And says in a sentence why a folder takes no files.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> write_whole(Path(folder.name) / "a.txt", b"whole").read_bytes()
b'whole'
>>> folder.cleanup()
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["NO_ROOM", "writing_into", "write_whole"]

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)  # of a full disk


def write_whole(path: str | Path, content: bytes | str) -> Path:
    """Write `content` to a new file beside `path`, flush it to the disk, and rename it to `path`.

    A crash or a full disk leaves the file that was there before. Who may read the new file is decided by the
    process's umask, as for any file.

    Args:
        path: the target; its folder must exist.
        content: bytes, or text, which is written as UTF-8.

    Returns:
        `path`.

    Raises:
        OSError: it cannot be written; nothing half-written stays.
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    # tempfile.mkstemp would make a file that only its owner can read. Mode 0o666 less the umask is the usual.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode("utf8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename is None:  # of a full disk
            error.filename = str(path)
        raise
    return path


@contextmanager
def writing_into(folder: str | Path, name: str, fix: str) -> Iterator[None]:
    """Say what is wrong with a folder that is made, or written to, in the block.

    Args:
        folder: that somebody asked for.
        name: what they set, such as "output.folder".
        fix: how to set it better.

    Raises:
        ValueError: the folder cannot be made or written to: it is a file or below one, its drive is missing,
            or it may not be written to.
        OSError: the disk is full, which is nobody's choice.
    """
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        raise ValueError(
            f"{name}: expected a folder that can be made and written to, got {folder} "
            f"({_obstacle(Path(folder), error)}); {fix}"
        ) from error


def _obstacle(folder: Path, error: OSError) -> str:
    """What stands in the way of a folder: the nearest of its parents that is there, or that none is."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), None)
    if there is not None and not there.is_dir():
        return f"{there} is a file"
    if there is None and folder.is_absolute():
        return f"there is no {folder.anchor}"
    return f"{error.filename or folder}: {error.strerror or error}"
