"""train and evaluate as somebody types them; and many ways to get them wrong."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from dlbook.train.interrupt import Interrupted
from tests.cli.settings import SMALL, TINY


def test_train_tells_each_evaluation_and_where_the_run_is(trained):
    folder, lines = trained
    assert lines[0] == "mnist5k: 400 training images, 400 for validation, 1,000 for testing; 10 classes"
    assert lines[1] == "convnet_digits: 29,434 parameters; on cpu" or torch.cuda.is_available()
    assert lines[2] == f"3 epochs of 8 steps; kept in {folder}"
    told = [
        re.match(r"epoch (\d) of 3  step (\d+) of 24  training loss \d.*  validation loss \d", line)
        for line in lines[3:6]
    ]
    assert [each.groups() for each in told] == [("1", "8"), ("2", "16"), ("3", "24")]
    best = max(json.loads(line)["accuracy"] for line in (folder / "metrics.jsonl").read_text().splitlines())
    assert re.match(r"best at step \d+: validation loss", lines[6]) and f"accuracy {best:.4g}" in lines[6]
    assert best > 60
    assert (
        lines[7] == f"kept in {folder}; look at the curves: tensorboard --logdir {folder}" and len(lines) == 8
    )


def test_evaluate(run, trained):
    code, out, _ = run("evaluate", trained[0])
    table = dict(line.split()[:2] for line in out.splitlines()[:-3])
    weakest, confused, written = out.splitlines()[-3:]
    assert re.fullmatch(r"weakest classes: (\w+ \d+\.\d %, ){2}\w+ \d+\.\d % recall", weakest)
    assert re.fullmatch(r"most often confused: (\w+ taken for \w+ \(\d+ of \d+\)(, )?){3}", confused)
    assert written == f"written to {trained[0]}/evaluation/test: {WRITTEN}"
    figures = json.loads(run("evaluate", trained[0], "--json")[1])
    assert (
        code == 0
        and table == {name: f"{value:.4f}" for name, value in figures.items()}
        and figures["accuracy"] > 60
    )
    validation = json.loads(run("evaluate", trained[0], "--part", "validation", "--json")[1])
    assert any(
        validation == {k: v for k, v in json.loads(line).items() if k != "step"}
        for line in (trained[0] / "metrics.jsonl").read_text().splitlines()
    )


def test_a_killed_command_is_resumed_by_the_same_words(run, trained, tmp_path):
    words = [
        sys.executable,
        "-m",
        "dlbook",
        "train",
        "digits",
        *SMALL,
        "output.folder=run",
    ]
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    while process.poll() is None and not list(tmp_path.glob("run/checkpoints/step-*.ckpt")):
        time.sleep(0.02)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert alive and list(tmp_path.glob("run/checkpoints/step-*.ckpt"))
    code, _, err = run("train", "digits", *SMALL, "output.folder=run")
    assert code == 2 and "holds a run already; go on with it by --resume" in err
    code, out, _ = run("train", "digits", *SMALL, "output.folder=run", "--resume")
    assert code == 0 and out.splitlines()[-2] == trained[1][-2]
    assert Path("run/metrics.jsonl").read_text() == (trained[0] / "metrics.jsonl").read_text()


def test_a_run_goes_on_by_its_folder_wherever_it_is_now(run, trained, tmp_path):
    shutil.copytree(trained[0], "moved/run")
    before = sorted(path.name for path in Path("moved/run/checkpoints").iterdir())
    code, _, err = run("train", "moved/run")
    assert code == 2 and err.startswith(
        "dlbook: moved/run: expected an empty folder, got one that holds a run"
    )
    code, out, _ = run("train", "moved/run", "--resume")
    assert code == 0 and out.splitlines()[-3] == "all 24 steps are done already"
    assert "kept in moved/run;" in out.splitlines()[-1]
    assert sorted(path.name for path in Path("moved/run/checkpoints").iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["moved"]


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_with_one_sentence_and_its_code(run, monkeypatch, sign, code):
    def stopped(setup, **given):
        raise Interrupted(sign, "stopped; go on by dlbook train run --resume")

    monkeypatch.setattr("dlbook.recipes.run.train.train", stopped)
    found = run("train", "digits", *TINY, "output.folder=run")
    assert found == (code, "", "dlbook: stopped; go on by dlbook train run --resume\n")


WRITTEN = "calibration.csv, classes.csv, confusion.csv, figures.json, mistakes.csv, mistakes.png"
MIXED = "data: {name: mnist5k}\n"
WHOLE = "model: {name: convnet_digits}\n" + MIXED
BROKEN = {
    "no such bundled name": (("train", "digitz"), "did you mean 'digits'"),
    "no such file": (("train", "mine.yaml"), "mine.yaml: expected a YAML file, got a path to nothing; fix"),
    "no configuration": (("train",), "Missing argument"),
    "a tabulator in YAML": (("train", "a.yaml"), "expected YAML", "model:\n\tname: x\n"),
    "a list at the top": (("train", "a.yaml"), "expected sections such as 'model:'", "- model\n- data\n"),
    "a key twice": (("train", "a.yaml"), "duplicate key", WHOLE + "seed: 1\nseed: 2\n"),
    "no model": (
        ("train", "a.yaml"),
        "model: expected a value, got none; set it in the file or by model.name=...",
        MIXED,
    ),
    "binary for YAML": (("train", "a.yaml"), "expected YAML", b"\x89PNG\r\n\x1a\n\xff\xfe\x00"),
    "an unknown section": (("train", "a.yaml"), "did you mean 'optimizer'", WHOLE + "optimiser: {lr: 0.1}\n"),
    "an unknown key": (
        ("train", "digits", "optimizer.lrr=0.1"),
        "got 'lrr'; did you mean 'lr'",
    ),
    "a word for a number": (
        ("train", "digits", "optimizer.lr=fast"),
        "optimizer.lr: expected a valid number, got 'fast'",
    ),
    "a fraction of an epoch": (
        ("train", "digits", "trainer.epochs=1.5"),
        "trainer.epochs: expected a valid integer",
    ),
    "out of range": (
        ("train", "digits", "method.label_smoothing=1"),
        "method.label_smoothing: expected 0 <= label_smoothing < 1, got 1",
    ),
    "infinite": (("train", "digits", "optimizer.lr=.inf"), "optimizer.lr: expected a finite number"),
    "an override without =": (
        ("train", "digits", "optimizer.lr"),
        "expected overrides section.key=value, got",
    ),
    "an unknown choice": (("train", "digits", "optimizer.name=adamv"), "did you mean 'adam"),
    "an unknown method": (("train", "digits", "method.name=fixmtch"), "did you mean 'fixmatch'?"),
    "a key of another method": (
        ("train", "digits", "method.threshold=0.5"),
        "got 'threshold'; fix its name, or leave it out",
    ),
    "an unknown model": (
        ("train", "digits", "model.name=resnet20_cifa"),
        "did you mean resnet20_cifar",
    ),
    "a batch larger than the data": (
        ("train", "digits", "data.limit=50", "data.batch_size=51"),
        "data.batch_size: expected at most 50, the training images",
    ),
    "no GPU": (("train", "digits", "trainer.device=cuda"), "set trainer.device=cpu or auto"),
    "a folder that is missing": (("train", "image_folder", "data.root=nowhere"), "nowhere"),
    "data that are missing": (("train", "cifar10", "data.root=nowhere"), "nowhere"),
    "one cycle of two steps": (
        ("train", "digits", *TINY, "data.limit=40"),
        "schedule.name: expected a run of 4 steps or more for one_cycle, got 2",
    ),
    "two sections at odds": (
        ("train", "digits", "schedule.warmup_epochs=99"),
        "schedule.warmup_epochs: expected less than trainer.epochs=15, got 99",
    ),
    "an unknown option": (("train", "digits", "--resum"), "No such option"),
    "a rate that explodes": (
        ("train", "digits", *TINY, "optimizer.name=sgd", "optimizer.lr=1e38", "trainer.epochs=2"),
        "lower the rate",
    ),
    "nothing to evaluate": (("evaluate", "runs/none"), "train it first: dlbook train CONFIG"),
    "a seed beyond 64 bits": (("train", "digits", "seed=99999999999999999999"), "seed: expected less than"),
    "a file for a bundled name": (("train", "digits.yaml"), "the bundled configuration is called digits"),
    "a folder for a file": (("train", "."), "expected a YAML file, got a folder"),
    "a file for a folder": (
        ("train", "digits", *TINY, "output.folder=a.yaml/run"),
        "output.folder: expected a folder that can be made and written to, got a.yaml/run (a.yaml is a file)",
        "hello",
    ),
    "gpu for cuda": (("train", "digits", "trainer.device=gpu"), "set trainer.device=cuda for an NVIDIA GPU"),
    "a setting that nothing uses": (
        ("train", "digits", "data.image_size=64", "data.root=pets", "model.freeze=true"),
        "data.image_size: expected to be left out, got 64",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_command_lines_get_a_sentence(refused, fault):
    if fault == "no GPU" and torch.cuda.is_available():
        pytest.skip("there is one")
    refused(*BROKEN[fault], code=1 if fault == "a rate that explodes" else 2)


@pytest.mark.parametrize(
    "words",
    [("evaluate", "my runs/a'b"), ("predict", "x.png", "--run", "my runs/a'b")],
    ids=["evaluate", "predict"],
)
def test_commands_to_paste_are_quoted(run, words):
    Path("x.png").touch()
    code, _, err = run(*words)
    told = shlex.split(err[err.index("dlbook train") :])
    assert code == 2 and told == ["dlbook", "train", "CONFIG", "output.folder=my runs/a'b"]


def test_restarts_without_resume_are_refused(run, monkeypatch):
    monkeypatch.setattr("dlbook.train.parallel.distributed.restarts_allowed", lambda: True)
    code, _, err = run("train", "digits")
    assert code == 2 and "expected --resume with torchrun --max-restarts, got none; add it" in err
    assert not list(Path().iterdir())  # refused before anything is written


def test_damaged_runs_get_a_sentence(run, trained, tmp_path):
    shutil.copytree(trained[0], "run")
    Path("run/config.yaml").write_text("model: {name: convnet_digits}\n")
    assert run("evaluate", "run")[::2] == (
        2,
        "dlbook: run/config.yaml: data: expected a value, got none; set it in the file or by data.name=...\n",
    )
    shutil.copy(trained[0] / "config.yaml", "run/config.yaml")
    best = Path("run/checkpoints/best.ckpt")
    best.write_bytes(best.read_bytes()[:5000])
    code, _, err = run("evaluate", "run")
    assert code == 2 and "best.ckpt" in err and len(err.splitlines()) == 1
    assert run("evaluate", trained[0], "--part", "tset")[::2] == (
        2,
        "dlbook: expected one of test, validation, train, got 'tset'; the run has no other part\n",
    )
    code, _, err = run(
        "train",
        "digits",
        *SMALL,
        "optimizer.lr=1e-2",
        f"output.folder={trained[0]}",
        "--resume",
    )
    assert code == 2 and "optimizer.lr was 0.003, now 0.01; resume with that, or choose another folder" in err
