"""Networks that do not fit one GPU: each process keeps a part of every weight, its gradient and the
optimizer's state (FSDP2).

Rajbhandari et al. 2020, *ZeRO*, arXiv:1910.02054, stage 3; Zhao et al. 2023, *PyTorch FSDP*,
arXiv:2304.11277. N processes hold 1/N of weights, gradients and optimizer state each. A block's weights are
gathered from all processes right before it runs, forth and back, and thrown away after it; its gradients are
averaged, and each process keeps its part. torch's `fully_shard` does all of that; what is here is which
modules are blocks, and checkpoints whose parts each process writes by itself:

    step-00000500.shards/__0_0.distcp ...   each process's tensors, by torch.distributed.checkpoint
    step-00000500.shards/rest.ckpt          step, log, rates, random states: an ordinary checkpoint
    step-00000500.shards/manifest.json      length and SHA-256 of each file; written last

The folder is written under another name and renamed when it is whole. A file that was cut short, altered or
lost is named, and the run goes on from the checkpoint before. Any number of processes may load what any other
number wrote. `to_plain` joins the parts to an ordinary checkpoint, and `best.ckpt` always is one. Load
sharded checkpoints of your own only: torch keeps their index as a pickle.

A parameter becomes a `DTensor`, which optimizers, clipping and averages of weights treat like any tensor.
Every network call is work for all processes together: one that evaluates alone waits for ever.

>>> from dlbook.train.method import Method
>>> shard(type("Unshared", (Method,), {"training_step": None})(), [])
Traceback (most recent call last):
ValueError: expected a process group, got none; call distributed.setup() under torchrun first
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.checkpoint import state_dict as dcp_state
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.utils import clip_grad_norm_

from dlbook.train import checkpoint
from dlbook.train.fit.activation_checkpointing import blocks
from dlbook.train.method import Method
from dlbook.train.parallel import manifest
from dlbook.train.parallel.distributed import broadcast_buffers, gather_random, on_main, world_size
from dlbook.train.run import Run, RunError
from dlbook.train.trainer import Trainer

__all__ = ["Sharded", "ShardedRun", "load", "save", "shard", "to_plain"]

REST = "rest.ckpt"


class Sharded:
    """A sharded method, to be called by a trainer as `forward`; rank 0's buffers are sent round first, as
    under DDP.

    Gradients are averaged after each micro-batch, also while they are accumulated: to wait would mean to keep
    them whole.
    """

    def __init__(self, method: Method, call: Callable[[Any, int], dict[str, Tensor]]) -> None:
        self.method, self.call = method, call

    def __call__(self, batch: Any, step: int) -> dict[str, Tensor]:
        """The training step."""
        broadcast_buffers(self.method)
        return self.call(batch, step)

    def clip_gradients(self, clip_norm: float) -> Tensor:
        """Scale the gradients of all processes down to a norm of at most `clip_norm`; return the norm of all
        shards together that they had.
        """
        return clip_grad_norm_(self.method.parameters(), clip_norm).detach().full_tensor()


def shard(method: Method, networks: Sequence[nn.Module], compiled: bool = False) -> Sharded:
    """Divide the method's weights among the processes, in place; build the optimizer afterwards, over the new
    parameters. All processes begin with rank 0's weights.

    Args:
        method: whose weights are divided.
        networks: those modules of the method that are called as modules, `network(images)`; they are divided
            block by block. Together they have to hold every parameter.
        compiled: run the training step through torch.compile.

    Raises:
        ValueError: there is no process group, or a parameter is outside the networks, where it would not be
            synchronised.
    """
    if not dist.is_initialized():
        raise ValueError("expected a process group, got none; call distributed.setup() under torchrun first")
    inside = {id(parameter) for network in networks for parameter in network.parameters()}
    if outside := [name for name, parameter in method.named_parameters() if id(parameter) not in inside]:
        raise ValueError(
            f"expected networks that hold every parameter, got {outside[0]} outside of them; put the module "
            "that owns it among the networks"
        )
    for tensor in (*method.parameters(), *method.buffers()):
        dist.broadcast(tensor.detach(), src=0)
    mesh = init_device_mesh(next(method.parameters()).device.type, (world_size(),))
    for network in networks:
        for block in blocks(network):
            fully_shard(block, mesh=mesh)
        fully_shard(network, mesh=mesh)
    return Sharded(method, torch.compile(method) if compiled else method)


def save(folder: str | Path, trainer: Trainer, history: Sequence[dict[str, float]] = ()) -> Path:
    """Write a sharded checkpoint at once or not at all; all processes call it.

    Args:
        folder: of the checkpoint; an earlier one of that name is replaced.
        trainer: of sharded weights.
        history: the figures of the evaluations so far.

    Returns:
        The folder.

    Raises:
        OSError: one process cannot write; all of them raise it, and an earlier checkpoint stays.
    """
    folder = Path(folder)
    partial = folder.with_name(folder.name + ".partial")
    plain = {
        name: value for name, value in trainer.state_dict().items() if name not in ("method", "optimizer")
    }
    rest = {"trainer": plain, "history": list(history), "random": gather_random()}
    on_main(lambda: shutil.rmtree(partial, ignore_errors=True))
    on_main(lambda: partial.mkdir(parents=True))
    # After this call all processes hold equal buffers, so it does not matter which one writes them.
    broadcast_buffers(trainer.method)
    dcp.save(_parts(trainer), storage_writer=dcp.FileSystemWriter(partial))
    on_main(lambda: checkpoint.save(partial / REST, rest))
    manifest.write(partial)
    on_main(lambda: shutil.rmtree(folder, ignore_errors=True))
    on_main(lambda: partial.rename(folder))
    return folder


def load(folder: str | Path, trainer: Trainer) -> dict[str, Any]:
    """Put a sharded checkpoint into a trainer of sharded weights; all processes call it, also more or fewer
    than wrote it.

    Args:
        folder: of the checkpoint.
        trainer: takes the weights, in place.

    Returns:
        The rest of the checkpoint: "trainer" (step, log, ...), "history" and "random".

    Raises:
        CheckpointError: a file is missing, cut short or altered, as `manifest.verify` finds.
    """
    folder = Path(folder)
    manifest.verify(folder)
    parts = _parts(trainer)
    dcp.load(parts, storage_reader=dcp.FileSystemReader(folder))  # into the tensors that are there
    rest = checkpoint.load(folder / REST)
    trainer.load_state_dict(rest["trainer"] | _numbered(parts))
    return rest


def to_plain(folder: str | Path) -> dict[str, Any]:
    """The whole state of a sharded checkpoint that is whole, as a run of one process keeps it; one process
    calls this.
    """
    folder = Path(folder)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=folder.name + ".") as place:
        dcp_to_torch_save(folder, Path(place) / "whole.pt")
        parts = torch.load(Path(place) / "whole.pt", map_location="cpu", weights_only=True)
    rest = checkpoint.load(folder / REST)
    return rest | {"trainer": rest["trainer"] | _numbered(parts)}


def _parts(trainer: Trainer) -> dict[str, Any]:
    """Return what is written in parts. The optimizer's state is keyed by parameter name here, because
    parameter indices may change between versions.
    """
    method, optimizer = trainer.method, trainer.optimizer
    return {
        "method": dcp_state.get_model_state_dict(method),
        "optimizer": dcp_state.get_optimizer_state_dict(method, optimizer),
    }


def _numbered(parts: dict[str, Any]) -> dict[str, Any]:
    """The same with the optimizer's parameters by number, as `Optimizer.load_state_dict` wants them."""
    groups = parts["optimizer"]["param_groups"]
    numbers = {
        name: number for number, name in enumerate(name for group in groups for name in group["params"])
    }
    state = {numbers[name]: slots for name, slots in parts["optimizer"].get("state", {}).items()}
    groups = [group | {"params": [numbers[name] for name in group["params"]]} for group in groups]
    return {"method": parts["method"], "optimizer": {"state": state, "param_groups": groups}}


