"""Bundled files: the manifest, and what is said when a file is missing, truncated or altered; seeded faults.

The faults: a comparison by size only, one remembered by path only, and none.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dlbook.data import data_dir, files, ilsvrc, imagenet_classes, mnist5k, photograph

ROOT = Path(__file__).parents[2]
NAMES = sorted(files.manifest())


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A private copy of data/ in which files may be spoilt."""
    folder = tmp_path / "data"
    shutil.copytree(data_dir(), folder, ignore=shutil.ignore_patterns("recorded"))
    monkeypatch.setattr(files, "data_dir", lambda: folder)
    monkeypatch.setattr(files, "_verified", set())
    return folder


def load(name):
    if name == "mnist5k.npz":
        return mnist5k("test")
    if name == "ilsvrc.csv":
        return ilsvrc()
    return imagenet_classes() if name.endswith(".txt") else photograph(Path(name).stem)


def flip_last_byte(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


# ---- the files as they are


def test_manifest_lists_every_file_and_nothing_else():
    present = {
        path.relative_to(data_dir()).as_posix()
        for path in data_dir().rglob("*")
        if path.is_file() and "recorded" not in path.parts and path.name not in ("README.md", "manifest.json")
    }
    assert present == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_entry_is_complete_and_true(name):
    entry, path = files.manifest()[name], data_dir() / name
    assert set(entry) == {"file", "sha256", "bytes", "source", "licence", "made"} and all(entry.values())
    assert (path.stat().st_size, files.sha256(path)) == (entry["bytes"], entry["sha256"])
    assert name in (data_dir() / "README.md").read_text("utf-8")


def test_all_together_are_small():
    assert sum(entry["bytes"] for entry in files.manifest().values()) < 1_500_000


# ---- errors


def check_missing(folder, name):
    (folder / name).unlink()
    with pytest.raises(
        FileNotFoundError,
        match=f"{re.escape(name)} is missing: expected .* bytes with SHA-256 .*; to fix it, run `",
    ):
        load(name)


def check_truncated(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(
        ValueError,
        match=f"{re.escape(name)} is truncated: expected .* bytes .*, got [0-9,]+ bytes.*; to fix it, run `",
    ):
        load(name)


def check_altered(folder, name):
    flip_last_byte(folder / name)
    with pytest.raises(
        ValueError,
        match=f"{re.escape(name)} is altered: expected .* SHA-256 .*, got SHA-256 .*; to fix it, run `",
    ):
        load(name)


def check_altered_after_it_was_read(folder, name):
    load(name)
    path = folder / name
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ValueError, match="is altered"):
        load(name)


CHECKS = [check_missing, check_truncated, check_altered, check_altered_after_it_was_read]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", CHECKS)
def test_spoilt_file(check, name, copy):
    check(copy, name)


def no_comparison(name):
    return files.data_dir() / name


def size_only(name):
    path, entry = files.data_dir() / name, files.manifest()[name]
    if path.stat().st_size != entry["bytes"]:
        raise ValueError(
            f"{path} is truncated: expected {entry['bytes']} bytes, got 0 bytes; to fix it, run `x`"
        )
    return path


REAL = files.verified


SEEN = set()


def remembered_by_path(name):
    path = files.data_dir() / name
    if path not in SEEN:
        REAL(name)
        SEEN.add(path)
    return path


@pytest.mark.parametrize(
    "fault, check",
    [
        (no_comparison, check_truncated),
        (no_comparison, check_altered),
        (size_only, check_altered),
        (remembered_by_path, check_altered_after_it_was_read),
    ],
)
def test_seeded_verification_fault_is_caught(fault, check, copy, monkeypatch):
    monkeypatch.setattr("dlbook.data.bundled_photographs.verified", fault)
    with pytest.raises(
        (AssertionError, pytest.fail.Exception, OSError)
    ):  # OSError: the decoder trips over what was let through
        check(copy, "photographs/cat.jpg")


def test_checksum_is_computed_once_per_process(copy, monkeypatch):
    calls, real = [], files.sha256
    monkeypatch.setattr(files, "sha256", lambda path: calls.append(path) or real(path))
    for _ in range(3):
        mnist5k("train"), mnist5k("test")
    assert len(calls) == 1


def test_unknown_file_and_broken_manifest(copy):
    with pytest.raises(ValueError, match="name of a bundled file, got 'x'.*mnist5k.npz"):
        files.verified("x")
    (copy / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match="readable manifest, got .*manifest.json.*; to fix it"):
        mnist5k("test")


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith((".txt", ".csv"))])
def test_ends_of_lines_do_not_alter_a_text(name, copy):
    expected = load(name)
    (copy / name).write_bytes((copy / name).read_bytes().replace(b"\n", b"\r\n"))
    assert load(name) == expected


def test_every_checkout_has_line_feeds():
    """Whatever Git is told elsewhere: of all tracked texts, of scripts above all."""
    told = subprocess.run(
        [
            "git",
            "-c",
            "core.autocrlf=true",
            "check-attr",
            "text",
            "eol",
            "--",
            "scripts/setup.sh",
            "x.csv",
            "y",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    assert [line.split(": ")[1:] for line in told[:-1]] == [["text", "auto"], ["eol", "lf"]] * 3


# ---- where the files lie


def test_checkout_and_wheel(tmp_path, monkeypatch):
    assert data_dir() == ROOT / "data"
    assert "scripts/make_data.py" in files.fix(ROOT / "data")
    package = tmp_path / "site-packages" / "dlbook"
    monkeypatch.setattr(files, "PACKAGE", package)
    with pytest.raises(
        FileNotFoundError, match="_bundled.*pip install --force-reinstall --no-deps \\.` in a checkout"
    ):
        data_dir()
    shutil.copytree(ROOT / "data", package / "_bundled")
    (package.parent / "data").mkdir()  # another package's folder of that name must not be taken for ours
    (package.parent / "data" / "manifest.json").write_text("{}")
    assert data_dir() == package / "_bundled"
    assert len(mnist5k("test")) == 1000
    (package / "_bundled" / "mnist5k.npz").unlink()
    with pytest.raises(FileNotFoundError, match="pip install --force-reinstall"):
        mnist5k("test")


# ---- the script that makes them


def make_data(*options):
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "make_data.py", *options], capture_output=True, text=True
    )


def test_script_makes_the_same_bytes_again(tmp_path):
    pytest.importorskip("mlxtend")
    pytest.importorskip("skimage")
    (tmp_path / "manifest.json").write_text((ROOT / "data" / "manifest.json").read_text("utf-8"))
    run = make_data("--data", str(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    assert {name: files.sha256(tmp_path / name) for name in NAMES} == {
        name: files.manifest()[name]["sha256"] for name in NAMES
    }


def test_script_refuses_other_bytes(tmp_path):
    pytest.importorskip("mlxtend")
    pytest.importorskip("skimage")
    content = json.loads((ROOT / "data" / "manifest.json").read_text("utf-8"))
    content["files"][0]["sha256"] = "0" * 64
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    run = make_data("--data", str(tmp_path))
    assert run.returncode == 1 and "DIFFERENT" in run.stdout and "git checkout -- data" in run.stderr
    assert not (tmp_path / content["files"][0]["file"]).exists()
