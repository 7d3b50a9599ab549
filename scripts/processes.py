"""Processes that end when the one that started them does: Ctrl-C leaves no kernel behind."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil


def start(command: list[str], log: Path, **options) -> subprocess.Popen:
    """Start a command in a group of its own, so that Ctrl-C reaches us alone; its words go to `log`."""
    with open(log, "wb") as stream:
        return subprocess.Popen(
            command, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True, **options
        )


def end(process: subprocess.Popen) -> None:
    """End a process and all that it started."""
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        for child in [psutil.Process(process.pid), *family]:
            with suppress(psutil.NoSuchProcess):
                child.kill()
    process.wait()


def interrupt_on_sigterm() -> None:
    """Let SIGTERM do what Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def processors() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
