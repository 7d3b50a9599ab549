"""The command `dlbook` as a whole: its entry points, its help, and that no bad argument shows a traceback."""

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from dlbook.cli import main
from dlbook.cli.app import COMMANDS

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
    names = [command.__name__.replace("_", "-") for command in COMMANDS]
    assert code == 0 and len(names) == 7 and all(f"\n  {name} " in out for name in names)


@pytest.mark.parametrize("error", [ValueError, OSError, ModuleNotFoundError, FloatingPointError])
def test_what_the_package_says_ends_with_code_2(run, monkeypatch, error):
    def fails(*arguments):
        raise error("this does not fit")

    monkeypatch.setattr("dlbook.zoo.require_name", fails)
    assert run("summary", "lenet5") == (2, "", "dlbook: this does not fit\n")


def test_a_fault_of_the_package_itself_is_not_hidden(run, monkeypatch):
    monkeypatch.setattr("dlbook.zoo.require_name", lambda name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("summary", "lenet5")
