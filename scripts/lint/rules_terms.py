"""Rules on terms: each is defined once in the book, in one short sentence, beside its first use."""

import re
from functools import cache
from pathlib import Path

from lint.rule import Told, rule
from lint.text import Chapter

MOST = 30  # words
TERM = re.compile(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`")


@cache
def _defined(folder: Path) -> tuple[tuple[str, Path], ...]:
    """The terms that the pages of the book define, in small letters, each with its page."""
    root = next((place for place in (folder, *folder.parents) if place.name == "chapters"), folder)
    pages = [page for page in sorted(root.rglob("*.md")) if not page.name.startswith("_")]
    found = ((page, re.findall(r"^```\{define\} *(.+)$", page.read_text("utf8"), re.M)) for page in pages)
    return tuple((term.strip().lower(), page.resolve()) for page, terms in found for term in terms)


def used(chapter: Chapter) -> list[tuple[int, str]]:
    """The terms that a page refers to, with their lines."""
    return [
        (block.line + block.text[: match.start()].count("\n"), match[1].strip().lower())
        for block in chapter.all("prose", "heading")
        for match in TERM.finditer(block.text)
    ]


@rule("definitions", everywhere=True)
def definitions(chapter: Chapter) -> Told:
    """A definition is one short text, of a term that no other place defines and that this page marks."""
    here, marked = chapter.path.resolve(), {term for _, term in used(chapter)}
    elsewhere = {term: page for term, page in _defined(here.parent) if page != here}
    seen = set()
    for block in chapter.all("define"):
        term, words = block.argument.lower(), len(block.text.split())
        if not term or not words or words > MOST or not block.text.rstrip().endswith("."):
            yield (
                block.line,
                f"a definition of {words} words",
                f"give a term, and 1 to {MOST} words and a stop",
            )
        elif term in seen or term in elsewhere:
            place = elsewhere.get(term, here).name
            yield block.line, f"'{term}' is defined in {place} already", f"refer to it: {{term}}`{term}`"
        elif term not in marked:
            yield block.line, f"'{term}' is not marked where it is used", f"write {{term}}`{term}` there"
        seen.add(term)


@rule("terms", everywhere=True)
def terms(chapter: Chapter) -> Told:
    """Every {term} leads to a definition of the book."""
    own = {block.argument.lower() for block in chapter.all("define")}
    known = own | {term for term, _ in _defined(chapter.path.resolve().parent)}
    for line, term in used(chapter):
        if term not in known:
            yield line, f"no page defines '{term}'", "define it where the book uses it first, by {define}"
