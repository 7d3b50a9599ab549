"""`scripts/setup.sh` says in one sentence what is wrong, and leaves nothing half-done behind."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PIP_LOG = {
    "no-network": "WARNING: NewConnectionError: Temporary failure in name resolution",
    "full": "OSError: No space left on device",
}


@pytest.fixture
def house(tmp_path):
    """A copy of what set-up reads, and a folder of stand-in commands that comes first on PATH."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "scripts")
    (tmp_path / "requirements.txt").write_text("torch==2.14.1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'dlbook'\n")
    (tmp_path / "bin").mkdir()
    return tmp_path


def stand_in(house: Path, name: str, script: str) -> Path:
    path = house / "bin" / name
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return path


def fake_python(house: Path, version: str = "3.11", pip: str = "exit 0") -> str:
    """A Python that knows its version, makes an environment of itself, and has the given pip."""
    too_old = int(tuple(map(int, version.split("."))) < (3, 11))
    script = f"""
case "$*" in
  *%d.%d*) echo {version};;
  *"version_info <"*) exit {too_old};;
  "-m venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python;;
  "-m pip --version") exit 0;;
  "-m pip install"*) {pip};;
esac
"""
    return str(stand_in(house, "python-stand-in", script))


def set_up(house: Path, python: str) -> subprocess.CompletedProcess:
    env = os.environ | {"PATH": f"{house / 'bin'}:{os.environ['PATH']}", "PYTHON": python}
    return subprocess.run(["sh", "scripts/setup.sh"], cwd=house, env=env, capture_output=True, text=True)


def test_success_is_stamped_and_the_second_run_does_nothing(house):
    python = fake_python(house)
    assert set_up(house, python).returncode == 0
    assert (house / ".venv" / ".dlbook-stamp").exists()
    second = set_up(house, "/no/such/python")
    assert second.returncode == 0 and second.stdout == ""


def test_changed_pins_set_up_again(house):
    python = fake_python(house)
    set_up(house, python)
    (house / "requirements.txt").write_text("torch==2.15.0\n")
    assert "installing" in set_up(house, python).stdout


def test_old_python_gets_one_sentence(house):
    done = set_up(house, fake_python(house, version="3.9"))
    assert (
        done.returncode == 1 and "Python 3.11 or newer is needed" in done.stderr and "is 3.9" in done.stderr
    )
    assert len(done.stderr.strip().splitlines()) == 1


def test_missing_python_gets_one_sentence(house):
    done = set_up(house, "python-that-is-not-there")
    assert done.returncode == 1 and "there is no 'python-that-is-not-there'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_too_little_disk_space_gets_one_sentence(house):
    stand_in(house, "df", "echo Filesystem; echo /dev/x 1 1 2048000 1% /")
    done = set_up(house, fake_python(house))
    assert (
        done.returncode == 1 and "not enough disk space" in done.stderr and "2000 MiB are free" in done.stderr
    )
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("what, sentence", [("no-network", "no network"), ("full", "the disk became full")])
def test_failed_install_gets_one_sentence_and_no_stamp(house, what, sentence):
    done = set_up(house, fake_python(house, pip=f"echo '{PIP_LOG[what]}'; exit 1"))
    assert done.returncode == 1 and sentence in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert not (house / ".venv" / ".dlbook-stamp").exists()


def test_interrupted_set_up_goes_on(house):
    failing = fake_python(house, pip="kill -9 $$")
    assert set_up(house, failing).returncode != 0
    shutil.rmtree(house / ".venv")
    assert set_up(house, fake_python(house)).returncode == 0
    assert (house / ".venv" / ".dlbook-stamp").exists()
