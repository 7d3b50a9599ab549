"""A file that was cut short, altered or lost is named, and so is a broken list. `test_sharded` has the same
with several processes.
"""

import pytest

from dlbook.train.checkpoint import CheckpointError
from dlbook.train.parallel import manifest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one").write_bytes(bytes(range(200)))
    (tmp_path / "two").write_bytes(b"weights")
    manifest.write(tmp_path)
    return tmp_path


HARMS = {
    "cut": (
        lambda file: file.write_bytes(file.read_bytes()[:100]),
        "got one of 100 bytes for 200, cut short",
    ),
    "altered": (lambda file: file.write_bytes(bytes(200)), "got one of SHA-256 .*altered"),
    "lost": (lambda file: file.unlink(), "got no one, which is missing"),
    "no list": (lambda file: (file.parent / manifest.FILE).unlink(), "expected a whole manifest.json"),
    "half a list": (
        lambda file: (file.parent / manifest.FILE).write_text('{"format"'),
        "expected a whole manifest.json",
    ),
    "no files": (lambda file: (file.parent / manifest.FILE).write_text("{}"), "expected a whole manifest"),
}


def check_harm(folder, how):
    harm, told = HARMS[how]
    harm(folder / "one")
    with pytest.raises(CheckpointError, match=f"(?s){told}.*; take another checkpoint of the run"):
        manifest.verify(folder)


def test_what_was_written_is_whole(folder):
    manifest.verify(folder)
    (folder / "three").write_bytes(b"of no concern")
    manifest.verify(folder)


@pytest.mark.parametrize("how", HARMS)
def test_harm_is_named(folder, how):
    check_harm(folder, how)


def test_the_check_catches_a_list_of_sizes_alone(folder, monkeypatch):
    sizes = lambda path: [path.stat().st_size, ""]
    monkeypatch.setattr(manifest, "_fingerprint", sizes)
    manifest.write(folder)
    with pytest.raises(pytest.fail.Exception):
        check_harm(folder, "altered")
