"""What `make book` executes: only what changed, and a failure is named by chapter, cell and error."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = """---
jupytext: {{text_representation: {{extension: .md, format_name: myst}}}}
kernelspec: {{display_name: Python 3, language: python, name: python3}}
---
# A chapter

```{{code-cell}} ipython3
{first}
```

```{{code-cell}} ipython3
{second}
```
"""


@pytest.fixture
def house(tmp_path):
    """A book of two chapters, one of which imports a module of the package."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in {
        "_toc.yml": "format: jb-book\nroot: a\nchapters: [{file: b}]\n",
        "requirements.txt": "torch\n",
        "a.md": CHAPTER.format(first="import dlbook.one", second="print(dlbook.one.VALUE)"),
        "b.md": CHAPTER.format(first="x = 2", second="print(x)"),
        "dlbook/__init__.py": "",
        "dlbook/one.py": "VALUE = 1\n",
        "dlbook/two.py": "VALUE = 2\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def execute(house: Path) -> subprocess.CompletedProcess:
    env = os.environ | {"PYTHONPATH": str(house)}
    return subprocess.run(
        [sys.executable, "scripts/execute.py"], cwd=house, env=env, capture_output=True, text=True
    )


def test_only_what_changed_is_executed(house):
    assert "executing 2 of 2" in execute(house).stdout
    assert "executing 0 of 2" in execute(house).stdout
    (house / "b.md").write_text(CHAPTER.format(first="x = 3", second="print(x)"))
    assert "executing 1 of 2 chapters: b.md" in execute(house).stdout
    (house / "dlbook" / "two.py").write_text("VALUE = 3\n")  # nobody imports it
    assert "executing 0 of 2" in execute(house).stdout
    (house / "dlbook" / "one.py").write_text("VALUE = 3\n")
    assert "executing 1 of 2 chapters: a.md" in execute(house).stdout
    (house / "b.md").write_text(
        (house / "b.md").read_text().replace("# A chapter", "# Another title")
    )  # prose alone
    assert "executing 0 of 2" in execute(house).stdout


def test_a_failing_cell_is_named(house):
    (house / "b.md").write_text(CHAPTER.format(first="x = 3", second="assert x == 4, 'three is not four'"))
    done = execute(house)
    assert done.returncode == 1
    assert "FAILED b.md, code cell 2 of 2" in done.stderr and "three is not four" in done.stderr
    assert execute(house).returncode == 1  # it stays failed until it is fixed


def test_a_missing_package_module_is_a_failure(house):
    (house / "dlbook" / "one.py").unlink()
    done = execute(house)
    assert (
        done.returncode == 1
        and "FAILED a.md, code cell 1 of 2" in done.stderr
        and "dlbook.one" in done.stderr
    )
