"""What the tools show, seen on a page that Sphinx and myst-nb really build, and the claims gathered from its
cache.
"""

import html
import json
import os
import re
import subprocess
import sys

import claims
import pytest

PAGE = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# A page

Measured: {glue:text}`page-error`, as a number {glue:text}`page-plain:.1f`, text {glue:text}`page-quoted`;
reported {glue:text}`page-he`.

```{code-cell} ipython3
---
tags: [hide-input]
---
import sys
from dlbook import book
import matplotlib.pyplot as plt, torch
page = book.begin("page", seed=0)
assert "myst_nb" not in sys.modules
ledger = page.ledger
ledger.check("weights", predicted=6, measured=torch.nn.Linear(2, 2).weight.numel() + 2, source="eq. (1)")
ledger.cite("error", "24.7 %", citation="he2016deep", where="Table 4", insert="he")
page.insert("error", 24.66, "{:.1f} %")
page.insert("plain", torch.tensor(0.25))
page.insert("quoted", "it's \\"so\\"")
```

```{code-cell} ipython3
book.source(book.device)
```

```{code-cell} ipython3
---
mystnb: {image: {alt: "A straight line"}}
---
plt.plot([0, 1]);
```

```{code-cell} ipython3
---
mystnb: {image: {alt: "A grey square"}}
---
book.photos([torch.rand(8, 8)], ["noise"], alt="A grey square")
```

```{code-cell} ipython3
book.table([("a", 1)], ["name", "value"], caption="One row")
```

```{code-cell} ipython3
page.end()
```
"""
CONF = (
    "extensions = ['myst_nb']\nnb_execution_mode = 'cache'\nnb_execution_raise_on_error = "
    "True\nnb_execution_cache_path = '_cache'\n"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A built page: (its HTML, the folder of the site)."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "conf.py").write_text(CONF)
    (folder / "index.md").write_text(PAGE)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", ".", "_html"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (folder / "_html" / "index.html").read_text("utf8"), folder


def test_inserted_numbers_stand_in_the_prose(site):
    words = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", site[0])))
    assert re.search(
        r"Measured: 24\.7 %, as a number 0\.2, text it['’]s [\"“]so[\"”]; reported 24\.7 %\.", words
    ), words[:400]


def test_nothing_is_shown_where_a_number_is_inserted(site):
    assert "scrapbook" not in site[0] and "papermill" not in site[0]


def test_the_set_up_cell_is_folded(site):
    first = site[0].index('class="cell')
    assert "tag_hide-input" in site[0][first : first + 60]
    assert re.search(r'<details class="[^"]*above-input', site[0][first : first + 400])


def test_source_is_highlighted(site):
    assert "dlbook/book/budget.py" in site[0] and re.search(
        r'highlight-python.*?<span class="k">def</span>.*?device', site[0], flags=re.S
    )


def test_charts_are_transparent_svg_and_photographs_png(site):
    images = dict(re.findall(r'<img alt="([^"]*)" src="([^"]*)"', site[0]))
    assert images["A straight line"].endswith(".svg") and images["A grey square"].endswith(".png")
    chart = (site[1] / "_html" / images["A straight line"]).read_text("utf8")
    assert "fill: #ffffff" not in chart and "<dc:date>" not in chart


def test_tables_are_html(site):
    assert '<table class="dlbook-table dlbook-ledger">' in site[0] and "<caption>One row</caption>" in site[0]


def test_claims_are_gathered_from_the_cache(site, monkeypatch, capsys):
    monkeypatch.chdir(site[1])
    (site[1] / "old").mkdir(exist_ok=True)
    assert claims.main(["out/claims.json", "_cache"]) == 0
    found = json.loads((site[1] / "out" / "claims.json").read_text("utf8"))
    (chapter,) = found["chapters"]
    assert (chapter["page"], chapter["chapter"]) == ("index", "page")
    rows = [row for entry in chapter["entries"] for row in entry["rows"]]
    assert [(row["kind"], row["name"], row["citation"], row["place"]) for row in rows] == [
        ("verified", "weights", "", "ledger-1"),
        ("cited", "error", "he2016deep", "ledger-2"),
    ]
    assert "2 claims of 1 chapters (1 verified, 0 recorded, 1 cited)" in capsys.readouterr().out


def executed(chapter):
    """An executed notebook that shows a ledger."""
    entries = [{"number": 1, "rows": [{"kind": "verified", "name": "a"}]}]
    shown = {"schema": claims.SCHEMA, "chapter": chapter, "entries": entries}
    output = {"output_type": "display_data", "data": {}, "metadata": {claims.MIME: shown}}
    cells = [{"cell_type": "code", "outputs": [output]}, {"cell_type": "markdown"}]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}, shown


def test_claims_of_executed_notebooks_stand_in_the_book_s_order(tmp_path):
    for name in "ba":
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(executed(name)[0]))
    found = claims.gather(tmp_path, tmp_path)
    assert [(ledger["page"], ledger["chapter"], len(ledger["entries"])) for ledger in found] == [
        ("a", "a", 1),
        ("b", "b", 1),
    ]
    # All of YAML that a table of contents may use: another order of keys, quotes, a page inside of a page.
    for contents in (
        "root: index\nparts:\n  - chapters:\n    - file: b\n    - file: a\n",
        "root: index\nchapters:\n- title: The second letter\n  file: b\n# - file: a\n- {file: 'a'}\n",
        'root: index\nchapters: [{file: "b", sections: [{file: a}]}]\n',
    ):
        (tmp_path / "_toc.yml").write_text(contents)
        assert [ledger["page"] for ledger in claims.gather(tmp_path, tmp_path)] == ["b", "a"], contents


def test_a_ledger_of_another_schema_is_told(tmp_path):
    notebook, shown = executed("a")
    shown["schema"] = claims.SCHEMA - 1
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook))
    with pytest.raises(ValueError, match=f"schema {claims.SCHEMA}"):
        claims.gather(tmp_path, tmp_path)


def test_no_cache_is_told(tmp_path, capsys):
    assert claims.main([str(tmp_path / "out.json"), str(tmp_path / "nowhere")]) == 1
    assert "make book" in capsys.readouterr().err
    assert claims.main([]) == 2
