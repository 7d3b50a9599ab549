"""Files, folders and patterns become files: each once, in order, nothing hidden or left by a system."""

from pathlib import Path

import pytest

from dlbook.recipes.run.find_pictures import find_pictures


@pytest.fixture
def here(tmp_path, monkeypatch):
    for name in (
        "b.png",
        "a.JPG",
        "note.txt",
        ".a.png",
        "sub/c.webp",
        "sub/.cache/d.png",
        "[x].png",
        "__MACOSX/e.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)


CASES = {
    "a folder": (["."], ["[x].png", "a.JPG", "b.png", "sub/c.webp"]),
    "a folder's name with its parent": (["sub/"], ["sub/c.webp"]),
    "names as they are, also missing ones": (["note.txt", "none.png"], ["note.txt", "none.png"]),
    "a pattern": (["*.png"], ["[x].png", "b.png"]),
    "a pattern of all folders": (["**/*.webp"], ["sub/c.webp"]),
    "a file whose name looks like a pattern": (["[x].png"], ["[x].png"]),
    "each once": (["b.png", ".", "*.png"], ["b.png", "[x].png", "a.JPG", "sub/c.webp"]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_meant(here, case):
    names, expected = CASES[case]
    assert find_pictures(names) == [Path(name) for name in expected]


def test_home(here, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_pictures(["~/sub"]) == [tmp_path / "sub/c.webp"]


def test_nothing_is_told(here):
    with pytest.raises(ValueError, match=r"empty: expected a folder with pictures \(.*\.png.*\), got none"):
        find_pictures(["b.png", "empty"])
    with pytest.raises(ValueError, match=r"\*.tif: expected a pattern of files, got one that matches none"):
        find_pictures(["*.tif"])
