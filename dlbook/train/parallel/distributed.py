"""Many processes, one run: DistributedDataParallel of the method, started by torchrun on one machine or many.

    torchrun --standalone --nproc-per-node 4 -m dlbook train imagenet                    # one machine, four processes
    torchrun --nnodes 2 --nproc-per-node 4 --max-restarts 3 --rdzv-id job7 --rdzv-backend c10d \\
             --rdzv-endpoint first-machine:29400 -m dlbook train imagenet --resume       # the same line on both machines

Every process holds the whole method and takes its share of each batch; the gradients are averaged while they
are computed (Li et al. 2020, *PyTorch Distributed*, arXiv:2006.15704). With losses that are means over equal
shares this average is the gradient of the whole batch: N processes take the steps of one. Three things would
break that, and each has its place here or in `batches`:

1. Only what runs through `DistributedDataParallel.forward` is synchronised. So the method itself is wrapped,
   whose forward is its training step; a wrapped inner network that a method calls otherwise, or a parameter
   beside it, would drift apart silently.
2. Batch normalisation sees one process's share. Where that is small (some 16 images or fewer)
   `sync_batch_norm` takes the statistics over all processes, as Goyal et al. 2017 (arXiv:1706.02677, section
   2.3) discuss; torch has it for GPUs only.
3. A buffer that a method fills from its batch (a queue, a count) is overwritten by rank 0's before each step:
   gather the batch first.

Rank 0 alone writes checkpoints, logs and the progress bar. After a crash torchrun starts all processes anew
(`--max-restarts`), and `--resume` takes each of them to the newest whole checkpoint, with the random state of
its own rank. The run's folder has to be one that all machines see.

**Why not DataParallel.** `torch.nn.DataParallel` looks simpler: one process, a thread for each GPU. It copies
the network to all GPUs in each step, gathers the outputs on the first one, whose memory then bounds the
batch, and its threads wait for one another at Python's global lock; it knows one machine only, and what a
replica writes to its buffers is lost. Torch's own documentation advises against it.

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
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from dlbook.train.batches import generator_of
from dlbook.train.log import Log
from dlbook.train.method import Method

__all__ = [
    "average_log",
    "broadcast_buffers",
    "cleanup",
    "from_main",
    "gather",
    "gather_random",
    "is_main",
    "on_main",
    "rank",
    "restore_random",
    "restarts_allowed",
    "separate_random",
    "session",
    "setup",
    "sync_batch_norm",
    "world_size",
    "wrap_ddp",
]

Result = TypeVar("Result")
DEFAULT_TIMEOUT = timedelta(minutes=30)  # torch's own
RANKS, MEETING = ("RANK", "LOCAL_RANK", "WORLD_SIZE"), ("MASTER_ADDR", "MASTER_PORT")


def setup(device: str | torch.device = "cpu", timeout: timedelta | None = None) -> bool:
    """Join the processes that torchrun started, by the variables it set; True where there is more than one.

    device: "cpu" communicates by gloo; "cuda" by nccl, and takes the GPU of number LOCAL_RANK. timeout: how
    long a process waits for the others before it fails; torch's own by default.
    Raises: ValueError where some of the variables are set and some are not, or where there are fewer GPUs
        than processes.
    """
    if not any(name in os.environ for name in RANKS):
        return False
    if missing := [name for name in (*RANKS, *MEETING) if name not in os.environ]:
        raise ValueError(
            f"expected all variables that torchrun sets, {', '.join(missing)} missing; start by "
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
                f"{values['LOCAL_RANK']}; "
                "lower --nproc-per-node, or set trainer.device=cpu"
            )
        torch.cuda.set_device(int(values["LOCAL_RANK"]))
    if values["WORLD_SIZE"] == "1" or dist.is_initialized():
        return dist.is_initialized()
    backend = "cpu:gloo,cuda:nccl" if torch.device(device).type == "cuda" else "gloo"
    store, number, count = next(rendezvous("env://", timeout=timeout or DEFAULT_TIMEOUT))
    start = _agree(store, number, count)
    dist.init_process_group(
        backend, timeout=timeout, store=dist.PrefixStore(start, store), rank=number, world_size=count
    )
    return True


def _agree(store: dist.Store, rank: int, world_size: int, wait: float = 1800.0) -> str:
    """A name for this start, the same in all processes and never used before; `wait` in seconds.

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
                f"expected {world_size} processes within {wait:.0f} s, ranks {sorted(waiting)} did "
                "not come; start them all"
            )
        time.sleep(0.02)
    return start


def cleanup() -> None:
    """Leave the others; nothing where there are none."""
    if dist.is_initialized():
        dist.destroy_process_group()


@contextmanager
def session(device: str | torch.device = "cpu") -> Iterator[None]:
    """`setup`, and `cleanup` at a good end. After an error the process just ends: leaving in order could mean
    to wait for the others.
    """
    began = not dist.is_initialized() and setup(device)
    yield
    if began:
        cleanup()


def rank() -> int:
    """The number of this process, from 0 over all machines."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """How many processes there are on all machines."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_main() -> bool:
    """Whether this process writes and speaks: rank 0."""
    return rank() == 0


