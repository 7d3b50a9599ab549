"""`make book`: execute what changed, gather the claims, build the HTML with warnings as errors.

Where nothing has changed since the last build, that is told by hashes alone. A chapter that fails costs its
own outputs, not the book: the others are built, its page says what happened, and the exit code is 1.
"""

import argparse
import sys
import time
from pathlib import Path

from execute import BUILD, FAILURES, execute, read_json, report, write_json
from html_pages import build_html
from processes import interrupt_on_sigterm
from progress import Progress, duration
from toc import ROOT, RUN_TIMES, code_hash, fingerprint, hash_of, notebooks, pages

BUILT = BUILD / "built.json"  # what the last whole build was made from
GOES_ON = "\nStopped. What was done is kept: 'make book' goes on from there."


def files_below(*folders: str) -> list[Path]:
    """All files below some folders of the repository, without what Python caches."""
    found = (file for folder in folders for file in (ROOT / folder).rglob("*"))
    return [file for file in found if file.is_file() and "__pycache__" not in file.parts]


def state() -> dict:
    """Hash all that the book is made from: what concerns every page, each page's text, each one's imports."""
    named = ("_config.yml", "_toc.yml", "references.bib", "requirements.txt")
    common = [ROOT / name for name in named] + [RUN_TIMES, *files_below("_static", "_ext", "scripts")]
    package = [
        file for file in files_below("dlbook") if file.suffix == ".py"
    ]  # its reference is a part of the book
    names = {page: page.relative_to(ROOT).as_posix() for page in pages()}
    chapters = {names[page]: [code_hash(page), fingerprint(page)] for page in notebooks()}
    return {
        "common": hash_of(common),
        "package": hash_of(package),
        "pages": {name: hash_of([page]) for page, name in names.items()},
        "chapters": chapters,
    }


def is_built(now: dict) -> bool:
    """Whether the last build was whole, was made from this, and is still there."""
    there = [(BUILD / "html" / name).with_suffix(".html").is_file() for name in now["pages"]]
    return all(there) and not read_json(FAILURES) and read_json(BUILT) == now


def changed_chapters(now: dict) -> set[str]:
    """The chapters whose clean notebook has to be written again."""
    before = read_json(BUILT)
    if before.get("common") != now["common"]:
        return set(now["chapters"])
    same = lambda part, name: before.get(part, {}).get(name) == now[part][name]
    there = {name: (BUILD / "notebooks" / name).with_suffix(".ipynb").is_file() for name in now["chapters"]}
    return {n for n in now["chapters"] if not (there[n] and same("pages", n) and same("chapters", n))}


def gather_claims() -> None:
    """Write the list of all claims, which one page shows."""
    from chapter_cache import CACHE
    from claims import main

    if main([str(BUILD / "claims.json"), str(CACHE)]):
        sys.exit("\nThe book was not built: its claims could not be gathered, see above.")


def build() -> int:
    """Build the site into _build/html, say where it is, and return the exit code."""
    start, now, index = time.monotonic(), state(), BUILD / "html" / "index.html"
    if is_built(now):
        print(f"Nothing has changed: the book is in {index.parent}. Read it with 'make serve'.")
        return 0
    before, progress = read_json(BUILT), Progress()
    failed = execute()
    if changed := changed_chapters(now):
        from make_notebooks import make_notebooks  # here, since it takes a second

        make_notebooks(BUILD / "notebooks", only=changed)  # the pages' downloads
    if failed or before.get("chapters") != now["chapters"] or not (BUILD / "claims.json").is_file():
        gather_claims()
    build_html(progress, strict=not failed)
    if failed:
        BUILT.unlink(missing_ok=True)
        count = "One chapter" if len(failed) == 1 else f"{len(failed)} chapters"
        print(f"\nThe book is in {index.parent}, but not whole. {count} failed:", flush=True)
        report(failed)
        return 1
    write_json(BUILT, now)
    print(f"\nThe book is in {index.parent} ({duration(time.monotonic() - start)}).")
    print("Read it with 'make serve', or open that folder's index.html.")
    return 0


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()  # there are no options: `--help` must not build, and a word is refused
    interrupt_on_sigterm()
    try:
        sys.exit(build())
    except KeyboardInterrupt:
        print(GOES_ON, file=sys.stderr)
        sys.exit(130)
