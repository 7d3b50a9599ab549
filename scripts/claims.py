"""Gathers the ledgers of the executed chapters: `python scripts/claims.py OUT.json [CACHE]`.

OUT.json becomes `{"chapters": [...]}` in the book's order, each with `page` (path without ending, from the
repository's root), `chapter` (slug) and `entries`, each with its `number` in the chapter's table, `section`
("claim": it could have failed, "equality", "recorded", "cited"), `title`, `words` (with how many rows it
stands for), `shown` (the row on its line) and `rows`. A row has `kind` ("verified", "recorded" or "cited"),
`name`, `predicted`, `measured`, `tolerance`, `source` and `citation` (a key of references.bib or ""), all
text, and `place`, its id on the page. CACHE is a jupyter-cache (`_build/.jupyter_cache` by default), or a
folder of executed .ipynb files.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from toc import ROOT, pages

sys.path.insert(0, str(ROOT))
from dlbook.book.ledger_table import MIME, SCHEMA
from dlbook.files import write_whole

CACHE = Path("_build/.jupyter_cache")


def ledgers(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the ledgers that an executed notebook (nbformat 4) shows."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if shown := output.get("metadata", {}).get(MIME):
                yield shown


def claims_of(page: str, notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the ledgers of one page, each with its entries.

    Raises:
        ValueError: if a ledger is of another schema.
    """
    found = []
    for ledger in ledgers(notebook):
        if ledger.get("schema") != SCHEMA:
            raise ValueError(
                f"{page}: expected a ledger of schema {SCHEMA}, got {ledger.get('schema')!r}; "
                "execute the chapter again."
            )
        found.append({"page": page, "chapter": ledger["chapter"], "entries": ledger["entries"]})
    return found


def executed(place: Path, root: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield page and notebook of every executed chapter: of the book's present text, not of former ones.

    Args:
        place: a jupyter-cache, or a folder of .ipynb files.
        root: the folder that pages are named from.

    Raises:
        ValueError: if `place` does not exist.
    """
    if not place.is_dir():
        raise ValueError(
            f"expected a folder of executed chapters, got {place}, which is not there; run `make book` first"
        )
    if not (place / "global.db").exists():
        for file in sorted(place.rglob("*.ipynb")):
            yield file.relative_to(place).with_suffix("").as_posix(), json.loads(file.read_text("utf8"))
        return
    from jupyter_cache import get_cache

    cache = get_cache(str(place))
    for record in sorted(cache.list_project_records(), key=lambda record: record.uri):
        if (cached := cache.get_cached_project_nb(record.pk)) is not None:
            page = Path(os.path.relpath(record.uri, root)).with_suffix("").as_posix()
            yield page, cache.get_cache_bundle(cached.pk).nb


def order(root: Path) -> list[str]:
    """Return the names of the book's pages in reading order; none where there is no table of contents."""
    if not (root / "_toc.yml").is_file():
        return []
    return [page.relative_to(root).with_suffix("").as_posix() for page in pages(root)]


def gather(place: Path, root: Path) -> list[dict[str, Any]]:
    """Return the ledgers of all executed chapters below `place`, in the book's order."""
    found = [ledger for page, notebook in executed(place, root) for ledger in claims_of(page, notebook)]
    known = {page: number for number, page in enumerate(order(root))}
    return sorted(found, key=lambda ledger: known.get(ledger["page"], len(known)))


def main(arguments: list[str]) -> int:
    """Write the list, whole or not at all; print how many claims of each kind there are."""
    if not 1 <= len(arguments) <= 2:
        print(__doc__, file=sys.stderr)
        return 2
    out = Path(arguments[0])
    try:
        chapters = gather(Path(arguments[1]) if len(arguments) == 2 else CACHE, Path.cwd())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, json.dumps({"chapters": chapters}, indent=1, ensure_ascii=False) + "\n")
    entries = [entry for chapter in chapters for entry in chapter["entries"]]
    kinds = Counter(row["kind"] for entry in entries for row in entry["rows"])
    each = ", ".join(f"{kinds[kind]} {kind}" for kind in ("verified", "recorded", "cited"))
    print(f"{kinds.total()} claims of {len(chapters)} chapters ({each}): {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
