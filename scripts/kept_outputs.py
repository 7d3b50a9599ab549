"""Puts a chapter that ran under nbval into the cache that the site is built from, so that it runs once.

nbval runs the notebook that hosted readers get: the chapter's cells after one cell that installs the package.
"""

from pathlib import Path

from chapter_cache import forget_page, keep, open_cache, source_of
from nbformat import NotebookNode
from toc import fingerprint, notebooks


def with_outputs(chapter: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """The chapter with the outputs of the executed notebook.

    Raises: ValueError where the code cells of the two are not the same.
    """
    ours, theirs = ([c for c in nb.cells if c.cell_type == "code"] for nb in (chapter, executed))
    theirs = theirs[1:]  # without the cell that installs the package
    if [c.source for c in ours] != [c.source for c in theirs]:
        raise ValueError(
            f"expected the {len(ours)} code cells of the chapter, got {len(theirs)} that are not the same; "
            "make the notebooks again"
        )
    for cell, ran in zip(ours, theirs, strict=True):
        cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    for key in ("language_info", "widgets"):
        if key in executed.metadata:
            chapter.metadata[key] = executed.metadata[key]
    return chapter


def remember(chapter: Path, executed: NotebookNode, seconds: float) -> None:
    """Keep the outputs of one chapter. seconds: what the execution took, of processor time."""
    cache = open_cache(notebooks())
    whole = with_outputs(source_of(cache, chapter), executed)
    keep(cache, chapter, whole, seconds, fingerprint(chapter))
    forget_page(chapter)
