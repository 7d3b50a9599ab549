"""`scripts/setup.sh` says in one sentence what is wrong, and leaves nothing half-done behind."""

import os
import pty
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

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
    (tmp_path / "requirements.txt").write_text("torch==2.14.1\ntorchvision==0.29.1\nnumpy==2.4.6\n")
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


def environment(house: Path, python: str, **options: str) -> dict[str, str]:
    """The stand-ins first on the PATH, and neither CI nor a choice of torch unless a test says so."""
    env = {name: value for name, value in os.environ.items() if name not in ("CI", "TORCH")}
    return env | {"PATH": f"{house / 'bin'}:{os.environ['PATH']}", "PYTHON": python} | options


def set_up(house: Path, python: str, **options: str) -> subprocess.CompletedProcess:
    env = environment(house, python, **options)
    return subprocess.run(["sh", "scripts/setup.sh"], cwd=house, env=env, capture_output=True, text=True)


def note(house: Path) -> str:
    """A stand-in's command that writes down its own arguments."""
    return f"""echo "$*" >> '{house / "asked"}'"""


def asked(house: Path) -> list[str]:
    """The arguments of all installs, one line each."""
    return (house / "asked").read_text().splitlines()


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


def test_uv_is_taken_where_it_is_and_never_in_ci(house):
    stand_in(house, "uv", note(house))
    done = set_up(house, fake_python(house, pip=note(house)))
    assert done.returncode == 0 and "by uv" in done.stdout
    assert asked(house) == [
        "--no-progress pip install --python .venv/bin/python -r requirements.txt",
        "--no-progress pip install --python .venv/bin/python --no-deps --no-build-isolation -e .",
    ]
    (house / "asked").unlink()
    (house / ".venv" / ".dlbook-stamp").unlink()
    done = set_up(house, fake_python(house, pip=note(house)), CI="true")
    assert "by pip" in done.stdout and len(asked(house)) == 2
    assert all(line.startswith("-m pip install") for line in asked(house))


def test_torch_without_cuda_comes_from_its_own_index_and_is_remembered(house):
    python = fake_python(house, pip=note(house))
    assert set_up(house, python, TORCH="cpu").returncode == 0
    first, second, _ = asked(house)
    assert first.endswith(
        "--no-deps --index-url https://download.pytorch.org/whl/cpu torch==2.14.1 torchvision==0.29.1"
    )
    assert second.endswith("-r requirements.txt") and "index" not in second
    assert set_up(house, python).stdout == ""  # the choice is kept
    back = set_up(house, python, TORCH="default")
    assert "made again" in back.stdout and len(asked(house)) == 3 + 2
    assert "TORCH=gpu is not known" in set_up(house, python, TORCH="gpu").stderr


def test_the_pin_of_torch_is_met_by_its_build_without_cuda():
    assert Version("2.14.1+cpu") in SpecifierSet("==2.14.1")


def test_without_a_choice_of_torch_nothing_is_asked_of_another_index(house):
    set_up(house, fake_python(house, pip=note(house)))
    assert len(asked(house)) == 2 and not any("index" in line for line in asked(house))


def test_a_moved_checkout_is_set_up_again(house):
    python = fake_python(house)
    set_up(house, python)
    other = house.with_name(f"{house.name}-moved")
    house.rename(other)
    done = set_up(other, str(other / "bin" / "python-stand-in"))
    assert done.returncode == 0 and "was moved" in done.stdout
    assert set_up(other, "/no/such/python").stdout == ""


def test_the_environment_of_another_checkout_is_left_alone(house):
    other = house / "other"
    (other / "bin").mkdir(parents=True)
    shutil.copy(fake_python(house), other / "bin" / "python")
    (house / ".venv").symlink_to(other)
    assert set_up(house, "/no/such/python").stdout == "" and not (other / ".dlbook-place").exists()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_one_sentence_and_the_next_run_goes_on(house, sign):
    env = environment(house, fake_python(house, pip="echo $$ > pip-runs; exec sleep 60"))
    words = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = subprocess.Popen(["sh", "scripts/setup.sh"], cwd=house, env=env, **words)
    while not (house / "pip-runs").exists() or not (house / "pip-runs").read_text().strip():
        time.sleep(0.05)
    running.send_signal(sign)
    _, told = running.communicate(timeout=20)
    assert running.returncode == 130 and told.strip().splitlines() == [
        "dlbook set-up: stopped; run the same command again, and it goes on from there"
    ]
    pip = int((house / "pip-runs").read_text())
    assert not psutil.pid_exists(pip) or psutil.Process(pip).status() == psutil.STATUS_ZOMBIE
    assert not (house / ".venv" / ".dlbook-stamp").exists()
    shutil.copy(fake_python(house), house / ".venv" / "bin" / "python")  # a pip that does not sleep
    assert set_up(house, str(house / "bin" / "python-stand-in")).returncode == 0


PIP_WORDS = """Collecting torch==2.14.1
  Downloading torch-2.14.1-cp311-cp311-manylinux.whl.metadata (29 kB)
  Downloading torch-2.14.1-cp311-cp311-manylinux.whl (500.5 MB)
  Using cached numpy-2.4.6.whl (1.5 MB)
  Downloading six-1.17.0.whl (512 kB)
"""
UV_WORDS = """Resolved 240 packages in 1.22s
Downloading torch (500.5MiB)
Downloading numpy (1.5MiB)
Downloading six (512KiB)
 Downloaded numpy
 Downloaded six
"""


@pytest.mark.parametrize(
    "words, told",
    [(PIP_WORDS, "3 of about 240 packages, 502 of"), (UV_WORDS, "2 of about 240 packages, 2 of")],
)
def test_a_terminal_sees_how_far_it_is(house, words, told):
    (house / "words").write_text(words)
    python = fake_python(house, pip="cat words; sleep 1.5")
    reader, writer = pty.openpty()
    done = subprocess.run(
        ["sh", "scripts/setup.sh"], cwd=house, env=environment(house, python), stdout=writer, check=True
    )
    os.close(writer)
    shown = os.read(reader, 100_000).decode()
    os.close(reader)
    assert done.returncode == 0 and f"fetched {told} about 3200 MiB" in shown


def test_without_a_terminal_there_are_two_lines(house):
    assert len(set_up(house, fake_python(house)).stdout.splitlines()) == 2
