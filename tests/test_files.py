"""Whole files: what is read back, who may read them, and what a failure leaves behind; seeded faults."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from dlbook import files as module
from dlbook.files import write_whole
from tests.seeded import edited


def check_content(write, folder):
    """Bytes stay as they are, text becomes UTF-8 without a change of line ends; the path comes back."""
    for content, expected in ((b"\x00\r\n", b"\x00\r\n"), ("é\n", b"\xc3\xa9\n")):
        assert write(folder / "a", content) == folder / "a"
        assert (folder / "a").read_bytes() == expected
    assert [file.name for file in folder.iterdir()] == ["a"]


def check_umask(write, folder):
    """A new file may be read by those whom the umask lets read."""
    for number, umask in enumerate((0o022, 0o027, 0o077)):
        before = os.umask(umask)
        try:
            path = write(folder / str(number), b"a")
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def check_failure(write, folder, monkeypatch):
    """A full disk, Ctrl-C, or anything else while it is written: the old file stays, and nothing else."""
    write(folder / "a", b"old")
    for place in ("fsync", "replace"):
        for error in (OSError("no space"), KeyboardInterrupt("no space"), SystemExit("no space")):

            def stop(*arguments, error=error):
                raise error

            with monkeypatch.context() as patch:
                patch.setattr(os, place, stop)
                with pytest.raises(type(error), match="no space"):
                    write(folder / "a", b"new")
            assert (folder / "a").read_bytes() == b"old"
            assert [file.name for file in folder.iterdir()] == ["a"]


def test_content(tmp_path):
    check_content(write_whole, tmp_path)


def test_umask(tmp_path):
    check_umask(write_whole, tmp_path)


def test_failure(tmp_path, monkeypatch):
    check_failure(write_whole, tmp_path, monkeypatch)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "a", b"")


def in_place(path, content):
    """Opens the target itself: a failure leaves half of the new and nothing of the old."""
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
        file.flush()
        os.fsync(file.fileno())
    return path


def for_the_owner_alone(path, content):
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(name, path)
    return path


def readable_by_all(path, content):
    write_whole(path, content).chmod(0o644)
    return path


def rest_left_behind(path, content):
    part = Path(f"{path}.part")
    with open(part, "wb") as file:
        file.write(content)
        os.fsync(file.fileno())
    os.replace(part, path)
    return path


def text_as_latin_1(path, content):
    return write_whole(path, content if isinstance(content, bytes) else content.encode("latin-1"))


def only_what_is_expected(path, content):
    old, new = "except BaseException:", "except OSError:"
    return edited(module, old, new)["write_whole"](path, content)


FAULTS = [
    (only_what_is_expected, check_failure),
    (in_place, check_failure),
    (rest_left_behind, check_failure),
    (for_the_owner_alone, check_umask),
    (readable_by_all, check_umask),
    (text_as_latin_1, check_content),
]


@pytest.mark.parametrize(("broken", "check"), FAULTS, ids=[broken.__name__ for broken, _ in FAULTS])
def test_the_check_sees_the_fault(broken, check, tmp_path, monkeypatch):
    with pytest.raises(AssertionError):
        check(broken, tmp_path, *([monkeypatch] if check is check_failure else []))
