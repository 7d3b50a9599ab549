"""The batch-size finder: exact for every limit, and it passes on what is not about memory."""

from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlbook.train.fit.batch_size import find_batch_size, fits


def limited(limit, tried):
    def step(size):
        tried.append(size)
        if size > limit:
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"
            )

    return step


@settings(max_examples=60)
@given(limit=st.integers(1, 3000), most=st.integers(1, 3000), least=st.integers(1, 50))
def test_exact_for_every_limit_in_few_steps(limit, most, least):
    tried = []
    with mock.patch("gc.collect"):  # a tenth of a second each time
        check_exact(limit, most, least, tried)


def check_exact(limit, most, least, tried):
    if least > most or least > limit:
        with pytest.raises(ValueError):
            find_batch_size(limited(limit, tried), least, most)
        return
    assert find_batch_size(limited(limit, tried), least, most) == min(limit, most)
    assert max(tried) <= most and len(tried) <= 2 * most.bit_length() + 3 and len(set(tried)) == len(tried)


def test_a_real_allocation_that_fails_is_recognised():
    assert not fits(lambda size: torch.empty(2**55), 1)
    assert fits(lambda size: torch.empty(10), 1)


def test_other_errors_pass_through():
    def step(size):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        find_batch_size(step)


@pytest.mark.parametrize("bounds", [(0, 4), (5, 4)])
def test_bad_bounds(bounds):
    with pytest.raises(ValueError, match="1 <= least <= most"):
        find_batch_size(lambda size: None, *bounds)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu():
    total = torch.cuda.get_device_properties(0).total_memory
    found = find_batch_size(
        lambda size: torch.empty(size, total // 64, dtype=torch.uint8, device="cuda"), most=128
    )
    assert 48 <= found <= 64
