"""Whole files: what is read back, who may read them, and what a failure leaves behind; folders that take no
files; seeded faults.
"""

import errno
import os
import stat
import tempfile
from pathlib import Path

import pytest

from dlbook import files as module
from dlbook.files import write_whole, writing_into
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


def check_obstacle(into, folder):
    """What stands in the way is named: a file, a drive that is missing, what may not be written to."""
    (folder / "a").touch()
    no, gone = (errno.EACCES, "Permission denied"), (errno.ENOENT, "No such file")
    for asked, error, told in (
        (folder / "a", FileExistsError(errno.EEXIST, "File exists"), f"({folder}/a is a file)"),
        (folder / "a/b/c", NotADirectoryError(errno.ENOTDIR, "Not a folder"), f"({folder}/a is a file)"),
        (folder / "b", PermissionError(*no, f"{folder}/b"), f"({folder}/b: Permission denied)"),
        (folder, PermissionError(*no, f"{folder}/.lock"), f"({folder}/.lock: Permission denied)"),
        (folder / "b", FileNotFoundError(*gone), f"({folder}/b: No such file)"),
    ):
        with pytest.raises(ValueError) as raised, into(asked, "output.folder", "name another"):
            raise error
        assert str(raised.value) == (
            f"output.folder: expected a folder that can be made and written to, got {asked} {told}; name "
            "another"
        )
    for number in (errno.ENOSPC, errno.EDQUOT):  # nobody asked for a full disk
        with pytest.raises(OSError, match="No space"), into(folder, "output.folder", "name another"):
            raise OSError(number, "No space left on device")
    with pytest.raises(KeyError), into(folder, "output.folder", "name another"):
        raise KeyError("a")


def test_an_obstacle(tmp_path):
    check_obstacle(writing_into, tmp_path)


def test_a_drive_that_is_missing(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda path: False)
    with (
        pytest.raises(ValueError, match=r"got /z/run \(there is no /\); do"),
        writing_into("/z/run", "a", "do"),
    ):
        raise FileNotFoundError(errno.ENOENT, "No such file", "/z")


OBSTACLE_FAULTS = {
    "the nearest is not looked for": ("(folder, *folder.parents)", "(folder,)"),
    "a folder for a file": ("not there.is_dir()", "there.is_dir()"),
    "a full disk too": ("if error.errno in NO_ROOM:", "if False:"),
    "the disk of others": ("errno.ENOSPC, errno.EDQUOT", "errno.ENOSPC,"),
    "not what failed": ("{error.filename or folder}", "{folder}"),
}


@pytest.mark.parametrize("fault", OBSTACLE_FAULTS)
def test_the_check_sees_another_obstacle(fault, tmp_path):
    with pytest.raises((AssertionError, ValueError)):
        check_obstacle(edited(module, *OBSTACLE_FAULTS[fault])["writing_into"], tmp_path)


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
    old, new = "except BaseException as error:", "except OSError as error:"
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
