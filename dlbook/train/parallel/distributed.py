"""Many processes, one run: DistributedDataParallel of the method, started by torchrun on one machine or many.

    # one machine, four processes
    torchrun --standalone --nproc-per-node 4 -m dlbook train imagenet
    # two machines, the same line on both
    torchrun --nnodes 2 --nproc-per-node 4 --max-restarts 3 --rdzv-id job7 --rdzv-backend c10d \\
             --rdzv-endpoint first-machine:29400 -m dlbook train imagenet --resume

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

>>> norm = nn.BatchNorm1d(2)
>>> broadcast_buffers(norm)  # one process: nothing to do
>>> norm.running_mean.tolist()
[0.0, 0.0]
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dlbook.train.batches import generator_of
from dlbook.train.fit.freeze import hold_in_evaluation, is_held
from dlbook.train.log import Log
from dlbook.train.method import Method
from dlbook.train.parallel.processes import (
    cleanup,
    from_main,
    gather,
    is_main,
    on_main,
    rank,
    restarts_allowed,
    session,
    setup,
    world_size,
)

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
    "restarts_allowed",
    "restore_random",
    "separate_random",
    "session",
    "setup",
    "sync_batch_norm",
    "world_size",
    "wrap_ddp",
]


def wrap_ddp(method: Method, find_unused_parameters: bool = False) -> nn.Module:
    """Wrap the method in DistributedDataParallel: what a trainer takes as `forward`.

    All processes begin with rank 0's parameters and buffers, and its buffers (running statistics) are sent
    round before each step. On the CPU gradients are summed tensor by tensor rather than in torch's buckets:
    torch arranges those anew after the first step, and with three or more processes the order of a sum
    depends on the place in the bucket, so that a resumed run would differ in the last bit.

    Args:
        method: the method itself, never an inner network.
        find_unused_parameters: for a method whose loss leaves some trained parameters out in some steps;
            without it such a method ends in torch's error at the next step. It costs a walk over the graph in
            each step.

    Raises:
        ValueError: the method has no trained parameters, or there is no process group.
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
    """Let every batch normalisation of `model` take its statistics over all processes; parameters and buffers
    stay the same objects, and what `freeze` holds stays frozen.

    Raises:
        ValueError: the network is on the CPU, for which torch has no such layer.
    """
    if next(model.parameters()).device.type == "cpu":
        raise ValueError(
            "trainer.sync_batch_norm: expected a network on a GPU, the only place where torch has this "
            "layer, got one on the CPU; set it to false, or take a model with group or layer normalisation"
        )
    frozen = [name for name, module in model.named_modules() if is_held(module)]
    model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    for name in frozen:  # torch's new layers do not know that the old ones were frozen
        hold_in_evaluation(model.get_submodule(name))
    return model


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
    """Replace the last `steps` entries of each logged scalar by their means over the processes, in place;
    until then a log tells of one process's share of the batches.

    Args:
        log: scalar's name -> one value a step.
        steps: how many are replaced, >= 0.

    Raises:
        ValueError: the processes logged different things.
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
