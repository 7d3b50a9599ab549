"""Who takes part in a run: the variables of torchrun, restarts, and what processes tell each other."""

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from dlbook.train.parallel import processes
from tests.many_processes import Failed, together

pytestmark = pytest.mark.forks


def calls(rank):
    """Ask all that can be asked; returns this process's number and what each process says of itself."""

    def fail():
        raise OSError("no space left")

    assert processes.on_main(lambda: os.getpid() if rank == 0 else 1 / 0) == processes.gather(os.getpid())[0]
    assert processes.from_main(rank) == 0 and processes.is_main() == (rank == 0)
    with pytest.raises(OSError, match="no space left"):
        processes.on_main(fail)
    return processes.rank(), processes.world_size(), processes.gather(10 * rank)


def test_what_processes_tell_each_other():
    assert together(3, calls) == [(rank, 3, [0, 10, 20]) for rank in range(3)]
    assert together(1, calls) == [(0, 1, [0])]


NONE = dict.fromkeys(("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"))
ALL = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"RANK": "0", "WORLD_SIZE": "2"},
            "got none for LOCAL_RANK, MASTER_ADDR, MASTER_PORT; start by torchrun, or unset RANK",
        ),
        (ALL | {"RANK": "2", "WORLD_SIZE": "2"}, "RANK < WORLD_SIZE"),
        (ALL | {"RANK": "first"}, "whole numbers"),
        ({}, None),
        ({"MASTER_ADDR": "somewhere"}, None),
        (ALL, None),
    ],
)
def test_the_variables_of_torchrun(variables, message, monkeypatch):
    for name, value in (NONE | variables).items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    if message is None:
        assert processes.setup() is False
    else:
        with pytest.raises(ValueError, match=re.escape(message)):
            processes.setup()


def start(store, world, last):
    """One start of `world` processes, here threads; rank `last` comes late."""
    with ThreadPoolExecutor(world) as pool:
        return set(
            pool.map(
                lambda rank: (
                    time.sleep(0.2 if rank == last else 0),
                    processes._name_of_this_start(store, rank, world, 5.0),
                )[1],
                range(world),
            )
        )


def test_a_restart_never_takes_an_address_of_the_start_before():
    """The store of torchrun outlives its processes: rank 0 late, all that the others find is old."""
    store = torch.distributed.HashStore()
    names = [start(store, 3, last) for last in (0, 0, 2)]
    assert all(len(name) == 1 for name in names) and len(set.union(*names)) == 3
    with pytest.raises(TimeoutError, match=r"got none of ranks \[1\]; start"):
        processes._name_of_this_start(torch.distributed.HashStore(), 0, 2, 0.1)


def late(rank):
    if rank == 0:
        torch.distributed.barrier()


def test_processes_that_hang_are_ended():
    with pytest.raises(Failed):
        together(2, late, patience=3.0)
