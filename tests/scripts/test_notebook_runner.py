"""The notebook runner catches a failing cell, too much time, too much memory, and any use of the network."""

import os
import runpy
from types import SimpleNamespace

import nbformat
import pace
import pytest
import test_notebooks
from test_notebooks import environment, run_notebook


@pytest.fixture
def run(tmp_path):
    """Run code under the runner with small limits."""

    def run_code(code: str, seconds: float = 60, mebibytes: float = 1000):
        path = tmp_path / "chapter.ipynb"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "language": "python",
            "display_name": "Python 3",
        }
        nbformat.write(notebook, path)
        return run_notebook(path, environment(tmp_path / "package"), seconds, mebibytes)

    return run_code


def test_a_passing_notebook_is_measured(run):
    result = run("assert 1 + 1 == 2")
    assert result.failure == "" and result.seconds > 0 and result.mebibytes > 10


def test_a_failing_assert_is_told_with_its_error(run):
    result = run("assert 1 + 1 == 3, 'arithmetic is broken'")
    assert result.failure == "a cell failed" and "arithmetic is broken" in result.output


@pytest.mark.parametrize(("slowness", "limit"), [(1.0, "3 processor"), (2.0, "6 processor")])
def test_the_time_limit_holds_and_a_slower_machine_has_more(run, monkeypatch, slowness, limit):
    monkeypatch.setattr(test_notebooks, "slowness", lambda: slowness)
    assert f"more than {limit} seconds (3 on" in run("while True: pass", seconds=3).failure


def test_a_fast_chapter_never_measures_the_machine(run, monkeypatch):
    monkeypatch.setattr(test_notebooks, "slowness", lambda: pytest.fail("was measured"))
    assert run("1 + 1").failure == ""


@pytest.mark.parametrize(("times", "expected"), [(0.5, 1), (3, 3)])
def test_a_machine_is_never_faster_than_the_limits_assume(monkeypatch, times, expected):
    told = SimpleNamespace(stdout=f"{times * pace.REFERENCE}\n")
    monkeypatch.setattr(pace.subprocess, "run", lambda *words, **options: told)
    assert pace.slowness() == pytest.approx(expected)


def test_the_work_is_one_number_of_processor_seconds():
    assert pace.slowness() < 100


def test_the_memory_limit_holds(run):
    code = "import time; hoard = bytearray(400 * 2**20); time.sleep(3)"
    assert "MiB of memory" in run(code, mebibytes=300).failure


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.create_connection(('192.0.2.1', 80), timeout=2)",
        "import urllib.request; urllib.request.urlopen('http://example.org', timeout=2)",
    ],
)
def test_the_network_is_off(run, code):
    result = run(code)
    assert result.failure == "a cell failed" and "the network is off" in result.output


def test_waiting_costs_nothing_and_waiting_for_ever_is_told(run, monkeypatch):
    assert run("import time; time.sleep(6)", seconds=4).failure == ""
    monkeypatch.setattr(test_notebooks, "IDLE", 3)
    assert "did nothing for 3 s" in run("import time; time.sleep(100)").failure


def test_packages_beside_the_interpreter_s_are_found_and_the_checkout_is_not(monkeypatch, tmp_path):
    beside = str(tmp_path / "packages")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(test_notebooks.ROOT), beside]))
    found = environment(tmp_path / "package")["PYTHONPATH"].split(os.pathsep)
    assert beside in found and str(test_notebooks.ROOT) not in found
    assert found.index(str(tmp_path / "package")) == 0


def runner(monkeypatch, **asked):
    """What the runner is with these settings and no others."""
    for name in ("OMP_NUM_THREADS", "DLBOOK_SCALE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(test_notebooks.__file__)


@pytest.mark.parametrize(("asked", "threads"), [("", "1"), ("2", "2")])
def test_one_thread_or_as_many_as_asked(tmp_path, monkeypatch, asked, threads):
    found = runner(monkeypatch, OMP_NUM_THREADS=asked)
    assert found["environment"](tmp_path / "package")["OMP_NUM_THREADS"] == threads


@pytest.mark.parametrize(("asked", "seconds", "workers"), [({}, 75, 2), ({"OMP_NUM_THREADS": "2"}, 150, 1)])
def test_two_threads_have_twice_the_time(monkeypatch, asked, seconds, workers):
    found = runner(monkeypatch, **asked)
    assert (found["SECONDS"], found["WORKERS"]) == (seconds, workers)
