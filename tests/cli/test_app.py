"""The command `dlbook` as a whole: its entry points, its help, and that no bad argument shows a traceback."""

import errno
import subprocess
import sys
import tomllib
import warnings
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import pytest

from dlbook.cli import main
from dlbook.cli.app import COMMANDS, _as_a_line, _at_home

ROOT = Path(__file__).resolve().parents[2]


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
        ("configs",),
        ("models", "resnet*", "--sort", "macs"),
        ("--version",),
        ("models", "--json"),
        ("models", "--family", "resent"),
        ("summary", "resnt50"),
        ("trian",),
        ("train", "digits", "optimizer.lr=fast", "lr=1", "data.limit=None"),
        ("train", "digits", "model.name=resnet20"),
        ("train", "digits", "model.freeze=true", "augment.magnitude=3"),
        ("lr-find", "digits", "--plot", "curve.doc"),
        ("search", "digits", "epochs=3"),
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
    names = [command.__name__.replace("_", "-") for command in COMMANDS]
    assert code == 0 and len(names) == 9 and all(f"\n  {name} " in out for name in names)


FULL = OSError(errno.ENOSPC, "No space left on device", "a.ckpt")
CODES = [
    (2, ValueError("this does not fit")),
    (2, ModuleNotFoundError("no wandb")),
    (2, FileNotFoundError(errno.ENOENT, "No such file", "a.yaml")),
    (2, PermissionError(errno.EACCES, "Permission denied", "a.yaml")),
    (2, FileExistsError(errno.EEXIST, "File exists", "a.yaml")),
    (2, IsADirectoryError(errno.EISDIR, "Is a directory", "a.yaml")),
    (2, NotADirectoryError(errno.ENOTDIR, "Not a directory", "a.yaml")),
    (1, FULL),
    (1, OSError(errno.EIO, "Input/output error", "a.ckpt")),
    (1, FloatingPointError("the loss is no number")),
]


@pytest.mark.parametrize(("code", "error"), CODES)
def test_what_was_asked_for_ends_with_code_2_and_what_went_wrong_later_with_1(run, monkeypatch, code, error):
    def fails(*arguments):
        raise error

    monkeypatch.setattr("dlbook.zoo.require_name", fails)
    assert run("summary", "lenet5") == (code, "", f"dlbook: {error}\n")


def test_a_notice_is_a_line_and_another_warning_is_as_ever(run, monkeypatch):
    def warns(*arguments):
        from dlbook.train.run import warn

        warn("best.ckpt is missing")
        raise ValueError("this does not fit")

    monkeypatch.setattr("dlbook.zoo.require_name", warns)
    before = warnings.showwarning
    assert run("summary", "lenet5")[2] == "dlbook: best.ckpt is missing\ndlbook: this does not fit\n"
    assert warnings.showwarning is before
    others = []
    _as_a_line(lambda *told: others.append(told))("another library's", UserWarning, "a.py", 3)
    assert others == [("another library's", UserWarning, "a.py", 3)]


@pytest.mark.parametrize(
    ("word", "same"),
    [
        ("~/a", "{}/a"),
        ("output.folder=~/a b", "output.folder={}/a b"),
        ("--run=~/a", "--run={}/a"),
        ("~", "{}"),
    ],
)
def test_home_is_found_in_every_word(monkeypatch, word, same):
    """Shells replace ~ at the beginning of a word alone, and not in quotes."""
    monkeypatch.setenv("HOME", "/home/ada")
    assert _at_home(word) == same.format("/home/ada")
    for other in ("a~", "key=a/~/b", "x=~b", "digits"):
        assert _at_home(other) == other


def test_a_fault_of_the_package_itself_is_not_hidden(run, monkeypatch):
    monkeypatch.setattr("dlbook.zoo.require_name", lambda name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("summary", "lenet5")


def test_version_names_the_package_and_what_it_runs_on(run):
    code, out, _ = run("--version")
    assert (
        code == 0
        and out == f"dlbook {version('dlbook')}, torch {version('torch')}, Python {python_version()}"
    )


def test_h_is_help_everywhere(run):
    assert run("-h") == run("--help") and run("train", "-h") == run("train", "--help")
    assert run("train", "-h")[0] == 0


def test_type_checkers_may_read_the_package():
    assert (ROOT / "dlbook" / "py.typed").is_file()
