"""Writes clean .ipynb copies of the chapters, for Colab and Binder: `python scripts/make_notebooks.py
FOLDER`.

A chapter is MyST; Colab and JupyterLab know plain Markdown. So directives and roles become plain Markdown,
and the numbers that prose quotes are taken from the executed chapter. The first cell installs the package
where it is missing.
"""

import sys
from collections.abc import Container
from pathlib import Path

import jupytext
import nbformat
import yaml
from jupyter_cache import get_cache
from plain_markdown import PublishedPage, plain
from run_times import run_time
from toc import ROOT, RUN_TIMES, notebooks

SETUP = """# Hosted notebooks only: get the book's package. Where it is installed, this does nothing.
try:
    import dlbook
except ModuleNotFoundError:
    %pip install -q "dlbook @ git+{repository}@{branch}"
"""
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def site_url(repository: str) -> str:
    """The address of the site that GitHub serves for a repository: https://OWNER.github.io/NAME/."""
    owner, name = repository.rstrip("/").split("/")[-2:]
    return f"https://{owner}.github.io/{name}/"


def measured_numbers(
    chapter: Path, cache_folder: Path = ROOT / "_build" / ".jupyter_cache"
) -> dict[str, str]:
    """Names and texts of the numbers that the executed chapter inserts into its prose; none if it was not
    executed.
    """
    if not cache_folder.exists():
        return {}
    cache = get_cache(str(cache_folder))
    try:
        record = cache.match_cache_notebook(jupytext.read(chapter))
    except KeyError:
        return {}
    numbers = {}
    for cell in cache.get_cache_bundle(record.pk).nb.cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name:
                text = next(text for mime, text in output["data"].items() if mime.endswith("text/plain"))
                numbers[name] = text.strip("'\"")
    return numbers


def convert(chapter: Path, config: dict, root: Path = ROOT) -> nbformat.NotebookNode:
    """The notebook of one chapter, with nothing in its text that plain Markdown does not know."""
    relative = chapter.relative_to(root)
    repository, branch = config["repository"]["url"], config["repository"]["branch"]
    url = site_url(repository) + relative.with_suffix(".html").as_posix()
    words = run_time(root / RUN_TIMES.relative_to(ROOT), relative.with_suffix("").as_posix())
    page = PublishedPage(url=url, folder=chapter.parent, numbers=measured_numbers(chapter), run_time=words)
    notebook = jupytext.read(chapter)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = plain(cell.source, page)
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip()]
    hello = nbformat.v4.new_markdown_cell(
        f"*This notebook is made from [its chapter on the web]({url}).*", id="origin"
    )
    setup = nbformat.v4.new_code_cell(SETUP.format(repository=repository, branch=branch), id="set-up")
    notebook.cells[:0] = [hello, setup]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # the same bytes at every run
    notebook.metadata = {"kernelspec": KERNEL, "accelerator": "GPU", "colab": {"provenance": []}}
    nbformat.validate(notebook)
    return notebook


def make_notebooks(out: Path, root: Path = ROOT, only: Container[str] | None = None) -> list[Path]:
    """Write the notebooks of all chapters, or of those in `only`, below `out`; return their paths."""
    config = yaml.safe_load((root / "_config.yml").read_text("utf8"))
    written = []
    for chapter in notebooks(root):
        if only is not None and chapter.relative_to(root).as_posix() not in only:
            continue
        path = out / chapter.relative_to(root).with_suffix(".ipynb")
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(convert(chapter, config, root), path)
        written.append(path)
    return written


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python scripts/make_notebooks.py FOLDER")
    for notebook_path in make_notebooks(Path(sys.argv[1])):
        print(notebook_path)
