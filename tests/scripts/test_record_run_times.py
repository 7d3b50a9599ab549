"""Which chapters `python scripts/record_run_times.py` is asked to measure."""

import subprocess
import sys
from pathlib import Path

import pytest
from record_run_times import find_chapter

ROOT = Path(__file__).resolve().parents[2]
FIXMATCH = ROOT / "chapters/semi/fixmatch.md"


@pytest.mark.parametrize("name", ["fixmatch", "chapters/semi/fixmatch.md", str(FIXMATCH)])
def test_a_slug_and_a_path_name_the_same_chapter(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_chapter(name) == FIXMATCH


def test_a_path_may_start_from_the_current_folder(monkeypatch):
    monkeypatch.chdir(FIXMATCH.parent)
    assert find_chapter("fixmatch.md") == FIXMATCH


def test_a_wrong_name_gets_a_sentence():
    words = [sys.executable, str(ROOT / "scripts/record_run_times.py"), "fixmatsch"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("record_run_times.py: expected the slug or path of one page with code, got")
    assert "'fixmatsch' (no such page); give a path" in done.stderr
