"""Rules on form: one way to write what every chapter writes, so that forty chapters read as one book."""

import re
from functools import cache
from pathlib import Path

from lint.rule import Told, rule
from lint.text import Block, Chapter, nearest, read

BUG_PARTS = (r"Symptom: (?P<seen>[^*\n]+)\.", r"Check\.", r"Fix\.")


@rule("front-form", everywhere=True)
def front_form(chapter: Chapter) -> Told:
    """The front matter has what the template's has, and no more of jupytext's own."""
    found = chapter.front.get("jupytext")
    if not isinstance(found, dict):
        return
    extra = sorted(set(found) - {"text_representation"})
    extra += sorted(set(found.get("text_representation") or {}) - {"extension", "format_name"})
    if extra:
        yield 1, f"the front matter has {', '.join(extra)}", "copy the front matter of chapters/_template.md"


@rule("cell-form", everywhere=True)
def cell_form(chapter: Chapter) -> Told:
    """Cells are ```{code-cell} ipython3, their options a block of YAML between lines of three hyphens."""
    lines = chapter.text.splitlines()
    for cell in chapter.all("code-cell"):
        if cell.argument != "ipython3":
            yield cell.line, f"the cell's language is {cell.argument!r}", "write ```{code-cell} ipython3"
        if lines[cell.line : cell.line + 1] and lines[cell.line].lstrip().startswith(":"):
            yield cell.line, "options of a cell as `:key:`", "write them as YAML between two lines `---`"


@rule("set-up")
def set_up(chapter: Chapter) -> Told:
    """The first code cell, imports and data, is folded."""
    if chapter.cells and "hide-input" not in chapter.cells[0].tags:
        yield chapter.cells[0].line, "the set-up cell is not folded", "add `tags: [hide-input]` to it"


@rule("fold-tags")
def fold_tags(chapter: Chapter) -> Told:
    """What the page folds: `checks` (ledger, insertions, comparisons) goes with `hide-input`; `teach`, for at
    most eight short cells whose code is the idea, with neither.
    """
    taught = [cell for cell in chapter.cells if "teach" in cell.tags]
    for cell in chapter.cells:
        if "checks" in cell.tags and "hide-input" not in cell.tags:
            yield cell.line, "a cell of checks that notebooks do not fold", "write `[hide-input, checks]`"
        if "teach" in cell.tags and {"checks", "hide-input"} & set(cell.tags):
            yield cell.line, "a cell that teaches and is folded", "keep one of the tags"
    for cell in taught:
        if len(cell.text.strip().splitlines()) > 30:
            yield cell.line, "a cell that teaches, of more than 30 lines", "show the lines that are the idea"
    for cell in taught[8:]:
        yield cell.line, "a ninth cell that teaches", "keep the eight whose code is the idea"


@rule("imports", everywhere=True)
def imports(chapter: Chapter) -> Told:
    """torch's functions are imported in one form: `import torch.nn.functional as F`."""
    for cell in chapter.cells:
        if re.search(
            r"from torch\.nn(?:\.functional)? import .*functional|from torch\.nn\.functional", cell.text
        ):
            yield cell.line, "another form of import of F", "write `import torch.nn.functional as F`"


@rule("fences")
def fences(chapter: Chapter) -> Told:
    """Fences are of three backticks; of more only where something with a fence stands inside."""
    lines = chapter.text.splitlines()
    for block in chapter.all():
        line = lines[block.line - 1].lstrip() if block.line <= len(lines) else ""
        if re.match(r":{3,}\{|~{3,}", line):
            yield block.line, "a fence of colons or tildes", "write three backticks"
        elif line.startswith("````") and not any("```" in part for part in [block.text]):
            yield block.line, "a fence of four backticks with nothing fenced inside", "write three backticks"


@rule("exercise-form")
def exercise_form(chapter: Chapter) -> Told:
    """An empty line stands after the options of an exercise, of objectives, and of a prediction."""
    lines = chapter.text.splitlines()
    for block in chapter.all("exercise", "admonition"):
        if not block.options:
            continue
        after = block.line + len(block.options)  # the fence, its options, and then
        if after < len(lines) and lines[after].strip():
            yield block.line, "no empty line after the options", "add it"


@rule("bug-form")
def bug_form(chapter: Chapter) -> Told:
    """Each bug has paragraphs that begin with **Symptom: what one sees.**, **Check.** and **Fix.**, in this
    order, and what one sees is a line of the page of symptoms.
    """
    found = chapter.section("Bug clinic")
    if not found:
        return
    for heading, blocks in _bugs(*found):
        text = "\n\n".join(block.text for block in blocks if block.kind != "code-cell")
        places = [re.search(rf"(?:^|\n\n)\*\*{part}\*\*", text) for part in BUG_PARTS]
        if None in places or sorted(p.start() for p in places) != [p.start() for p in places]:
            yield (
                heading.line,
                "the bug is not told as symptom, check and fix",
                "begin a paragraph each with **Symptom: what one sees.**, **Check.** and **Fix.**",
            )
            continue
        for form in places[0]["seen"].split(";"):
            if form.strip() not in _symptoms(chapter.path.resolve().parent):
                yield (
                    heading.line,
                    f"no symptom of the book is {form.strip()!r}",
                    "take one of chapters/front/symptoms.md, or add it there",
                )


@cache
def _symptoms(folder: Path) -> set[str]:
    """What one sees, as the page of symptoms lists it, of the book that `folder` belongs to."""
    page = nearest(folder, "chapters/front/symptoms.md")
    lists = read(page).all("symptoms") if page else []
    return {line.strip().lower() for block in lists for line in block.text.split("\n")}


def _bugs(clinic: Block, blocks: list[Block]) -> list[tuple[Block, list[Block]]]:
    """Each bug's heading and what follows it."""
    bugs: list[tuple[Block, list[Block]]] = []
    for block in blocks:
        if block.kind == "heading" and block.level == clinic.level + 1:
            bugs.append((block, []))
        elif bugs:
            bugs[-1][1].append(block)
    return bugs


@rule("reading-form")
def reading_form(chapter: Chapter) -> Told:
    """Further reading is a list whose items cite with {cite:t}, by name."""
    found = chapter.section("Further reading")
    if not found or not any("{cite" in block.text for block in found[1]):  # that is another rule's
        return
    for block in found[1]:
        if block.kind != "prose":
            continue
        if "{cite:p}" in block.text or any(
            item and "{cite:t}" not in item for item in re.split(r"^- ", block.text, flags=re.M)
        ):
            yield (
                block.line,
                "further reading that does not name its authors",
                "write `- {cite:t}`key`: what`",
            )
            return
