"""A path inside a run: the run is found and named as the path names it; what lies elsewhere is left alone."""

from pathlib import Path

import pytest

from dlbook.recipes import run_folder as module
from dlbook.recipes.run_folder import enclosing_run, require_folder
from tests.seeded import edited

INSIDE = (
    "checkpoints",
    "checkpoints/best.ckpt",
    "config.yaml",
    "evaluation/test/figures.json",
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """runs/a and runs/b in the working directory; b lies beside no checkpoints."""
    monkeypatch.chdir(tmp_path)
    for name in INSIDE:
        path = Path("runs/a") / name
        path.mkdir(parents=True) if "." not in name else path.parent.mkdir(parents=True, exist_ok=True)
        if "." in name:
            path.touch()
    Path("runs/b").mkdir()
    Path("runs/b/config.yaml").touch()
    return Path("runs/a")


def check_enclosing(enclosing, run) -> None:
    for name in INSIDE:
        assert enclosing(run / name) == run and enclosing(str(run / name)) == run
        assert enclosing(run.absolute() / name) == run.absolute()
    for path in (run, run.absolute(), "runs", "runs/b/config.yaml", run / "checkpoints/none.ckpt", "none"):
        assert enclosing(path) is None
    inner = run / "checkpoints/again"  # a run that somebody keeps in another one
    (inner / "checkpoints").mkdir(parents=True)
    (inner / "config.yaml").touch()
    assert enclosing(inner) is None and enclosing(inner / "config.yaml") == inner


def test_the_run_around_a_path(run, monkeypatch):
    check_enclosing(enclosing_run, run)
    whole = run.absolute()
    monkeypatch.chdir("runs/a/checkpoints")
    assert enclosing_run("best.ckpt") == whole


FAULTS = {
    "a run is inside itself": ("None if is_run(path) or not path.exists()", "None if not path.exists()"),
    "a path to nothing": (" or not path.exists()", ""),
    "any folder with a configuration": (' and (folder / "checkpoints").is_dir()', ""),
    "one level too few": ("DEEPEST = 3", "DEEPEST = 2"),
    "the farthest": ("next(filter(is_run, above), None)", "next(filter(is_run, reversed(above)), None)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault, run):
    with pytest.raises(AssertionError):
        check_enclosing(edited(module, *FAULTS[fault])["enclosing_run"], run)


def test_what_is_said(run):
    require_folder(run)
    require_folder("none")
    with pytest.raises(ValueError, match=r"got a checkpoint in one; give runs/a, and which of its"):
        require_folder(run / "checkpoints/best.ckpt")
    with pytest.raises(ValueError, match=r"config.yaml: expected .*, got a path inside one; do this"):
        require_folder(run / "config.yaml", "do this")
