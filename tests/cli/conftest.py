"""The command, called as somebody types it; a small run; command lines that are refused."""

import os
import subprocess
import sys

import pytest

from dlbook.cli import main
from tests.cli.settings import SMALL


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
        return ended.value.code, captured.out.strip(), captured.err

    return call


@pytest.fixture
def refused(run, tmp_path):
    """Check that a command line ends with one sentence and its code; `content` is written to a.yaml first."""

    def check(words: tuple, told: str, *content: str | bytes, code: int = 2) -> None:
        for text in content:
            (tmp_path / "a.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        ended, _, err = run(*words)
        assert ended == code and told in err, err
        assert (
            "Traceback" not in err
            and len(err.splitlines()) <= 4
            and ("Usage" in err or err.startswith("dlbook: "))
        )

    return check


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The folder of a small run, begun by the command."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    words = [sys.executable, "-m", "dlbook", "train", "digits", *SMALL, f"output.folder={folder}"]
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    return folder, done.stdout.splitlines()
