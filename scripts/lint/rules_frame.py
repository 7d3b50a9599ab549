"""Rules on a chapter's frame: front matter, title, opening boxes, sections, ledger, length."""

import re

from lint.rule import Told, rule
from lint.text import Block, Chapter
from lint.words import words_of

SECTIONS = (  # in this order, after the chapter's own sections
    "From the paper to the code",
    "Bug clinic",
    "What people get wrong",
    "When to use it",
    "Exercises",
    "The ledger",
    "Summary",
    "Review cards",
    "Further reading",
)


@rule("front-matter", everywhere=True)
def front_matter(chapter: Chapter) -> Told:
    """A page with code says to jupytext that it is MyST, and names the kernel python3."""
    if chapter.fault:
        yield 1, f"the front matter is not YAML ({chapter.fault})", "correct it"
    elif chapter.all("code-cell"):
        form = (chapter.front.get("jupytext") or {}).get("text_representation") or {}
        if form.get("format_name") != "myst":
            yield (
                1,
                "the front matter does not say that this is MyST",
                "write jupytext: text_representation: {extension: .md, format_name: myst}",
            )
        if (chapter.front.get("kernelspec") or {}).get("name") != "python3":
            yield (
                1,
                "the front matter names no kernel python3",
                "write kernelspec: {display_name: Python 3, language: python, name: python3}",
            )


@rule("description", everywhere=True)
def description(chapter: Chapter) -> Told:
    """The page has a description for search engines, of 20 to 300 characters, without mathematics."""
    if chapter.fault:
        return
    text = ((chapter.front.get("myst") or {}).get("html_meta") or {}).get("description") or ""
    if not 20 <= len(text) <= 300:
        yield (
            1,
            f"the description has {len(text)} characters, expected 20 to 300",
            "write myst: html_meta: description in the front matter",
        )
    elif "$" in text:
        yield 1, "the description holds mathematics, which search engines show raw", "say it in words"


@rule("headings", everywhere=True)
def headings(chapter: Chapter) -> Told:
    """One title, first; below it no heading skips a level."""
    found = [block for block in chapter.blocks if block.kind == "heading"]
    if not found or found[0].level != 1:
        yield (
            (found[0].line if found else 1),
            "the page does not begin with its title",
            "write `# Title` before all else",
        )
    for before, heading in zip(found, found[1:], strict=False):
        if heading.level == 1:
            yield heading.line, "a second title", "make it `##`"
        elif heading.level > before.level + 1:
            yield (
                heading.line,
                f"a heading of level {heading.level} below one of level {before.level}",
                f"use {'#' * (before.level + 1)}",
            )


def _box(chapter: Chapter, name: str) -> Block | None:
    return next((box for box in chapter.all("admonition") if name in box.classes), None)


@rule("opening")
def opening(chapter: Chapter) -> Told:
    """Words stand between the title and the first box: what problem this solves."""
    for block in chapter.blocks:
        if block.kind == "prose":
            return
        if block.kind == "admonition" or (block.kind == "heading" and block.level > 1):
            yield (
                block.line,
                "no opening paragraph before this",
                "say in plain words what problem the chapter solves",
            )
            return


@rule("objectives")
def objectives(chapter: Chapter) -> Told:
    """A box of the class objectives has 3 to 5 bullets."""
    box = _box(chapter, "objectives")
    if box is None:
        yield (
            1,
            "no box of objectives",
            "add ```{admonition} After this chapter you can with :class: objectives",
        )
        return
    count = len(re.findall(r"^\s{0,3}[-*+] ", box.text, flags=re.M))
    if not 3 <= count <= 5:
        yield box.line, f"{count} objectives, expected 3 to 5", "keep what a reader will be able to do"


@rule("glance")
def glance(chapter: Chapter) -> Told:
    """A box of the class glance names what comes before, papers (cited), data, and the run time, which is
    the recorded one.
    """
    box = _box(chapter, "glance")
    if box is None:
        yield 1, "no box 'At a glance'", "add ```{admonition} At a glance with :class: glance"
        return
    needs = {
        "Before you start": r"before you start",
        "Papers": r"\{cite",
        "Data": r"\*\*data\*\*",
        "Run time": r"run time.*\{run-time\}",
    }
    for name, form in needs.items():
        if not re.search(form, box.text, flags=re.I | re.S):
            yield (
                box.line,
                f"the box 'At a glance' does not say {name}",
                "say it, papers by {cite:p}, the run time by {run-time}",
            )


@rule("sections")
def sections(chapter: Chapter) -> Told:
    """Every chapter has the sections that each chapter has."""
    for title in SECTIONS:
        if chapter.section(title) is None:
            yield 1, f"no section '{title}'", f"write `## {title}`"


@rule("order")
def order(chapter: Chapter) -> Told:
    """The parts stand in the order of every chapter: opening, objectives, glance, set-up, a picture of the
    failure, code of the package, then the sections from "From the paper to the code" to "Further reading".
    """
    boxes = [(name, _box(chapter, name)) for name in ("objectives", "glance")]
    sections = [(f"the section '{title}'", chapter.section(title)) for title in SECTIONS]
    parts = [
        *boxes,
        ("the set-up cell", next(iter(chapter.cells), None)),
        ("a first picture", next((cell for cell in chapter.cells if shows(cell)), None)),
        ("code of the package", next((cell for cell in chapter.cells if "book.source(" in cell.text), None)),
        *((name, found[0]) for name, found in sections if found),
    ]
    there = [(name, block) for name, block in parts if block is not None]
    for (before, first), (name, block) in zip(there, there[1:], strict=False):
        if block.line < first.line:
            yield block.line, f"{name} stands before {before}", "keep the order of chapters/_template.md"


def shows(cell: Block) -> bool:
    """Whether a cell shows a figure: it is a widget, or has a figure's name."""
    return "widget" in cell.tags or bool((cell.options.get("mystnb") or {}).get("figure"))


@rule("further-reading")
def further_reading(chapter: Chapter) -> Told:
    """Further reading cites."""
    found = chapter.section("Further reading")
    if found and not any("{cite" in block.text for block in found[1]):
        yield (
            found[0].line,
            "further reading without a citation",
            "cite, and say which section or table to read",
        )


@rule("decision-table")
def decision_table(chapter: Chapter) -> Told:
    """'When to use it' holds a table."""
    found = chapter.section("When to use it")
    if not found:
        return
    for block in found[1]:
        inside = [block, *block.children]
        if any(
            b.kind in ("table", "list-table", "csv-table")
            or re.search(r"^\s*\|.*\|\s*\n\s*\|[ :|-]+\|", b.text, flags=re.M)
            for b in inside
        ):
            return
        if block.kind == "code-cell" and "table(" in block.text:
            return
    yield found[0].line, "no decision table", "add a table: situation, choice, why"


@rule("length", warning=True)
def length(chapter: Chapter) -> Told:
    """A chapter has 1,500 to 5,000 words of prose, review cards not counted."""
    count = sum(len(words_of(block.text)) for block in chapter.all("prose"))
    count -= sum(len(words_of(card.text)) for card in chapter.all("review-card"))
    if not 1500 <= count <= 5000:
        yield (
            1,
            f"{count} words of prose, expected 1500 to 5000",
            "derive what is missing, or cut what repeats",
        )
