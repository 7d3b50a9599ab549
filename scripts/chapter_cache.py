"""The executed chapters: a jupyter-cache, which the site is built from.

The cache knows a notebook by its code alone. So each entry also carries the fingerprint of what the chapter
imported when it ran: an entry whose fingerprint is another one is not what the chapter would give now.
"""

from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from nbformat import NotebookNode
from toc import ROOT, fingerprint

CACHE = ROOT / "_build" / ".jupyter_cache"
READER = {"name": "myst_nb_md", "type": "plugin"}  # as the site reads its pages


def open_cache(chapters: list[Path], folder: Path = CACHE) -> JupyterCacheAbstract:
    """The cache, with these chapters as its project and no other."""
    folder.mkdir(parents=True, exist_ok=True)
    cache = get_cache(str(folder))
    known = {str(chapter) for chapter in chapters}
    for record in cache.list_project_records():
        if record.uri not in known:
            cache.remove_nb_from_project(record.pk)
    for chapter in chapters:
        cache.add_nb_to_project(str(chapter), read_data=READER)
    return cache


def source_of(cache: JupyterCacheAbstract, chapter: Path) -> NotebookNode:
    """The chapter as a notebook that was not run."""
    return cache.get_project_notebook(str(chapter)).nb


def is_kept(cache: JupyterCacheAbstract, chapter: Path) -> bool:
    """Whether the cache has what the chapter would give now: a whole run, with the same code and imports."""
    record = cache.get_cached_project_nb(str(chapter))
    return record is not None and record.data.get("fingerprint") == fingerprint(chapter)


def keep(
    cache: JupyterCacheAbstract, chapter: Path, notebook: NotebookNode, seconds: float, fingerprint_then: str
) -> None:
    """Put an executed chapter into the cache, in place of an earlier run of the same code.

    Args:
        cache: from `open_cache`.
        chapter: its page.
        notebook: the executed notebook, with the same code as the page.
        seconds: what the site calls the time of execution.
        fingerprint_then: `toc.fingerprint` of the page when the run began; "failed" for a run that failed:
            the page shows what there is, and the next build runs it again.
    """
    data = {"execution_seconds": seconds, "fingerprint": fingerprint_then}
    bundle = CacheBundleIn(notebook, str(chapter), data=data)
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def forget_page(chapter: Path) -> None:
    """Let the site write the chapter's page again, though its text is the same."""
    (CACHE.parent / ".doctrees" / chapter.relative_to(ROOT)).with_suffix(".doctree").unlink(missing_ok=True)
