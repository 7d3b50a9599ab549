"""Rules on symbols: one letter means one thing.

The notation page lists the letters of the whole book. A chapter lists its own in a dropdown `Symbols of this
chapter`, a table of the same form. The rule reads both tables, and every formula of the text. It cannot know
what a letter is used for where the text does not say so; it makes each chapter say it, once.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lint.rule import Told, rule
from lint.text import Block, Chapter, nearest, read

GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi varphi "
    "chi psi omega Gamma Delta Theta Lambda Sigma Phi Psi Omega ell nabla"
).split()
WORDS = re.compile(r"\\(?:text|mathrm|operatorname|mathbf|label)\*?\s*(?:\{[^{}]*\}|\w)")
LOWER = re.compile(r"_(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\\w+|\w)")  # a subscript only names which one
LETTER = re.compile(r"\\math(?:cal|bb)\s*\{?\s*\w\s*\}?|\\[a-zA-Z]+|[a-zA-Z]")
CONSTANT = {"e"}  # e^x
FORMULA = re.compile(r"(?<![\\$])\$(?!\s)((?:[^$]|(?<=\\)\$)+?)(?<!\s)\$(?!\$)")
DEFINED = re.compile(  # "where $x$ is the ...", "with $x$ the ...", "$x$ is the ..."
    r"(?P<before>\b(?:where|with|let) )?(?<![\\$])\$(?P<letter>[^$]+)\$ (?P<verb>is |be |means )?"
    r"(?:the|a|an) (?P<said>[a-z][\w -]+)",
    flags=re.I,
)
COMMON = {"number", "value", "which", "that", "with", "from", "what", "each", "where", "some", "same"}


def letters(tex: str) -> list[str]:
    r"""The letters of a formula without their indices, as they are written: 'x', '\eta', '\mathcal{L}'.

    >>> letters(r"\mathcal L_\infty = \tfrac12 h \mathbb{E}[w_t^2] + \mathrm{std}")
    ['\\mathcal{L}', 'h', '\\mathbb{E}', 'w']
    """
    found = LETTER.findall(LOWER.sub(" ", WORDS.sub(" ", tex)))
    named = [re.sub(r"(\\math\w+)\s*\{?\s*(\w)\s*\}?", r"\1{\2}", letter) for letter in found]
    keep = (x for x in named if x[0] != "\\" or x.startswith("\\math") or x[1:] in GREEK)
    return [letter for letter in keep if letter not in CONSTANT]


def listed(blocks: list[Block]) -> Iterator[tuple[str, str, int]]:
    """(letter, meaning, line) of every row of a table of symbols in `blocks`."""
    for block in blocks:
        for number, row in enumerate(block.text.split("\n") if block.kind == "prose" else []):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]
            if len(cells) > 1 and "$" in cells[0]:
                for letter in dict.fromkeys(
                    x for formula in FORMULA.findall(cells[0]) for x in letters(formula)
                ):
                    yield letter, cells[1], block.line + number


@cache
def _notation(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Letter -> meaning on the notation page of the book that `folder` belongs to: symbols, and axes."""
    page = nearest(folder, "chapters/front/notation.md")
    return (_section(read(page), "Symbols"), _section(read(page), "Axes")) if page else ({}, {})


def _section(chapter: Chapter, title: str) -> dict[str, str]:
    _, blocks = chapter.section(title) or (None, [])
    return {letter: meaning for letter, meaning, _ in listed(blocks)}


def _text(chapter: Chapter) -> Iterator[Block]:
    """The blocks with text and formulas, without exercises and solutions, which say their own letters."""
    solving = False
    for block in chapter.blocks:
        solving = (solving or block.kind == "solution-start") and block.kind != "solution-end"
        if not solving and block.kind != "exercise":
            yield block
            yield from _text(Chapter(chapter.path, "", {}, block.children))


def _used(blocks: list[Block]) -> dict[str, int]:
    """Letter -> the line of its first use in a formula."""
    found: dict[str, int] = {}
    for block in blocks:
        text = re.sub(r"`[^`\n]*`", " ", block.text)
        formulas = [(0, text)] if block.kind == "math" else []
        if block.kind in ("prose", "heading"):
            formulas = [(text[: m.start()].count("\n"), m[1]) for m in FORMULA.finditer(text)]
        for line, formula in formulas:
            for letter in letters(formula):
                found.setdefault(letter, block.line + line)
    return found


def _other(meaning: str, said: str) -> bool:
    """Whether what a sentence says of a letter shares no word with its meaning in the table."""
    stems = lambda text: (
        {word[:5] for word in re.findall(r"[a-z]{4,}", text.lower())} - {w[:5] for w in COMMON}
    )
    return bool(stems(said)) and not stems(said) & stems(meaning)


@rule("symbols", everywhere=True)
def symbols(chapter: Chapter) -> Told:
    """A letter in a formula is in the notation page's table or in the chapter's own, in one of them and once;
    and where a sentence says what it is, the sentence and the table agree.
    """
    notation, axes = _notation(chapter.path.resolve().parent)
    if chapter.path.name == "notation.md":
        yield from _twice(list(listed((chapter.section("Symbols") or (None, []))[1])), {})
    if "front" in chapter.path.parts or not chapter.all("exercise"):
        return
    lists = [block for block in chapter.all("dropdown") if block.argument.startswith("Symbols")]
    rows = list(listed([block for found in lists for block in found.children]))
    yield from _twice(rows, notation)
    in_lists = {id(block) for found in lists for block in found.children}
    blocks = [block for block in _text(chapter) if id(block) not in in_lists]
    known = axes | notation | {letter: meaning for letter, meaning, _ in rows}
    used = _used(blocks)
    for letter, line in used.items():
        if letter not in known:
            yield line, f"{letter} is in no table of symbols", "add it to `Symbols of this chapter`"
    for letter, _, line in rows:
        if letter not in used:
            yield line, f"{letter} is listed and not used", "take it off the list"
    yield from _said(blocks, known)


def _twice(rows: list[tuple[str, str, int]], before: dict[str, str]) -> Told:
    """Letters of a table that it has given a meaning already, or that the notation page has."""
    seen = dict(before)
    for letter, meaning, line in rows:
        if letter in seen:
            yield line, f"{letter} has two meanings, '{seen[letter]}' and '{meaning}'", "use another letter"
        seen[letter] = meaning


def _said(blocks: list[Block], meanings: dict[str, str]) -> Told:
    """Sentences of the form "$x$ is the ..." that say something else than the tables."""
    for block in blocks:
        for match in DEFINED.finditer(block.text) if block.kind == "prose" else ():
            found = letters(match["letter"])
            bare = re.fullmatch(r"[\\\w{}\s]+", match["letter"]) and "_" not in match["letter"]
            if len(found) != 1 or not bare or not (match["before"] or match["verb"]):
                continue
            meaning = meanings.get(found[0], match["said"])
            if _other(meaning, match["said"]):
                yield (
                    block.line + block.text[: match.start()].count("\n"),
                    f"the text calls {found[0]} '{match['said'].strip()}', the table '{meaning}'",
                    "use another letter, or make them agree",
                )
