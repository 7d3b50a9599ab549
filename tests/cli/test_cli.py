"""The command `dlbook`: what it prints, its exit codes, and that no bad argument shows a traceback."""

import json
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from dlbook import zoo
from dlbook.cli import main
from dlbook.cli.zoo import parse_size

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(monkeypatch, capsys):
    """Call the command with words; returns exit code, output, errors."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dlbook", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return ended.value.code, captured.out.strip(), captured.err

    return call


def test_the_entry_point_exists():
    target = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["scripts"]["dlbook"]
    module, _, name = target.partition(":")
    assert getattr(import_module(module), name) is main


def test_python_m_dlbook_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "dlbook", "summary", "lenet"],
        capture_output=True,
        text=True,
        encoding="utf8",
        cwd=ROOT,
    )
    assert (
        done.returncode == 2
        and "did you mean lenet5" in done.stderr
        and "Traceback" not in done.stderr
        and done.stdout == ""
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("models",),
        ("models", "--json"),
        ("models", "--family", "resent"),
        ("summary", "resnt50"),
        ("trian",),
    ],
)
def test_what_needs_no_torch_is_told_at_once(words):
    code = f"""
import resource, sys
from dlbook.cli import main
sys.argv = ["dlbook", *{words!r}]
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"torch: {{'torch' in sys.modules}}; {{used.ru_utime + used.ru_stime:.2f}}", file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf8")
    told, seconds = done.stderr.splitlines()[-1].split("; ")
    assert told == "torch: False" and float(seconds) < 1  # importing torch alone takes 1.8 or more


def test_help_names_every_command(run):
    code, out, _ = run("--help")
    assert code == 0 and "models" in out and "summary" in out


def test_models_prints_the_table_of_the_notebooks(run):
    assert run("models", "--family", "lenet") == (0, repr(zoo.models("lenet")), "")
    assert run("models") == (0, repr(zoo.models()), "")


def test_models_as_json(run):
    listed = json.loads(run("models", "--family", "nin", "--json")[1])
    assert [(row["name"], row["parameters"], row["input"]) for row in listed] == [
        ("nin_cifar", 966_986, [3, 32, 32])
    ]
    assert listed[0]["year"] == 2013 and listed[0]["citation"] == zoo.PAPERS["nin"].key


def test_summary_prints_the_table_of_the_notebooks(run):
    assert run("summary", "resnet18", "--size", "3x64x96", "--depth", "1")[:2] == (
        0,
        repr(zoo.summary("resnet18", (3, 64, 96), 1)),
    )


def test_summary_as_json(run):
    assert json.loads(run("summary", "lenet5", "--json")[1]) == json.loads(json.dumps(zoo.describe("lenet5")))


@pytest.mark.parametrize(
    "words, told",
    [
        (("summary", "resnt50"), "did you mean resnet50"),
        (("models", "--family", "resent"), "did you mean resnet"),
        (("summary", "resnet18", "--size", "3x7"), "--size must be"),
        (("summary", "lenet5", "--size", "28"), "32 x 32"),
        (("summary", "resnet18", "--depth", "0"), "expected depth"),
        (("summary",), "Missing argument"),
        (("trian",), "No such command"),
    ],
)
def test_bad_arguments_end_with_code_2(run, words, told):
    code, out, err = run(*words)
    assert (code, out) == (2, "") and told in err and "Traceback" not in err


@pytest.mark.parametrize(
    "text, size", [("224", 224), ("3x224x256", (3, 224, 256)), ("1×28×28", (1, 28, 28)), (None, None)]
)
def test_sizes(text, size):
    assert parse_size(text) == size
