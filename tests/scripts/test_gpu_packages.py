"""`make gpu` where torch and the packages of `gpu.NEEDED` alone are installed: what a job imports is there.

Everything else is hidden from the imports of a process of its own.
"""

import ast
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import gpu
import pytest
from gpu_jobs import CUDA_TESTS
from packaging.requirements import Requirement
from toc import CELL_OPTIONS, CODE_CELL, notebooks

MACHINE = ("torch", "torchvision", "numpy", "pillow")  # it has its own
HIDE = """
import sys

HIDDEN = frozenset({hidden!r})


class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in HIDDEN else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)


sys.meta_path[:] = map(Without, sys.meta_path)
"""


def normal(name):
    """A distribution's name as pip compares it."""
    return name.lower().replace("_", "-").replace(".", "-")


def closure(names):
    """The distributions that come when pip installs `names`, themselves included."""
    found, waiting = set(), [normal(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            asked = map(Requirement, requires(name) or ())
        except PackageNotFoundError:  # of another platform
            continue
        waiting += [normal(r.name) for r in asked if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


def hidden(needed):
    """Top-level modules of the installed packages that would not come with `needed`."""
    there = closure([*needed, *MACHINE])
    return sorted(
        module
        for module, owners in packages_distributions().items()
        if not there & {normal(owner) for owner in owners} and module not in ("dlbook", "pip")
    )


def alone(code, needed=None):
    """Run Python code where only `needed` is there; the finished process."""
    needed = gpu.NEEDED.values() if needed is None else needed
    paths = os.pathsep.join([str(gpu.ROOT), str(gpu.ROOT / "scripts")])
    command = [sys.executable, "-c", HIDE.format(hidden=hidden(needed)) + code]
    # pytest finds its plugins by their metadata, which is not hidden
    environment = os.environ | {"PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=gpu.ROOT, env=environment, capture_output=True, text=True)


def imports(chapter):
    """The import statements of a chapter's cells."""
    for cell in CODE_CELL.finditer(chapter.read_text("utf8")):
        body = CELL_OPTIONS.sub("", cell["body"])
        for node in ast.walk(ast.parse(body)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield ast.unparse(node)


def every_import():
    """Those of all chapters, each once, and of the script that runs a chapter."""
    lines = {line for chapter in notebooks() for line in imports(chapter)}
    return "\n".join(["import gpu_notebook", *sorted(lines)])


def test_every_chapter_finds_what_it_imports():
    done = alone(every_import())
    assert done.returncode == 0, done.stderr[-2000:]


def test_every_test_on_cuda_is_collected():
    words = [*CUDA_TESTS[1:], "--collect-only"]
    assert words[0] == "pytest"
    done = alone(f"import pytest; sys.exit(pytest.main({words[1:]!r}))")
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("package", ["scikit-learn", "omegaconf"])
def test_a_package_that_is_left_out_is_missed(package):
    rest = [name for name in gpu.NEEDED.values() if name not in (package, "scikit-image")]
    done = alone(every_import(), rest)
    assert done.returncode and "No module named" in done.stderr
