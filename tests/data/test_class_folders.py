"""What is wrong with a folder of class folders is found and named; what systems leave is ignored, and named
once.
"""

import logging
import os

import pytest
from PIL import Image

from dlbook.data import class_folders as module
from dlbook.data import gather, torchvision_dataset
from dlbook.data.class_folders import find_classes
from tests.seeded import edited


@pytest.fixture
def root(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new("RGB", (8, 8)).save(tmp_path / name / f"{number}.png")
    return tmp_path


def test_pictures_come_class_after_class_in_the_order_of_names(root):
    for name in ("B.PGM", "a.gif", "10.JPG"):
        Image.new("L", (8, 8)).save(root / "cat" / name)
    found = find_classes(root)
    names = ["0.png", "1.png", "10.JPG", "2.png", "B.PGM", "a.gif"]
    assert [file.name for file in found.files] == [*names, "0.png", "1.png", "2.png"]
    assert found.labels == [0] * 6 + [1] * 3 and found.classes == ("cat", "dog") and not found.ignored


LEFT = (
    ".DS_Store",
    "cat/.DS_Store",
    "Thumbs.db",
    "cat/Thumbs.db",
    "dog/desktop.ini",
    "cat/._0.png",
    "notes.txt",
)
LEFT_FOLDERS = (".ipynb_checkpoints", "cat/.ipynb_checkpoints", "__MACOSX", "dog/@eaDir")


def test_what_systems_leave_is_ignored_everywhere_and_named_once(root, caplog):
    whole = find_classes(root)
    assert not caplog.records
    for name in LEFT_FOLDERS:
        (root / name).mkdir()
        Image.new("RGB", (8, 8)).save(root / name / "0-checkpoint.png")
    for name in LEFT:
        (root / name).write_bytes(b"\0\5\26\7")
    (root / ".link").symlink_to("/nowhere")
    found = find_classes(root)
    assert (found.files, found.classes) == (whole.files, whole.classes)
    expected = {*LEFT, *LEFT_FOLDERS, ".link"}
    assert sorted(str(path.relative_to(root)) for path in found.ignored) == sorted(expected)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(f"{root}: ignored what is no picture of a class: .DS_Store, ")
    assert record.getMessage().endswith(" and 7 more")


def test_torchvisions_class_finds_and_reads_the_same(root):
    (root / ".ipynb_checkpoints").mkdir()
    (root / "cat/._0.png").touch()
    Image.new("I;16", (8, 8), 25700).save(root / "cat/0.png")
    found, data = find_classes(root), torchvision_dataset("image_folder", root.parent, root.name)
    assert data.samples == list(zip(map(str, found.files), found.labels)) and data.classes == ["cat", "dog"]
    assert (255 * gather(data).images[0]).unique().tolist() == [100]


FAULTS = {
    "empty class": (lambda root: (root / "bird").mkdir(), "bird: expected pictures, got none"),
    "no picture": (
        lambda root: (root / "cat/a.txt").touch(),
        r"cat/a\.txt: .* ending .*; rename it, or move it",
    ),
    "no ending": (lambda root: (root / "cat/0.png").rename(root / "cat/0"), r"cat/0: .*, got another ending"),
    "corrupt": (
        lambda root: (root / "dog/9.jpg").write_bytes(b"\xff\xd8no"),
        r"dog/9\.jpg: .* cannot be read",
    ),
    "empty file": (lambda root: (root / "dog/1.png").write_bytes(b""), r"dog/1\.png: .* \(it is empty\)"),
    "one level too deep": (
        lambda root: (root / "cat/images").mkdir(),
        "cat/images: expected a picture, got a folder; move its pictures up into .*/cat, where",
    ),
    "a link to no class": (
        lambda root: (root / "fox").symlink_to("/nowhere/fox"),
        "fox: expected the folder of a class, got a link to /nowhere/fox, which is not there; repair or",
    ),
    "a link to no file": (
        lambda root: (root / "dog/b.png").symlink_to("/nowhere/b.png"),
        r"dog/b\.png: expected a picture, got a link to /nowhere/b\.png, which is not there",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found_and_named(root, fault):
    harm, message = FAULTS[fault]
    harm(root)
    with pytest.raises(ValueError, match=rf"got 1 that are wrong; fix these:\n.*{message}"):
        find_classes(root)


def test_pictures_that_all_lie_too_deep_are_told_once_a_folder(root):
    (root / "cat/images").mkdir()
    for file in (root / "cat").glob("*.png"):
        file.rename(root / "cat/images" / file.name)
    with pytest.raises(ValueError, match="got 1 that are wrong; fix these:\n.*cat/images: .*, got a folder"):
        find_classes(root)


def test_other_classes_than_those_of_training(root):
    with pytest.raises(ValueError, match="expected the folders cat, got also dog"):
        find_classes(root, ("cat",))
    with pytest.raises(ValueError, match="bird: expected the folder of a class, got no such folder; add it"):
        find_classes(root, ("bird", "cat", "dog"))


def test_no_folder(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "link").symlink_to("/nowhere")
    for name, told in (
        ("none", "got no such folder; check"),
        ("a.jpg", "got a file"),
        ("link", "a link to /now"),
    ):
        with pytest.raises(FileNotFoundError, match=f"{name}: expected a folder with one folder .*{told}"):
            find_classes(tmp_path / name)
    (tmp_path / "link").unlink()
    with pytest.raises(ValueError, match="got 1 files and no folder"):
        find_classes(tmp_path)


def check_limits(module, root, monkeypatch) -> None:
    """Twenty faults are told, the twenty-first is counted; so many headers as MOST_HEADERS are read."""
    for count in (20, 21):
        for number in range(count):
            (root / "cat" / f"{number:02}.txt").touch()
        with pytest.raises(ValueError, match=r"\.txt: expected a picture") as raised:
            module["find_classes"](root)
        told = str(raised.value).splitlines()
        assert len([line for line in told if ".txt" in line]) == 20
        assert told[21:] == ([] if count == 20 else ["... and 1 more"])
    for file in (root / "cat").glob("*.txt"):
        file.unlink()
    (root / "dog/1.png").write_bytes(b"")
    monkeypatch.setitem(module, "MOST_HEADERS", 5)  # of six pictures
    assert len(module["find_classes"](root).files) == 6
    monkeypatch.setitem(module, "MOST_HEADERS", 6)
    with pytest.raises(ValueError, match="cannot be read"):
        module["find_classes"](root)


LIMIT_FAULTS = {
    "one more": ("MOST_NAMED = 20", "MOST_NAMED = 21"),
    "no more": ("if len(faults) > MOST_NAMED", "if len(faults) >= MOST_NAMED"),
    "headers of fewer": ("len(files) <= MOST_HEADERS", "len(files) < MOST_HEADERS"),
    "headers of more": ("len(files) <= MOST_HEADERS", "len(files) <= MOST_HEADERS + 1"),
}


def test_limits(root, monkeypatch):
    check_limits(vars(module), root, monkeypatch)


@pytest.mark.parametrize("fault", LIMIT_FAULTS)
def test_the_check_sees_another_limit(fault, root, monkeypatch):
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        check_limits(edited(module, *LIMIT_FAULTS[fault]), root, monkeypatch)


def test_a_name_of_another_encoding(root):
    with open(os.fsencode(root / "cat") + b"/caf\xe9.png", "wb") as file:
        file.write(b"none")
    with pytest.raises(ValueError, match=r"cat/caf.*\.png: .* cannot be read"):
        find_classes(root)
