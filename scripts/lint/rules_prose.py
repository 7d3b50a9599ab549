"""Rules on prose: no number typed that the run measures, citations and references that resolve, nothing from
elsewhere.
"""

import re
from functools import cache
from pathlib import Path

from lint import python_code as python
from lint.rule import Told, rule
from lint.text import Block, Chapter, nearest
from lint.words import bare

UNITS = r"seconds?|s|ms|milliseconds?|minutes?|min|hours?|times|fold|×|GiB|MiB|GB|MB|KiB|kB|W|GPU hours"
MEASURED = (
    re.compile(r"(?<![\w.,/-])\d[\d,]*\.\d+(?![\w.]*\.\d)(?!\w)"),  # a decimal, not a version and not v1.5
    re.compile(r"(?<![\w.,])\d[\d,.]*\s*(?:%|per ?cent\b|percent)"),
    re.compile(rf"(?<![\w.,])\d[\d,.]*[\s-]?(?:{UNITS})\b(?!\s*\d)|(?<![\w.,])\d[\d,.]*\s?×(?!\s*\d)"),
)
PINPOINT = re.compile(
    r"\b(?:sections?|tables?|figures?|figs?\.?|eqs?\.?|equations?|chapters?|appendix|algorithms?|listings?|exercises?|theorems?|lemmas?|§+)\s*"
    r"[\dA-Z][\d.]*(?:(?:\s*(?:,|and|to|–|-)\s*)\d[\d.]*)*(?!\s*%)",
    flags=re.I,
)
CITE = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")
REFERENCE = re.compile(r"\{(?P<role>eq|ref|numref|prf:ref)\}`(?P<text>[^`]+)`")
LABEL = re.compile(r"^:(?:label|name):\s*(\S+)|^\s*\(([\w:.-]+)\)=\s*$|\$\$\s*\(([\w:.-]+)\)\s*$", flags=re.M)
FIGURE_NAME = re.compile(r"^\s*name:\s*['\"]?([\w:.-]+)|[{,]\s*name:\s*['\"]?([\w:.-]+)", flags=re.M)
PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<address>[^)\s]+)[^)]*\)")
FOREIGN = re.compile(
    r"<(?:script|img|iframe|video|audio|source|embed|object)\b[^>]*?(?:src|data)\s*=\s*[\"']?(?:https?:)?//|<link\b[^>]*href\s*=\s*[\"']?(?:https?:)?//"
    r"|@import\s+[^;]*//|\b(?:IFrame|YouTubeVideo|VimeoVideo)\(|\bImage\(\s*(?:url\s*=\s*)?[\"']https?:",
    flags=re.I,
)
ABSOLUTE = re.compile(
    r"(?<![\w.:/~-])(?:/(?:home|Users|root|tmp|work|mnt|var|opt|content|workspace|usr)/[\w.-]+|[A-Z]:\\\w+|file://\S+)"
)


def _line(block: Block, at: int, text: str | None = None) -> int:
    """The line of the page on which the character `at` of a prose block stands."""
    return block.line + (text or block.text)[:at].count("\n")


@rule("numbers")
def numbers(chapter: Chapter) -> Told:
    """No measured number is typed into prose; a paragraph that cites may quote, and `% number: reason` before
    it excuses.
    """
    blocks = chapter.all("prose", "comment", "heading")
    for before, block in zip([None, *blocks], blocks, strict=False):
        excused = (
            before is not None and before.kind == "comment" and re.match(r"%\s*number:\s*\S", before.text)
        )
        if block.kind == "comment" or excused:
            continue
        for start, paragraph in _items(block.text):
            text = PINPOINT.sub(" ", bare(paragraph))
            if "{cite" not in paragraph and (
                found := next(filter(None, (form.search(text) for form in MEASURED)), None)
            ):
                yield (
                    block.line + start,
                    f"the number '{found[0].strip()}' is typed into prose",
                    "insert it with page.insert and {glue:text}; cite its paper; or, if it is a "
                    "definition, write it as $...$ or `...`",
                )


def _items(text: str) -> list[tuple[int, str]]:
    """A paragraph as it is; a list item by item, a table row by row. With each the number of its first line,
    from 0.
    """
    items: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n")):
        if not items or re.match(r"\s*(?:[-*+]|\d+[.)])\s|\s*\|", line):
            items.append((number, line))
        else:
            items[-1] = (items[-1][0], items[-1][1] + "\n" + line)
    return items


@cache
def _bibliography(folder: Path) -> frozenset[str] | None:
    """The keys of the nearest references.bib at or above `folder`; None if there is none."""
    file = nearest(folder, "references.bib")
    if file is None:
        return None
    return frozenset(re.findall(r"^\s*@\w+\s*\{\s*([^,\s]+)\s*,", file.read_text("utf8"), flags=re.M))


