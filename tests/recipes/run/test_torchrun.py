"""`torchrun -m dlbook train`: many processes, two "machines", a process that is killed and a run that ends
with the same bits.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from dlbook.cli.train import train as cli_train
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig, resolve
from dlbook.recipes.run.evaluate import evaluate_run
from dlbook.recipes.run.train import train
from dlbook.train import checkpoint
from dlbook.train.parallel import distributed
from tests.many_processes import together
from tests.train.small_method import differing

pytestmark = pytest.mark.forks

PATIENCE = 90  # s
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
KEYS = [
    "model.name=convnet_digits",
    "data.name=mnist5k",
    "data.limit=400",
    "data.batch_size=40",
    "augment.policy=shift",
    "optimizer.name=adamw",
    "optimizer.lr=3e-3",
    "trainer.epochs=8",
    "method.ema_decay=0.9",
    "trainer.clip_norm=1.0",
    "trainer.accumulate=2",
    "trainer.device=cpu",
    "output.tensorboard=false",
]


def command(folder, *more, processes=2, options=()):
    (folder.parent / "run.yaml").write_text("seed: 3\n")
    start = [
        *TORCHRUN,
        *(options or ["--standalone"]),
        "--nproc-per-node",
        str(processes),
        "-m",
        "dlbook",
        "train",
    ]
    return [*start, str(folder.parent / "run.yaml"), *KEYS, f"output.folder={folder}", *more]


def launch(arguments, **more):
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    }
    return subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=clean | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        **more,
    )


def finish(process):
    """What it printed; it has to end well and in time."""
    try:
        printed, _ = process.communicate(timeout=PATIENCE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, printed[-3000:]
    return printed


def last(folder):
    return checkpoint.load(max((folder / "checkpoints").glob("step-*.ckpt")))


def assert_same_end(expected, got):
    assert expected["history"] == got["history"] and expected["trainer"]["step"] == got["trainer"]["step"]
    weights = expected["trainer"]["method"]
    assert [name for name in weights if not torch.equal(weights[name], got["trainer"]["method"][name])] == []
    assert all(
        torch.equal(a["cpu"], b["cpu"]) for a, b in zip(expected["random"], got["random"], strict=True)
    )


def children(pid):
    """The processes that torchrun started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(status.parent.name))
    return sorted(found)


