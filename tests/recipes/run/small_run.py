"""A run of some seconds, and what two runs have to share when they are the same."""

import torch

from dlbook.recipes.run.config import RunConfig, resolve

BASE = {"model": {"name": "convnet_digits"}, "data": {"name": "mnist5k", "limit": 120, "batch_size": 20}}


def config(folder, *overrides):
    """Two epochs of six steps, kept in folder/run."""
    usual = [f"output.folder={folder / 'run'}", "output.tensorboard=false", "trainer.epochs=2"]
    return resolve(RunConfig, BASE, [*usual, *overrides])


def assert_same(expected, got):
    """Two checkpoints: weights, averages, moments, log, random state and figures, bit for bit."""
    assert got["history"] == expected["history"] and got["trainer"]["step"] == expected["trainer"]["step"]
    tensors, theirs = flat(expected["trainer"]), flat(got["trainer"])
    assert tensors.keys() == theirs.keys() and len(tensors) > 20
    different = [name for name, value in tensors.items() if not torch.equal(value, theirs[name])]
    assert not different, different


def flat(state, prefix=""):
    """Every number and tensor of a nested state, by its path."""
    if isinstance(state, dict):
        items = state.items()
    elif isinstance(state, (list, tuple)):
        items = enumerate(state)
    else:
        return {prefix: torch.as_tensor(state)} if isinstance(state, (int, float, torch.Tensor)) else {}
    return {path: value for key, part in items for path, value in flat(part, f"{prefix}.{key}").items()}
