"""Writing a file at once or not at all.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> write_whole(Path(folder.name) / "a.txt", b"whole").read_bytes()
b'whole'
>>> folder.cleanup()
"""

import os
import tempfile
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: str | Path, content: bytes) -> Path:
    """Write `content` beside `path`, flush it to the disk, and rename: a crash or a full disk leaves what was
    there.

    Raises: OSError where it cannot be written; nothing half-written stays.
    """
    path = Path(path)
    handle, temporary = tempfile.mkstemp(prefix=path.name + ".", suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
