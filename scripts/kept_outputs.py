"""Puts a chapter that ran under nbval into the cache that the site is built from, so that it runs once.

nbval runs the notebook that hosted readers get: the chapter's cells after one cell that installs the package.
"""

import json
from pathlib import Path

import jupytext
from execute import BUILD, CACHE, FINGERPRINTS
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat import NotebookNode
from toc import ROOT, fingerprint


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
    CACHE.mkdir(parents=True, exist_ok=True)
    cache = get_cache(str(CACHE))
    name = str(chapter.relative_to(ROOT))
    whole = with_outputs(jupytext.read(chapter), executed)
    bundle = CacheBundleIn(whole, str(chapter), data={"execution_seconds": seconds})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    known = json.loads(FINGERPRINTS.read_text("utf8")) if FINGERPRINTS.exists() else {}
    FINGERPRINTS.write_text(json.dumps(known | {name: fingerprint(chapter)}, indent=1), "utf8")
    (BUILD / ".doctrees" / name).with_suffix(".doctree").unlink(missing_ok=True)
