"""kill -9 at twenty random moments of a run: what is resumed ends with the bits of the run that nobody
killed.
"""

import multiprocessing
import os
import random
import signal
import time
import warnings

import pytest
import torch

from dlbook.recipes.classify import run as classify_run
from dlbook.recipes.classify.build import build
from dlbook.recipes.classify.config import ClassifyConfig, resolve
from dlbook.train import checkpoint

pytestmark = pytest.mark.forks

KILLS = 20
FORK = multiprocessing.get_context(
    "fork"
)  # the children inherit the imports, so that a start takes milliseconds


def config(folder):
    """A run with everything that can be lost: dropout, batch statistics, momentum, an average, random
    augmentation.
    """
    return resolve(
        ClassifyConfig,
        {
            "model": {"name": "convnet_digits"},
            "data": {"name": "mnist5k", "limit": 400, "batch_size": 20},
            "augment": {"policy": "shift"},
            "optimizer": {"name": "adamw", "lr": 3e-3},
            "trainer": {
                "epochs": 12,
                "ema_decay": 0.9,
                "clip_norm": 1.0,
                "label_smoothing": 0.1,
                "accumulate": 2,
            },
            "output": {"folder": str(folder), "tensorboard": False},
        },
    )


def child(folder):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    classify_run.train(build(config(folder)), resume=True)


def start(folder):
    process = FORK.Process(target=child, args=(folder,))
    process.start()
    return process


def test_twenty_kills_change_nothing(tmp_path):
    clock = time.monotonic()
    whole = start(tmp_path / "whole")
    whole.join()
    took = time.monotonic() - clock
    assert whole.exitcode == 0

    moments, killed = random.Random(0), 0
    process = start(tmp_path / "killed")
    while killed < KILLS:
        process.join(moments.uniform(0.1, 0.4) * took)
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            killed += 1
        else:
            assert process.exitcode == 0
            compare(tmp_path)
            for path in (tmp_path / "killed/checkpoints").iterdir():
                path.unlink()
        process = start(tmp_path / "killed")
    process.join()
    assert process.exitcode == 0
    compare(tmp_path)


def compare(folder):
    for name in ("step-00000120.ckpt", "best.ckpt"):
        same(*(checkpoint.load(folder / run / "checkpoints" / name) for run in ("whole", "killed")))
    assert (folder / "killed/metrics.jsonl").read_text() == (folder / "whole/metrics.jsonl").read_text()


def same(expected, got):
    """Weights, averages, moments of the optimizer, log, random state and figures, bit for bit."""
    assert got["history"] == expected["history"] and got["trainer"]["step"] == expected["trainer"]["step"]
    tensors, theirs = flat(expected["trainer"]), flat(got["trainer"])
    assert tensors.keys() == theirs.keys() and len(tensors) > 40
    different = [name for name, value in tensors.items() if not torch.equal(value, theirs[name])]
    assert not different, different


def flat(state, prefix=""):
    """Every number and tensor of a nested state, by its path."""
    items = (
        state.items()
        if isinstance(state, dict)
        else enumerate(state)
        if isinstance(state, (list, tuple))
        else None
    )
    if items is None:
        return {prefix: torch.as_tensor(state)} if isinstance(state, (int, float, torch.Tensor)) else {}
    return {path: value for key, part in items for path, value in flat(part, f"{prefix}.{key}").items()}
