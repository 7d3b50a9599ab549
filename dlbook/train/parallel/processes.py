"""Who takes part in a run of many processes, and what they tell each other.

torchrun starts the processes and sets variables that say who each of them is. `session` joins them; `rank`,
`world_size` and `is_main` tell a process its place; `on_main` and `gather` pass small values between them.
Without torchrun all of it works for one process.

>>> rank(), world_size(), is_main(), on_main(lambda: 5)
(0, 1, True, 5)
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

__all__ = [
    "cleanup",
    "from_main",
    "gather",
    "is_main",
    "on_main",
    "rank",
    "restarts_allowed",
    "session",
    "setup",
    "world_size",
]

Result = TypeVar("Result")
DEFAULT_TIMEOUT = timedelta(minutes=30)  # torch's own
RANKS, MEETING = ("RANK", "LOCAL_RANK", "WORLD_SIZE"), ("MASTER_ADDR", "MASTER_PORT")


def setup(device: str | torch.device = "cpu", timeout: timedelta | None = None) -> bool:
    """Join the processes that torchrun started, by the variables it set; return whether there are several.

    Args:
        device: "cpu" communicates by gloo; "cuda" by nccl, and takes the GPU of number LOCAL_RANK.
        timeout: how long a process waits for the others before it fails; torch's own by default.

    Raises:
        ValueError: some of the variables are set and some are not, or there are fewer GPUs than processes.
    """
    if not any(name in os.environ for name in RANKS):
        return False
    if missing := [name for name in (*RANKS, *MEETING) if name not in os.environ]:
        raise ValueError(
            f"expected all variables that torchrun sets, got none for {', '.join(missing)}; start by "
            f"torchrun, or unset {', '.join(RANKS)}"
        )
    values = {name: os.environ[name] for name in RANKS}
    if not all(value.isdecimal() for value in values.values()) or int(values["RANK"]) >= int(
        values["WORLD_SIZE"]
    ):
        raise ValueError(
            f"expected whole numbers with RANK < WORLD_SIZE, got {values}; start by torchrun, or unset them"
        )
    if torch.device(device).type == "cuda":
        if int(values["LOCAL_RANK"]) >= torch.cuda.device_count():
            raise ValueError(
                f"expected a GPU for each process, got {torch.cuda.device_count()} for LOCAL_RANK "
                f"{values['LOCAL_RANK']}; lower --nproc-per-node, or set trainer.device=cpu"
            )
        torch.cuda.set_device(int(values["LOCAL_RANK"]))
    if values["WORLD_SIZE"] == "1" or dist.is_initialized():
        return dist.is_initialized()
    backend = "cpu:gloo,cuda:nccl" if torch.device(device).type == "cuda" else "gloo"
    store, number, count = next(rendezvous("env://", timeout=timeout or DEFAULT_TIMEOUT))
    start = _name_of_this_start(store, number, count)
    dist.init_process_group(
        backend, timeout=timeout, store=dist.PrefixStore(start, store), rank=number, world_size=count
    )
    return True


def _name_of_this_start(store: dist.Store, rank: int, world_size: int, wait: float = 1800.0) -> str:
    """Agree on a name for this start, the same in all processes and never used before; `wait` in seconds.

    torchrun keeps one store over restarts. Under a fixed name a process could find rank 0's address of the
    start before there, and fail to connect or wait for ever. Each process asks under a name of its own, so
    that nothing old can be the answer.
    """
    if rank > 0:
        own = uuid.uuid4().hex
        store.set(f"dlbook/asks/{rank}", own)
        start = store.get(f"dlbook/answer/{own}").decode()
        store.set(f"dlbook/has/{start}/{rank}", "")
        return start
    start, end, waiting = uuid.uuid4().hex, time.monotonic() + wait, set(range(1, world_size))
    while waiting:
        for other in waiting:
            if store.check([f"dlbook/asks/{other}"]):
                store.set(f"dlbook/answer/{store.get(f'dlbook/asks/{other}').decode()}", start)
        waiting = {other for other in waiting if not store.check([f"dlbook/has/{start}/{other}"])}
        if time.monotonic() > end:
            raise TimeoutError(
                f"expected {world_size} processes within {wait:.0f} s, got none of ranks {sorted(waiting)}; "
                "start them all"
            )
        time.sleep(0.02)
    return start


def cleanup() -> None:
    """Leave the other processes, if there are any."""
    if dist.is_initialized():
        dist.destroy_process_group()


@contextmanager
def session(device: str | torch.device = "cpu") -> Iterator[None]:
    """Call `setup`, and `cleanup` at a good end. After an error the process ends at once: `cleanup` would
    wait for the other processes, which may not know of the error.
    """
    began = not dist.is_initialized() and setup(device)
    yield
    if began:
        cleanup()


def rank() -> int:
    """Return the number of this process, from 0 over all machines."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """Count the processes on all machines."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_main() -> bool:
    """Tell whether this process writes and speaks: rank 0."""
    return rank() == 0


def restarts_allowed() -> int:
    """Return how often torchrun may start the processes anew; 0 without torchrun."""
    return int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0"))


def on_main(function: Callable[[], Result]) -> Result:
    """Call on rank 0; every process gets the result, or the exception, so that none waits for one that
    failed. Both are pickled.
    """
    if world_size() == 1:
        return function()
    outcome: list[Any] = [None, None]
    if is_main():
        try:
            outcome[0] = function()
        except Exception as error:
            outcome[1] = error
    dist.broadcast_object_list(outcome, src=0)
    if outcome[1] is not None:
        raise outcome[1]
    return outcome[0]


def from_main(value: Result) -> Result:
    """Give every process rank 0's value."""
    return on_main(lambda: value)


def gather(value: Result) -> list[Result]:
    """Give every process the small values of all, in the order of the ranks."""
    values: list[Any] = [value] * world_size()
    if world_size() > 1:
        dist.all_gather_object(values, value)
    return values
