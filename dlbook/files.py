"""Writes a file whole or not at all. Run folders, recorded results and the list of claims are written so.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> write_whole(Path(folder.name) / "a.txt", b"whole").read_bytes()
b'whole'
>>> folder.cleanup()
"""

import os
import secrets
from pathlib import Path

__all__ = ["write_whole"]


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
