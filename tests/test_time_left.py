"""Tests in a browser end when their time is over, and are counted; no page is always the one left out."""

import subprocess
import sys
import time

import pytest

from tests.time_left import ORDER, UNTIL

TESTS = """
import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["a", "b", "c", "d", "e"])
@pytest.mark.parametrize("width", [1, 2])
def test_page(path, width):
    print("SEEN", path)


def test_alone():
    print("SEEN alone")
"""
UNMARKED = """
def test_without_a_browser():
    print("SEEN unmarked")
"""
HOOKS = """
from tests.time_left import mix, require_time


def pytest_configure(config):
    config.addinivalue_line("markers", "browser: drives a browser")


def pytest_collection_modifyitems(items):
    mix(items)


def pytest_runtest_setup(item):
    require_time(item)
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the tests above under a limit; the pages in their order, and pytest's last line."""
    (tmp_path / "test_pages.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text(HOOKS)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # none is needed, and each takes its time

    def inner(left, day):
        for name, value in {UNTIL: None if left is None else time.time() + left, ORDER: day}.items():
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, str(value))
        command = [sys.executable, "-m", "pytest", "-s", "-q", "-p", "no:cacheprovider", str(tmp_path)]
        told = subprocess.run(command, capture_output=True, text=True)
        assert told.returncode == 0, told.stdout
        lines = told.stdout.splitlines()
        return [line.split()[-1] for line in lines if "SEEN" in line], lines[-1]

    return inner


def test_what_has_no_time_left_is_left_out_and_counted(run):
    seen, last = run(-1, "2026-11-29")
    assert seen == [] and last.startswith("11 skipped")
    seen, last = run(600, "2026-11-29")
    assert len(seen) == 11 and last.startswith("11 passed")


def test_a_test_without_a_browser_is_always_asked(run, tmp_path):
    (tmp_path / "test_unmarked.py").write_text(UNMARKED)
    seen, last = run(-1, "2026-11-29")
    assert seen == ["unmarked"] and last.startswith("1 passed, 11 skipped")


def test_without_a_limit_the_order_is_as_written(run):
    assert run(None, None)[0] == [*"abcde", *"abcde", "alone"]


def test_each_day_begins_with_others_and_a_pages_tests_stay_together(run):
    orders = [run(600, f"2026-11-{day}")[0] for day in (10, 11, 12, 13)]
    assert len({order[0] for order in orders}) > 1
    for order in orders:
        assert sorted(order) == sorted([*"abcde", *"abcde", "alone"])
        pages = [page for page in order if page != "alone"]
        assert pages[::2] == pages[1::2]
