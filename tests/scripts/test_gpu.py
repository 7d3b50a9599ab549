"""`make gpu`: the most valuable first, each result kept as it is made, nothing lost by a cut."""

import json
import os
import subprocess
import sys
import time

import gpu
import gpu_jobs
import psutil
import pytest
from gpu import plan, run_job, write_result
from gpu_jobs import JOBS, REHEARSAL, Job

from dlbook.book import recorded_runs

COMMIT = "0123456789abcdef"


def job(name="a", code="print('hello')", seconds=1.0, file=""):
    """A job that runs a line of Python."""
    return Job(name, seconds, ("-c", code), {}, file)


def test_what_is_more_valuable_goes_first_and_what_fits_goes_in():
    jobs = tuple(job(name, seconds=s) for name, s in (("a", 50), ("b", 40), ("c", 30), ("d", 10)))
    planned = plan(jobs, 100)
    assert [j.name for j in planned.chosen] == ["a", "b", "d"] and [j.name for j in planned.left] == ["c"]
    assert plan(jobs, 49).chosen[0].name == "b"
    assert plan(jobs, 130).left == ()


def runs(pid):
    """Whether a process is there and not dead."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_job_that_takes_too_long_is_stopped_with_all_that_it_started(tmp_path):
    code = (
        "import subprocess, sys, time; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)']); "
        "print(child.pid, flush=True); time.sleep(600)"
    )
    result = run_job(job(code=code), 5, tmp_path)
    (child,) = result["last_lines"]
    assert result["ended"] == "stopped after 5 s"
    for _ in range(600):  # what is killed needs a moment to be gone
        if not runs(int(child)):
            break
        time.sleep(0.05)
    assert not runs(int(child))


def test_a_failing_job_says_its_exit_code_and_its_last_lines(tmp_path):
    result = run_job(job(code="print('so far'); raise SystemExit(3)"), 30, tmp_path)
    assert result["ended"] == "failed with exit code 3" and result["last_lines"] == ["so far"]


def test_a_result_is_a_recorded_run_with_what_the_job_wrote(tmp_path):
    wrote = job(code="open('OUT/table.json', 'w').write('{\"ratio\": 0.9}')", file="table.json")
    path = write_result(wrote, run_job(wrote, 30, tmp_path), tmp_path, COMMIT)
    run = json.loads(path.read_text("utf8"))
    assert recorded_runs.faults(run) == [] and run["results"]["ratio"] == 0.9
    assert run["results"]["ended"] == "passed" and run["commit"] == COMMIT


def test_the_results_before_a_cut_are_there(tmp_path):
    code = "import gpu, tests.scripts.test_gpu as t; gpu.JOBS = t.CUT; gpu.main(t.WORDS)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment())
    assert done.returncode == -9
    assert (tmp_path / "gpu-first.json").is_file() and not (tmp_path / "gpu-second.json").exists()


CUT = (job("first"), job("second", "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"))
WORDS = ["--minutes", "1", "--commit", COMMIT, "--out", "."]


def environment():
    """Where the scripts and the tests are found."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(gpu.ROOT), str(gpu.ROOT / "scripts")])}


def test_what_has_no_time_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "JOBS", (job("small"), job("large", seconds=1e6)))
    assert gpu.main(["--minutes", "1", "--commit", COMMIT, "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "planned: small (1 s)" in told and "left for another time: large" in told


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr(gpu, "NEEDED", {"no_such_module": "no-such-package"})
    with pytest.raises(SystemExit, match="no-such-package.*WHEELS=FOLDER.*--fetch"):
        gpu.install(None)


def test_the_machine_s_own_torch_is_not_replaced(tmp_path):
    for name in ("torch-2.14.1-cp312-none-linux.whl", "nbval-0.11.0-py3-none-any.whl", "notes.txt"):
        (tmp_path / name).touch()
    assert [f.rpartition("/")[2] for f in gpu.files(tmp_path)] == ["nbval-0.11.0-py3-none-any.whl"]
    with pytest.raises(SystemExit, match="expected wheels"):
        gpu.files(tmp_path / "nothing")


def test_without_cifar_what_needs_it_is_left_and_said(capsys):
    options = gpu.options_of(["--jobs", "cifar94", "zoo-bf16"])
    assert [j.name for j in gpu.wanted(options)] == ["zoo-bf16"] and "no cifar94" in capsys.readouterr().out
    options = gpu.options_of(["--jobs", "cifar94", "--cifar", "folder"])
    assert [j.name for j in gpu.wanted(options)] == ["cifar94"]


def test_every_job_has_its_rehearsal_and_every_chapter_its_job():
    from toc import notebooks

    names = [j.name for j in JOBS]
    assert REHEARSAL.keys() == set(names) and len(set(names)) == len(names)
    chapters = {page.stem for page in notebooks()} - {"index"}
    assert {j.name.removeprefix("notebook-") for j in JOBS if j.name.startswith("notebook-")} == chapters
    assert not [w for command, _ in REHEARSAL.values() for w in command if w in ("--device", "CIFAR")]


def test_the_zoo_s_files_are_named_as_the_benchmark_names_them():
    import runpy

    benchmark = runpy.run_path(str(gpu.ROOT / "benchmarks/zoo.py"), run_name="zoo")
    for made in (j for j in gpu_jobs.JOBS if j.command[0] == "benchmarks/zoo.py"):
        options = benchmark["arguments"](list(made.command[1:]))
        assert benchmark["file_of"](options, "json").name == made.file
