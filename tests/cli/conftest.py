"""The command, called as somebody types it."""

import sys

import pytest

from dlbook.cli import main


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
