"""Rows of several processes come in the order of the ranks."""

import pytest
import torch

from dlbook.nn.gather_rows import gather_rows
from tests.many_processes import together

pytestmark = pytest.mark.forks


def own(rank, kind):
    return gather_rows(torch.tensor([[rank, 7], [rank, 8]]).to(kind))


@pytest.mark.parametrize("kind", [torch.int64, torch.float64, torch.bool])
@pytest.mark.parametrize("world", [1, 3])
def test_every_process_gets_all_rows(world, kind):
    expected = torch.tensor([[rank, value] for rank in range(world) for value in (7, 8)]).to(kind)
    for found in together(world, own, kind):
        assert torch.equal(found, expected)