@rule("citations", everywhere=True)
def citations(chapter: Chapter) -> Told:
    """Every citation, and every key that the ledger cites, is in references.bib."""
    keys = _bibliography(chapter.path.resolve().parent)
    cited = [
        (_line(b, m.start()), key.strip())
        for b in chapter.all("prose", "heading")
        for m in CITE.finditer(b.text)
        for key in m[1].split(",")
    ]
    for cell in chapter.cells:
        given = [
            python.text_of(call, 2, "citation")
            for name, call in python.calls(python.tree(cell.text))
            if name.endswith("ledger.cite")
        ]
        cited += [(cell.line, key) for key in given if key and "*" not in key]
    for line, key in cited:
        if keys is None:
            yield line, "there is no references.bib at or above the page", "add it"
            return
        if key not in keys:
            yield line, f"'{key}' is not in references.bib", "add the entry, or correct the key"


def labels_of(text: str) -> list[str]:
    """The labels that a page defines: targets, equations, exercises, figures of cells."""
    named = [next(filter(None, groups)) for groups in LABEL.findall(text)]
    return named + [next(filter(None, groups)) for groups in FIGURE_NAME.findall(text)]


@cache
def _labels_of_book(folder: Path) -> frozenset[str]:
    """The labels of all pages of the book that `folder` belongs to; of its own pages, if it is in none."""
    root = next((place for place in (folder, *folder.parents) if place.name == "chapters"), folder)
    return frozenset(label for page in root.rglob("*.md") for label in labels_of(page.read_text("utf8")))


@rule("references", everywhere=True)
def references(chapter: Chapter) -> Told:
    """Every {eq}, {ref} and {numref} leads to a label of the book."""
    known = (
        _labels_of_book(chapter.path.resolve().parent) | set(labels_of(chapter.text)) | {"genindex", "search"}
    )
    for block in chapter.all("prose", "heading"):
        for match in REFERENCE.finditer(block.text):
            label = re.sub(r"^.*<([^>]+)>$", r"\1", match["text"].strip(), flags=re.S)
            if label not in known:
                yield (
                    _line(block, match.start()),
                    f"{{{match['role']}}} leads to '{label}', which no page defines",
                    "correct it, or add the label",
                )


@rule("labels", everywhere=True)
def labels(chapter: Chapter) -> Told:
    """No label is given twice on a page."""
    found = labels_of(chapter.text)
    for label in sorted({label for label in found if found.count(label) > 1}):
        last = max(
            i
            for i, line in enumerate(chapter.text.splitlines(), 1)
            if re.search(rf"(?<![\w:.-]){re.escape(label)}(?![\w:.-])", line)
        )
        yield last, f"the label '{label}' is given {found.count(label)} times", "name one of them otherwise"


@rule("equations")
def equations(chapter: Chapter) -> Told:
    """The equations of the text carry a label (those inside a box, an exercise or a solution need none);
    there is one at least.
    """
    solving, count = False, 0
    for block in chapter.blocks:
        solving = (solving or block.kind == "solution-start") and block.kind != "solution-end"
        if block.kind != "math" or solving:
            continue
        count += 1
        labelled = block.options.get("label") or re.search(r"\$\$\s*\([\w:.-]+\)\s*$", block.text)
        if not labelled:
            yield block.line, "an equation without a label", "add `:label: eq-<slug>-...`"
    if not count:
        yield 1, "no equation in the text", "derive the idea in numbered equations"


@rule("images", everywhere=True)
def images(chapter: Chapter) -> Told:
    """Every image that is not computed has an alternative text, not a file's name."""
    for block in chapter.all("prose", "image", "figure"):
        found = (
            [(m["alt"], _line(block, m.start())) for m in PICTURE.finditer(block.text)]
            if block.kind == "prose"
            else []
        )
        if block.kind != "prose":
            found = [(str(block.options.get("alt", "")), block.line)]
        for alt, line in found:
            if not good_alt(alt):
                yield line, f"the image's alternative text is '{alt}'", "say what the image shows, in words"


def good_alt(alt: object) -> bool:
    """Whether a text says what an image shows: some words, and no file's name."""
    return (
        isinstance(alt, str)
        and len(alt.split()) >= 3
        and not re.search(r"\.(png|svg|jpe?g|gif|webp)\b", alt, flags=re.I)
    )


@rule("foreign", everywhere=True)
def foreign(chapter: Chapter) -> Told:
    """No image, script or frame comes from another host."""
    for number, line in enumerate(chapter.text.splitlines(), 1):
        picture = PICTURE.search(line)
        directive = re.match(r"^\s*[`:]{3,}\{(?:image|figure|iframe)\}\s*(?:https?:)?//", line)
        if FOREIGN.search(line) or directive or (picture and re.match(r"(?:https?:)?//", picture["address"])):
            yield number, "something is loaded from another host", "put the file into the repository"


@rule("absolute-path", everywhere=True)
def absolute_path(chapter: Chapter) -> Told:
    """No path of one machine stands in text or code."""
    for number, line in enumerate(chapter.text.splitlines(), 1):
        if match := ABSOLUTE.search(line):
            yield (
                number,
                f"the path '{match[0]}' is of one machine",
                "use a path relative to the repository, or data_dir()",
            )
