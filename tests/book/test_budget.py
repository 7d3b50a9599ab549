"""Budgets follow DLBOOK_SCALE and nothing else."""

import pytest
import torch

from dlbook import book


@pytest.mark.parametrize(("value", "expected"), [(None, 1), ("", 1), ("cpu", 1), ("gpu", 2)])
def test_scale_follows_the_variable(monkeypatch, value, expected):
    monkeypatch.delenv("DLBOOK_SCALE", raising=False)
    if value is not None:
        monkeypatch.setenv("DLBOOK_SCALE", value)
    assert book.scale(cpu=1, gpu=2) == expected


@pytest.mark.parametrize("value", ["GPU", "cuda", "full", " cpu"])
def test_an_unknown_value_is_an_error(monkeypatch, value):
    monkeypatch.setenv("DLBOOK_SCALE", value)
    for call in (lambda: book.scale(cpu=1, gpu=2), book.device, lambda: book.begin("a")):
        with pytest.raises(ValueError, match="expected DLBOOK_SCALE to be 'cpu' or 'gpu', got .*; "):
            call()


def test_the_device_is_taken_only_when_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delenv("DLBOOK_SCALE", raising=False)
    assert book.device() == "cpu"
    monkeypatch.setenv("DLBOOK_SCALE", "gpu")
    assert book.device() == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="CUDA device .*, got none"):
        book.device()