def restarts_allowed() -> int:
    """How often torchrun may start the processes anew; 0 without torchrun."""
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
    """Rank 0's value, for every process."""
    return on_main(lambda: value)


def gather(value: Result) -> list[Result]:
    """A small value of every process, in the order of the ranks, for every process."""
    values: list[Any] = [value] * world_size()
    if world_size() > 1:
        dist.all_gather_object(values, value)
    return values


def wrap_ddp(method: Method, find_unused_parameters: bool = False) -> nn.Module:
    """DistributedDataParallel of the method: what a trainer takes as `forward`.

    All processes begin with rank 0's parameters and buffers, and its buffers (running statistics) are sent
    round before each step.

    find_unused_parameters: for methods whose loss leaves some trained parameters out in some steps; it costs
    a walk over the graph in each step, and a method that does so without it ends in torch's error at the next
    step. The graph is not promised to be static. On the CPU gradients are summed tensor by tensor rather than
    in torch's buckets. Torch arranges those anew after the first step, and
    with three or more processes the order of a sum depends on the place in the bucket: a resumed run would
        differ in the last bit.
    Raises: ValueError for a method without trained parameters, or no process group.
    """
    if not dist.is_initialized():
        raise ValueError("expected a process group, got none; call setup() under torchrun first")
    if not any(parameter.requires_grad for parameter in method.parameters()):
        raise ValueError(
            "expected a method with parameters to train, got none; unfreeze some before it is wrapped"
        )
    on_gpu = next(method.parameters()).device.type == "cuda"
    wrapped = DistributedDataParallel(
        method,
        device_ids=[torch.cuda.current_device()] if on_gpu else None,
        find_unused_parameters=find_unused_parameters,
        gradient_as_bucket_view=True,
    )
    if not on_gpu:
        wrapped.register_comm_hook(None, _average_each)
    return wrapped


def _average_each(_: None, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
    """The mean over the processes, a message for each gradient; `gradients()` are views into the bucket."""
    sums = [
        dist.all_reduce(gradient.div_(dist.get_world_size()), async_op=True).get_future()
        for gradient in bucket.gradients()
    ]
    return torch.futures.collect_all(sums).then(lambda _: bucket.buffer())


def sync_batch_norm(model: nn.Module) -> nn.Module:
    """`model` with every batch normalisation taking its statistics over all processes; parameters and buffers
    stay the same objects.

    Raises: ValueError on the CPU, for which torch has no such layer.
    """
    if next(model.parameters()).device.type == "cpu":
        raise ValueError(
            "trainer.sync_batch_norm: expected a GPU, torch synchronises batch normalisation on "
            "GPUs only; set it to false, or take a "
            "model with group or layer normalisation"
        )
    return nn.SyncBatchNorm.convert_sync_batchnorm(model)


@torch.no_grad()
def broadcast_buffers(module: nn.Module) -> None:
    """Give every process rank 0's buffers: before an evaluation, so that all evaluate one network."""
    kinds: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for buffer in module.buffers():
        kinds.setdefault((buffer.dtype, buffer.device), []).append(buffer)
    for buffers in kinds.values() if world_size() > 1 else ():  # one message for all buffers of a kind
        whole = torch.cat([buffer.flatten() for buffer in buffers])
        dist.broadcast(whole, src=0)
        for buffer, part in zip(buffers, whole.split([buffer.numel() for buffer in buffers]), strict=True):
            buffer.copy_(part.view_as(buffer))


@torch.no_grad()
def average_log(log: Log, steps: int) -> None:
    """Replace the last `steps` entries of each logged scalar by their means over the processes, in place.

    Until then a log tells of one process's share of the batches. Raises: ValueError where the processes
    logged different things.
    """
    if world_size() == 1 or steps == 0:
        return
    counts = gather({name: len(values) for name, values in sorted(log.items())})
    if any(other != counts[0] for other in counts):
        raise ValueError(
            f"expected the same scalars in the log of every process, got {counts}; return the same "
            "names in every step"
        )
    for name in sorted(log):
        recent = log[name][-steps:]
        dist.all_reduce(recent)
        recent /= world_size()


def separate_random(rank: int) -> None:
    """Give each rank but 0 random numbers of its own, drawn from the state that all share: else their dropout
    masks would be equal.
    """
    if rank > 0:
        common = int(torch.randint(2**31, ()))
        torch.manual_seed(generator_of(common, rank).initial_seed())


def gather_random() -> list[dict[str, Tensor]]:
    """The states of torch's random numbers in every process, for a checkpoint."""
    mine = {"cpu": torch.get_rng_state()} | (
        {"cuda": torch.cuda.get_rng_state()} if torch.cuda.is_initialized() else {}
    )
    return gather(mine)


def restore_random(states: list[dict[str, Tensor]]) -> None:
    """Take this rank's state of `gather_random`; with another number of processes than then, each derives a
    new one from rank 0's.
    """
    if len(states) != world_size():
        if states:
            torch.set_rng_state(states[0]["cpu"].cpu())
        separate_random(rank())
        return
    torch.set_rng_state(states[rank()]["cpu"].cpu())
    if torch.cuda.is_available() and "cuda" in states[rank()]:
        torch.cuda.set_rng_state(states[rank()]["cuda"].cpu())
