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
from pathlib import Path
from typing import Any

import torch

from dlbook.files import write_whole

__all__ = ["CheckpointError", "load", "save"]

MAGIC = b"dlbook-checkpoint 1 "


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
    """Read what `save` wrote.

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
            f"{path}: expected a file that begins with {MAGIC.decode().strip()!r}, got another; "
            f"{_advice(path)}"
        )
    digest, size = fields[0].decode(errors="replace"), int(fields[1])
    if len(payload) != size:
        raise CheckpointError(
            f"{path}: expected {size:,} bytes of payload, got {len(payload):,}: cut short; {_advice(path)}"
        )
    if (found := hashlib.sha256(payload).hexdigest()) != digest:
        raise CheckpointError(
            f"{path}: expected a payload of SHA-256 {digest[:12]}..., got {found[:12]}...: altered; "
            f"{_advice(path)}"
        )
    return torch.load(io.BytesIO(payload), map_location=map_location, weights_only=True)


def _pack(state: dict[str, Any]) -> bytes:
    """Serialise, and prove at once that the bytes can be read back without running code."""
    stream = io.BytesIO()
    torch.save(state, stream)
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


def _advice(path: Path) -> str:
    return f"delete {path.name} and resume from the checkpoint before it"
