"""The template is a whole chapter: it runs under nbval, as every chapter does, and is no page of the book."""

import test_notebooks
import toc
import yaml
from make_notebooks import convert

TEMPLATE = toc.ROOT / "chapters" / "_template.md"
CONFIG = yaml.safe_load((toc.ROOT / "_config.yml").read_text("utf8"))


def test_the_template_runs_under_nbval(tmp_path):
    import nbformat

    notebook = tmp_path / "template.ipynb"
    nbformat.write(convert(TEMPLATE, CONFIG), notebook)
    env = test_notebooks.environment(
        tmp_path / "package"
    )  # without network; the checkout stands for the wheel
    env["PYTHONPATH"] = env["PYTHONPATH"].replace(str(tmp_path / "package"), str(toc.ROOT))
    run = test_notebooks.run_notebook(notebook, env, seconds=600)
    assert not run.failure, run.output


def test_the_template_is_no_page_of_the_book():
    assert TEMPLATE not in toc.pages()
    assert CONFIG["only_build_toc_files"] and "chapters/_template.md" in CONFIG["exclude_patterns"]
