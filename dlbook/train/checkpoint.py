"""Checkpoints that are either whole or refused: atomic writing, a digest, and loading that runs no code.

A file is one line of header and a payload written by `torch.save`:

    dlbook-checkpoint 1 <SHA-256 of the payload> <bytes of the payload>

`save` writes a temporary file beside the target, flushes it to the disk and renames it, so that a crash or a
full disk leaves the earlier checkpoint as it was. `load` compares length and digest before it unpickles
anything, and unpickles with `weights_only=True`: tensors, numbers, strings, lists and dicts, but no objects
that could run code.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> path = save(Path(folder.name) / "run.ckpt", {"step": 5, "weights": torch.ones(2)})
>>> load(path)["step"]
5
>>> folder.cleanup()
"""

import hashlib
import io
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

from dlbook.files import write_whole

__all__ = ["CheckpointError", "load", "save", "verify"]

MAGIC = b"dlbook-checkpoint 1 "
ADVICE = "take another checkpoint of the run"


class CheckpointError(ValueError):
    """The file is no checkpoint, or was cut short or altered after it was written."""


def save(path: str | Path, state: dict[str, Any]) -> Path:
    """Write `state` to `path` at once or not at all.

    Args:
        path: the target; its folder must exist. A file there is replaced when the new one is complete, and
            not before.
        state: tensors, numbers, strings and None, in dicts, lists and tuples.

    Returns:
        The path.

    Raises:
        ValueError: the state holds something that `weights_only=True` would refuse to load again.
    """
    payload = _pack(state)
    header = MAGIC + f"{hashlib.sha256(payload).hexdigest()} {len(payload)}\n".encode()
    return write_whole(path, header + payload)


def load(path: str | Path, map_location: str | torch.device = "cpu") -> dict[str, Any]:
    """Read what `save` wrote. Raises as `verify` does."""
    return torch.load(io.BytesIO(verify(path)), map_location=map_location, weights_only=True)


def verify(path: str | Path) -> bytes:
    """Return the payload of a checkpoint, compared with its header and not yet unpickled.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is not a checkpoint, is shorter or longer than written, or differs from what
            was written.
    """
    path = Path(path)
    header, _, payload = path.read_bytes().partition(b"\n")
    fields = header.removeprefix(MAGIC).split()
    if not header.startswith(MAGIC) or len(fields) != 2 or not fields[1].isdigit():
        raise CheckpointError(
            f"{path}: expected a checkpoint of dlbook, which begins with {MAGIC.decode().strip()!r}, got "
            "another file; check the path"
        )
    digest, size = fields[0].decode(errors="replace"), int(fields[1])
    if len(payload) != size:
        raise CheckpointError(
            f"{path}: expected {size:,} bytes of payload, got {len(payload):,}: cut short; {ADVICE}"
        )
    if (found := hashlib.sha256(payload).hexdigest()) != digest:
        raise CheckpointError(
            f"{path}: expected a payload of SHA-256 {digest[:12]}..., got {found[:12]}...: altered; {ADVICE}"
        )
    return payload


def _pack(state: dict[str, Any]) -> bytes:
    """Serialise, and prove at once that the bytes can be read back without running code."""
    stream = io.BytesIO()
    torch.save(_unshared(state), stream)
    payload = stream.getvalue()
    try:
        torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            "expected tensors, numbers, strings, lists and dicts, got a state that cannot be "
            "loaded with weights_only=True: "
            f"{str(error).splitlines()[0]}; turn the object into such parts first"
        ) from error
    return payload


def _unshared(value: Any) -> Any:
    """The same value, whose bytes depend on nothing but what it says. Pickle writes an object that it has met
    before as a reference; which strings and lists are one object is different after loading.
    """
    if type(value) is str:
        return sys.intern(value)
    if type(value) in (list, tuple):
        return type(value)(map(_unshared, value))
    if type(value) in (dict, OrderedDict):
        copy = type(value)((_unshared(key), _unshared(each)) for key, each in value.items())
        if metadata := getattr(value, "_metadata", None):  # of a module's state
            copy._metadata = _unshared(metadata)
        return copy
    return value
