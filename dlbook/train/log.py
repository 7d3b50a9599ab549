"""The log of a run: the scalars of each step, in one growing tensor a name.

The values stay tensors on their device, because to read one from a GPU means to wait for it. They share one
growing tensor, because one small tensor per step fragments the CPU allocator, and the process can grow by
hundreds of megabytes.

>>> log = Log()
>>> for loss in (2.0, 1.0, 0.5):
...     log.append("loss", torch.tensor(loss))
>>> log["loss"].tolist()
[2.0, 1.0, 0.5]
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

__all__ = ["Log"]

ROOM = 256  # steps; doubled where they are full


class Log(Mapping[str, Tensor]):
    """Maps a name to its values so far, `[steps]`. What is written into these values is written into the log.

    Floating-point scalars keep their type, others are kept in float32.

    Args:
        values: name -> `[steps]`, what an earlier run logged; copied.
    """

    def __init__(self, values: Mapping[str, Tensor] | None = None) -> None:
        self._room = {name: earlier.detach().clone() for name, earlier in (values or {}).items()}
        self._count = {name: len(earlier) for name, earlier in self._room.items()}

    def append(self, name: str, value: Tensor) -> None:
        """Keep one more scalar, `[]`, without waiting for it."""
        if name not in self._room:
            self._room[name] = torch.empty(
                0, dtype=value.dtype if value.is_floating_point() else torch.float32
            )
            self._count[name] = 0
        room, count = self._room[name], self._count[name]
        if count == len(room) or room.device != value.device:  # a resumed log lies on the CPU
            self._room[name] = torch.zeros(max(ROOM, 2 * count), dtype=room.dtype, device=value.device)
            self._room[name][:count] = room[:count]
        self._room[name][count] = value
        self._count[name] = count + 1

    def __getitem__(self, name: str) -> Tensor:
        return self._room[name][: self._count[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._room)

    def __len__(self) -> int:
        return len(self._room)
