"""The recorded run times of the chapters (chapters/run_times.json), and how long a build takes by them."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from toc import RUN_TIMES

UNKNOWN = 60.0  # processor seconds of a chapter, where no chapter has a record


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