def trained(rank, folder, *more):
    """The run of `command` in processes that are started by the test."""
    world = distributed.world_size()
    config = resolve(RunConfig, {"seed": 3}, [*KEYS, f"output.folder={folder}", *more])
    return train(build(config, rank, world))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of two processes that nobody kills."""
    folder = tmp_path_factory.mktemp("torchrun") / "whole"
    best = together(2, trained, folder)
    assert best[0] == best[1] and best[0]["accuracy"] > 60
    return folder


def test_a_killed_process_is_started_anew_and_ends_with_the_same_bits(whole, tmp_path):
    process = launch(
        command(tmp_path / "killed", "--resume", options=["--standalone", "--max-restarts", "2"])
    )
    end = time.monotonic() + PATIENCE
    while (
        not list((tmp_path / "killed/checkpoints").glob("step-*.ckpt"))
        and time.monotonic() < end
        and process.poll() is None
    ):
        time.sleep(0.02)
    workers = children(process.pid)
    os.kill(workers[-1], signal.SIGKILL)
    printed = finish(process)
    assert len(workers) == 2 and printed.count("best at step") == 1
    assert_same_end(last(whole), last(tmp_path / "killed"))
    assert (tmp_path / "killed/metrics.jsonl").read_text() == (whole / "metrics.jsonl").read_text()


def test_two_machines_are_two_processes(whole, tmp_path):
    """Two torchruns meet on this machine, each with one process of the run; rank 0 alone speaks."""
    options = [
        "--nnodes",
        "2",
        "--rdzv-id",
        "job7",
        "--rdzv-backend",
        "c10d",
        "--rdzv-endpoint",
        f"localhost:{free_port()}",
        "--local-addr",
        "localhost",
    ]
    nodes = [launch(command(tmp_path / "nodes", processes=1, options=options)) for _ in range(2)]
    printed = [finish(node) for node in nodes]
    assert sorted(text.count("best at step") for text in printed) == [0, 1]
    assert sorted(len(re.findall(r"^epoch ", text, re.MULTILINE)) for text in printed) == [0, 8]
    assert_same_end(last(whole), last(tmp_path / "nodes"))


def evaluated(rank, folder):
    return evaluate_run(folder)


def test_evaluation_by_three_processes_is_that_of_one(whole):
    alone = evaluated(0, whole)
    assert together(3, evaluated, whole) == [pytest.approx(alone, abs=1e-4)] * 3


def test_a_sharded_run_leaves_the_files_of_one_with_copies(whole, tmp_path):
    """As many steps and evaluations, and a plain best.ckpt of the same tensors. Their values are compared
    below, where rounding cannot grow: over a whole run in float32 it does.
    """
    best = together(2, trained, tmp_path / "fsdp", "trainer.strategy=fsdp")
    assert best[0] == best[1] and best[0]["accuracy"] > 60
    steps = [
        [json.loads(row)["step"] for row in (folder / "metrics.jsonl").read_text().splitlines()]
        for folder in (tmp_path / "fsdp", whole)
    ]
    assert steps[0] == steps[1] and len(steps[0]) == 8
    found, expected = (
        checkpoint.load(folder / "checkpoints/best.ckpt")["trainer"]["method"]
        for folder in (tmp_path / "fsdp", whole)
    )
    assert found.keys() == expected.keys()
    assert all(found[name].shape == value.shape for name, value in expected.items())


def first_steps(rank, strategy, fault=""):
    """Weights, averages and losses after four steps in float64 with a plain optimizer.

    A gradient's rounding, some 1e-16 of it, then moves a weight by that share of a step. AdamW would divide
    it by the gradient itself, and float32 would have 1e-7: neither can be compared after many steps.
    """
    torch.set_default_dtype(torch.float64)  # of this process, which ends with the function
    keys = ["optimizer.name=sgd", "optimizer.lr=0.1", f"trainer.strategy={strategy}", "trainer.epochs=4"]
    setup = build(resolve(RunConfig, {"seed": 3}, [*KEYS, *keys]), rank, distributed.world_size())
    for part in setup.method.model.modules():
        if fault == "sum instead of mean" and hasattr(part, "set_gradient_divide_factor"):
            part.set_gradient_divide_factor(1.0)
    draw = setup.trainer.batches
    setup.trainer.batches = lambda number: {
        name: value.double() if value.is_floating_point() else value for name, value in draw(number).items()
    }
    setup.trainer.fit(4)
    distributed.broadcast_buffers(setup.method)  # rank 0's are the ones that a run keeps
    state = setup.method.state_dict() | {"losses": setup.trainer.log["loss"].clone()}
    return {
        name: value.full_tensor() if hasattr(value, "full_tensor") else value for name, value in state.items()
    }


def check_first_steps(fault=""):
    copies, shards = together(2, first_steps, "ddp"), together(2, first_steps, "fsdp", fault)
    for expected, found in zip(copies, shards, strict=True):
        assert differing(expected, found, 1e-12) == []


def test_shards_take_the_steps_of_copies():
    check_first_steps()


@pytest.mark.parametrize("fault", ["sum instead of mean"])
def test_seeded_fault_in_sharding_is_caught(fault):
    with pytest.raises(AssertionError):
        check_first_steps(fault)


def free_port():
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["data.batch_size=41"], "data.batch_size: expected a multiple of 2 processes, got 41"),
        (
            ["trainer.sync_batch_norm=true"],
            "expected a network on a GPU, .* got one on the CPU; set it to false",
        ),
        ([], "expected a process group, got none; call setup"),
        (["trainer.strategy=fsdp"], "expected a process group, got none"),
    ],
)
def test_what_does_not_fit_many_processes(more, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        build(resolve(RunConfig, {}, [*KEYS, *more]), 0, 2)


def test_restarts_without_resume_are_refused_before_anything_begins(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "1")
    with pytest.raises(ValueError, match="expected --resume with torchrun --max-restarts"):
        cli_train("digits", [f"output.folder={tmp_path / 'run'}"])
    assert not (tmp_path / "run").exists()
