"""The recorded run times of the chapters (chapters/run_times.json): in words, and how long a build takes by
them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from toc import RUN_TIMES

NONE = "not recorded yet"
UNKNOWN = 60.0  # processor seconds of a chapter, where no chapter has a record


def in_words(record: Mapping[str, Any]) -> str:
    """One chapter's record as its page says it.

    >>> machine = {"cores": 2, "processor": "AMD EPYC", "date": "2026-11-28"}
    >>> in_words({"processor_seconds": 44.6, "peak_mebibytes": 812, **machine})
    '45 processor seconds and 812 MiB of memory, recorded on 2026-11-28 on a machine with 2 cores (AMD EPYC)'
    """
    seconds = max(1, round(record["processor_seconds"]))
    cores = f"{record['cores']} core{'s' * (record['cores'] != 1)}"
    return (
        f"{seconds} processor second{'s' * (seconds != 1)} and {record['peak_mebibytes']} MiB of memory, "
        f"recorded on {record['date']} on a machine with {cores} ({record['processor']})"
    )


def run_time(file: Path, page: str) -> str:
    """The words for a page, by its name without ending."""
    if not file.is_file():
        return NONE
    record = json.loads(file.read_text("utf8"))["chapters"].get(page)
    return in_words(record) if record else NONE


def recorded_seconds(file: Path = RUN_TIMES) -> dict[str, float]:
    """Processor seconds of each chapter that has a record, by its path; none where there is no file."""
    if not file.is_file():
        return {}
    chapters = json.loads(file.read_text("utf8"))["chapters"]
    return {f"{page}.md": run["processor_seconds"] for page, run in chapters.items()}


def seconds_left(
    recorded: Mapping[str, float],
    waiting: list[str],
    running: Mapping[str, float],
    done: Mapping[str, float],
    workers: int,
) -> float:
    """Seconds until the last chapter ends, by the recorded times and by how fast this machine was so far.

    Args:
        recorded: chapter -> processor seconds of the recorded run.
        waiting: chapters that have not begun.
        running: chapter -> seconds since it began.
        done: chapter -> seconds that it took here.
        workers: chapters that run at once.
    """
    usual = median(recorded.values()) if recorded else UNKNOWN
    expected = {name: recorded.get(name, usual) for name in (*waiting, *running, *done)}
    pace = sum(done.values()) / sum(expected[name] for name in done) if done else 1.0
    left = [max(0.0, pace * expected[name] - seconds) for name, seconds in running.items()]
    left += [pace * expected[name] for name in waiting]
    return max(sum(left) / workers, *left) if left else 0.0
