"""kill -9 at random moments of a run: what is resumed ends with the bits of the run that nobody killed."""

import multiprocessing
import os
import random
import signal
import time
import warnings

import pytest
import torch

from dlbook.recipes.bundled_configs import find
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig, resolve
from dlbook.recipes.run.train import train
from dlbook.train import checkpoint
from dlbook.train.configuration import load
from tests.recipes.run.small_run import assert_same

pytestmark = pytest.mark.forks
FORK = multiprocessing.get_context("fork")  # the children inherit the imports and start in milliseconds


def digits(folder):
    """A run with everything that can be lost: dropout, batch statistics, momentum, an average, random
    augmentation.
    """
    return resolve(
        RunConfig,
        {
            "model": {"name": "convnet_digits"},
            "data": {"name": "mnist5k", "limit": 400, "batch_size": 20},
            "method": {"name": "cross_entropy", "ema_decay": 0.9, "label_smoothing": 0.1},
            "augment": {"policy": "shift"},
            "optimizer": {"name": "adamw", "lr": 3e-3},
            "trainer": {"epochs": 12, "clip_norm": 1.0, "accumulate": 2},
            "output": {"folder": str(folder), "tensorboard": False},
        },
    )


def semi_supervised(method):
    """The bundled configuration of FixMatch, shorter, for any method of its kind."""

    def config(folder):
        small = ["data.limit=160", "data.batch_size=30", "data.unlabelled_batch_size=16", "trainer.epochs=8"]
        other = [f"output.folder={folder}", "output.tensorboard=false"]
        loaded = load(RunConfig, find("fixmatch_digits"), [*small, *other])
        content = loaded.model_dump(mode="json") | {"method": {"name": method, "ema_decay": 0.9}}
        return resolve(RunConfig, content)

    return config


def child(config, folder):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    train(build(config(folder)), resume=True)


def start(config, folder):
    process = FORK.Process(target=child, args=(config, folder))
    process.start()
    return process


@pytest.mark.parametrize(
    ("config", "kills", "last"),
    [(digits, 20, 120), (semi_supervised("fixmatch"), 5, 80), (semi_supervised("flexmatch"), 3, 80)],
    ids=["digits", "fixmatch", "flexmatch"],
)
def test_kills_change_nothing(tmp_path, config, kills, last):
    clock = time.monotonic()
    whole = start(config, tmp_path / "whole")
    whole.join()
    took = time.monotonic() - clock
    assert whole.exitcode == 0

    moments, killed = random.Random(0), 0
    process = start(config, tmp_path / "killed")
    while killed < kills:
        process.join(moments.uniform(0.1, 0.4) * took)
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            killed += 1
        else:
            assert process.exitcode == 0
            compare(tmp_path, last)
            for path in (tmp_path / "killed/checkpoints").iterdir():
                path.unlink()
        process = start(config, tmp_path / "killed")
    process.join()
    assert process.exitcode == 0
    compare(tmp_path, last)


def compare(folder, last):
    for name in (f"step-{last:08d}.ckpt", "best.ckpt"):
        assert_same(*(checkpoint.load(folder / run / "checkpoints" / name) for run in ("whole", "killed")))
    assert (folder / "killed/metrics.jsonl").read_text() == (folder / "whole/metrics.jsonl").read_text()
