"""The log of a run: what is appended is what stands there, whatever room it took; and no tensor of its own
for a step.
"""

import pytest
import torch

from dlbook.train import log as log_module
from dlbook.train.log import ROOM, Log
from tests import seeded


def check_values(kind, steps=3 * ROOM + 1):
    """As a list would keep them."""
    log, kept = kind(), []
    for step in range(steps):
        value = torch.tensor(step + 0.5, dtype=torch.float64)
        log.append("loss", value)
        kept.append(value)
        if step % 2:
            log.append("share", value.float() / 2)
    assert list(log) == ["loss", "share"] and len(log) == 2
    assert torch.equal(log["loss"], torch.stack(kept)) and log["loss"].dtype is torch.float64
    assert torch.equal(log["share"], torch.arange(1, steps, 2) / 2 + 0.25)


def check_resume(kind):
    """A log made from another one's values goes on behind them and leaves the other alone."""
    first = kind()
    for step in range(ROOM):
        first.append("loss", torch.tensor(float(step)))
    second = kind(first)
    second["loss"][0] = -1.0
    second.append("loss", torch.tensor(7.0))
    assert first["loss"].tolist() == list(range(ROOM))
    assert second["loss"].tolist() == [-1.0, *range(1, ROOM), 7.0]


def check_memory(kind, steps=4 * ROOM):
    """The values of a name lie in one block, which moves a few times only."""
    log, places = kind(), set()
    for step in range(steps):
        log.append("loss", torch.tensor(float(step)))
        places.add(log["loss"].untyped_storage().data_ptr())
    assert log["loss"].is_contiguous() and log["loss"].untyped_storage().nbytes() <= 8 * steps
    assert len(places) <= 3  # 256, 512, 1024


def check_kinds(kind):
    """Whole numbers become float32, so that they have a mean; the device is the value's, also after a resume
    on another one.
    """
    log = kind({"loss": torch.arange(3.0)})
    log.append("count", torch.tensor(3))
    log.append("loss", torch.tensor(3.0))
    log.append("loss", torch.empty((), device="meta"))
    assert log["count"].dtype is torch.float32 and log["count"].tolist() == [3.0]
    assert log["loss"].device.type == "meta" and log["loss"].shape == (5,)


CHECKS = (check_values, check_resume, check_memory, check_kinds)


@pytest.mark.parametrize("check", CHECKS)
def test_log(check):
    check(Log)


FAULTS = {
    "what was there is lost when room is made": ("self._room[name][:count] = room[:count]", "pass"),
    "room for one more only": ("2 * count", "count + 1"),
    "the first step is written over": ("self._count[name] = count + 1", "self._count[name] = max(count, 1)"),
    "empty room is shown": ("[: self._count[name]]", ""),
    "the earlier log is shared": (".detach().clone()", ".detach()"),
    "whole numbers stay whole": (
        "value.dtype if value.is_floating_point() else torch.float32",
        "value.dtype",
    ),
    "float64 is rounded": ("value.dtype if value.is_floating_point() else torch.float32", "torch.float32"),
    "a resumed log stays on the CPU": (" or room.device != value.device", ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    kind = seeded.edited(log_module, *FAULTS[fault])["Log"]
    with pytest.raises((AssertionError, RuntimeError)):
        for check in CHECKS:
            check(kind)
