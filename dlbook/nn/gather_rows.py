"""Rows of all processes together, for buffers that a method fills from its batch: memories, queues, counts.

DistributedDataParallel synchronises gradients and sends rank 0's buffers round. A buffer that each process
fills from its own share of the batch would keep rank 0's share only, so the rows are gathered first.

>>> gather_rows(torch.tensor([3, 1])).tolist()  # one process: nothing to gather
[3, 1]
"""

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["gather_rows"]


@torch.no_grad()
def gather_rows(rows: Tensor) -> Tensor:
    """Join the rows of all processes, in the order of the ranks; no gradient flows.

    Args:
        rows: `[B, ...]`, of one shape in all processes.

    Returns:
        `[world_size * B, ...]`.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return rows
    parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, rows.contiguous())
    return torch.cat(parts)
