"""`torchrun -m dlbook train`: many processes, two "machines", a process that is killed and a run that ends with the same bits."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from dlbook.train import checkpoint

PATIENCE = 90  # s
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
KEYS = [
    "model.name=convnet_digits", "data.name=mnist5k", "data.limit=400", "data.batch_size=40", "augment.policy=shift", "optimizer.name=adamw",
    "optimizer.lr=3e-3", "trainer.epochs=4", "trainer.ema_decay=0.9", "trainer.clip_norm=1.0", "trainer.accumulate=2", "trainer.device=cpu",
    "output.tensorboard=false",
]  # fmt: skip


def command(folder, *more, processes=2, options=()):
    (folder.parent / "run.yaml").write_text("seed: 3\n")
    start = [*TORCHRUN, *(options or ["--standalone"]), "--nproc-per-node", str(processes), "-m", "dlbook", "train"]
    return [*start, str(folder.parent / "run.yaml"), *KEYS, f"output.folder={folder}", *more]


def launch(arguments, **more):
    clean = {name: value for name, value in os.environ.items() if name not in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")}
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        env=clean | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}, **more,
    )  # fmt: skip


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
    assert all(torch.equal(a["cpu"], b["cpu"]) for a, b in zip(expected["random"], got["random"], strict=True))


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


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of two processes that nobody kills, and what it printed."""
    folder = tmp_path_factory.mktemp("torchrun") / "whole"
    return folder, finish(launch(command(folder)))


def test_one_of_two_speaks_and_both_learn(whole):
    folder, printed = whole
    assert len(re.findall(r"^step ", printed, re.MULTILINE)) == 4 and printed.count("best at step") == 1
    assert len(last(folder)["random"]) == 2 and last(folder)["trainer"]["step"] == 20
    assert float(re.search(r"accuracy ([\d.]+)", printed.split("best at step")[1])[1]) > 60


def test_a_killed_process_is_started_anew_and_ends_with_the_same_bits(whole, tmp_path):
    expected, _ = whole
    process = launch(command(tmp_path / "killed", "--resume", options=["--standalone", "--max-restarts", "2"]))
    end = time.monotonic() + PATIENCE
    while not list((tmp_path / "killed/checkpoints").glob("step-*.ckpt")) and time.monotonic() < end and process.poll() is None:
        time.sleep(0.02)
    workers = children(process.pid)
    os.kill(workers[-1], signal.SIGKILL)
    finish(process)
    assert len(workers) == 2
    assert_same_end(last(expected), last(tmp_path / "killed"))
    assert (tmp_path / "killed/metrics.jsonl").read_text() == (expected / "metrics.jsonl").read_text()


def test_two_machines_are_two_processes(whole, tmp_path):
    """Two torchruns meet on this machine, each with one process of the run."""
    options = ["--nnodes", "2", "--rdzv-id", "job7", "--rdzv-backend", "c10d", "--rdzv-endpoint", f"localhost:{free_port()}", "--local-addr", "localhost"]
    nodes = [launch(command(tmp_path / "nodes", processes=1, options=options)) for _ in range(2)]
    printed = [finish(node) for node in nodes]
    assert sum("best at step" in text for text in printed) == 1
    assert_same_end(last(whole[0]), last(tmp_path / "nodes"))


def test_evaluation_by_three_processes_is_that_of_one(whole):
    arguments = ["-m", "dlbook", "evaluate", str(whole[0]), "--json"]
    alone = finish(launch([sys.executable, *arguments]))
    three = finish(launch([*TORCHRUN, "--standalone", "--nproc-per-node", "3", *arguments]))
    figures = [eval(re.search(r"^\{.*\}$", text, re.MULTILINE)[0]) for text in (alone, three)]  # noqa: S307
    assert figures[1] == pytest.approx(figures[0], abs=1e-4) and three.count("accuracy") == alone.count("accuracy")


def test_sharded_run_ends_where_the_copies_end(whole, tmp_path):
    finish(launch(command(tmp_path / "fsdp", "trainer.strategy=fsdp")))
    best, expected = (checkpoint.load(folder / "checkpoints/best.ckpt") for folder in (tmp_path / "fsdp", whole[0]))
    assert best["trainer"]["step"] == expected["trainer"]["step"]
    for name, value in expected["trainer"]["method"].items():
        assert torch.allclose(value.float(), best["trainer"]["method"][name].float(), atol=1e-3), name


def free_port():
    import socket

    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize(("more", "options", "message"), [
    (["data.batch_size=41"], [], "data.batch_size: expected a multiple of 2 processes, came 41"),
    (["trainer.sync_batch_norm=true"], [], "expected a GPU, torch synchronises batch normalisation on GPUs only"),
    ([], ["--standalone", "--max-restarts", "1"], "expected --resume with torchrun --max-restarts")])  # fmt: skip
def test_what_cannot_be_is_said(more, options, message, tmp_path):
    process = launch(command(tmp_path / "run", *more, options=options))
    printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0 and message in printed
    assert not (tmp_path / "run/checkpoints").exists()
