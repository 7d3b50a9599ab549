"""Cells are formatted in place: prose, options and magics stay; what ruff finds is told; a fault is seen."""

import format_cells
import pytest

PAGE = """# A page

Some   prose, with  two  blanks.

```{code-cell} ipython3
---
tags: [hide-input]
---
import torch
x = [1,2]
```

````{note}
```{code-cell} ipython3
:tags: [x]

%matplotlib inline
y=torch.zeros( 3 )
y.shape;
```
````

```python
not   a cell
```

```{code-cell} ipython3
"a display at the end"
```
"""


@pytest.fixture
def page(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(PAGE)
    return file


def test_only_bodies_change(page):
    assert format_cells.main([str(page)]) == 0
    expected = PAGE.replace("import torch\nx = [1,2]", "import torch\n\nx = [1, 2]")
    expected = expected.replace("y=torch.zeros( 3 )", "y = torch.zeros(3)")
    assert page.read_text() == expected
    assert format_cells.main(["--check", str(page)]) == 0


def test_check_writes_nothing_and_fails(page, capsys):
    assert format_cells.main(["--check", str(page)]) == 1
    assert page.read_text() == PAGE and "run scripts/format_cells.py" in capsys.readouterr().out


def test_an_undefined_name_is_found_across_cells(page, capsys):
    page.write_text(PAGE.replace("import torch\n", "").replace("[1,2]", "[1, 2]"))
    assert format_cells.main(["--check", str(page)]) == 1
    line = page.read_text().split("\n").index("y=torch.zeros( 3 )") + 1
    assert f"{page}:{line}:3: F821 Undefined name `torch`" in capsys.readouterr().out


def test_bodies_are_found_without_their_options():
    lines = PAGE.split("\n")
    first = [lines[start] for start, _ in format_cells.bodies(lines)]
    assert first == ["import torch", "%matplotlib inline", '"a display at the end"']


def test_cells_come_back_to_their_own_places():
    """Seeded fault: replaced from the top, a longer cell would shift the next."""
    lines = format_cells.formatted(PAGE, ["a\nb\nc", "d", "e"]).split("\n")
    found = [lines[start:end] for start, end in format_cells.bodies(lines)]
    assert found == [["a", "b", "c"], ["d"], ["e"]]