class ShardedRun(Run):
    """A run's folder with sharded checkpoints. One process reads them as well, and goes on with ordinary
    ones.
    """

    def files(self) -> list[Path]:
        """The checkpoints of steps, the newest first."""
        return sorted(
            (*self.checkpoints.glob("step-*.ckpt"), *self.checkpoints.glob("step-*.shards")), reverse=True
        )

    def _write(self, trainer: Trainer) -> Path:
        if world_size() == 1:
            return super()._write(trainer)
        return save(self.checkpoints / f"step-{trainer.step:08d}.shards", trainer, self.history)

    def _read(self, path: Path, trainer: Trainer) -> dict[str, Any]:
        if path.suffix == ".shards" and world_size() > 1:
            return load(path, trainer)
        if path.suffix == ".ckpt" and world_size() > 1:
            raise RunError(
                f"{path}: expected a sharded checkpoint, got one of a single process; go on with "
                "one process, or begin anew"
            )
        if path.suffix == ".ckpt":
            return super()._read(path, trainer)
        manifest.verify(path)
        state = to_plain(path)
        trainer.load_state_dict(state["trainer"])
        return state

    def _bytes(self, path: Path) -> bytes:
        if path.suffix == ".ckpt":
            return super()._bytes(path)
        with tempfile.TemporaryDirectory(dir=self.checkpoints) as place:
            return checkpoint.save(Path(place) / "plain.ckpt", to_plain(path)).read_bytes()
