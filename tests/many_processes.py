"""Functions run by several processes at once, which end by themselves or are ended."""

import multiprocessing
import tempfile
import time
import traceback
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from dlbook.train.parallel import distributed

FORK = multiprocessing.get_context(
    "fork"
)  # the children inherit the imports, so that a start takes milliseconds
PATIENCE = 60.0  # s


class Failed(RuntimeError):
    """A process failed, or did not end in time. No AssertionError: a seeded fault that only crashes was not
    caught by a check.
    """


def together(world, function, *args, patience=PATIENCE):
    """`function(rank, *args)` in `world` gloo processes that meet by a file; the results in the order of the
    ranks.
    """
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            FORK.Process(target=_child, args=(folder, rank, world, function, args)) for rank in range(world)
        ]
        for process in processes:
            process.start()
        end = time.monotonic() + patience
        while (
            any(p.is_alive() for p in processes)
            and not any(p.exitcode for p in processes)
            and time.monotonic() < end
        ):
            time.sleep(0.01)
        time.sleep(0.2 if any(p.exitcode for p in processes) else 0)
        late = [rank for rank, process in enumerate(processes) if process.is_alive()]
        for process in processes:
            process.kill()
            process.join()
        told = [file.read_text() for file in sorted(Path(folder).glob("failed-*"))]
        if told or late or any(p.exitcode for p in processes):
            raise Failed("\n".join(told) or f"ranks {late} did not end within {patience} s")
        return [torch.load(Path(folder) / f"result-{rank}", weights_only=False) for rank in range(world)]


def _child(folder, rank, world, function, args):
    torch.set_num_threads(1)
    try:
        if world > 1:
            dist.init_process_group(
                "gloo",
                init_method=f"file://{folder}/meeting",
                rank=rank,
                world_size=world,
                timeout=timedelta(seconds=PATIENCE),
            )
            dist.barrier()  # one that ended before the others have met would close their connections
        torch.save(function(rank, *args), Path(folder) / f"result-{rank}")
        distributed.cleanup()
    except BaseException:
        (Path(folder) / f"failed-{rank}").write_text(traceback.format_exc())
        raise SystemExit(1) from None
