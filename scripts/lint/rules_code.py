"""Rules on code cells: begin and end, figures, widgets, inserted numbers, ledger, package source, independent
reference.
"""

import re
from fnmatch import fnmatchcase

from lint import python_code as python
from lint.rule import Told, rule
from lint.rules_prose import good_alt
from lint.text import Chapter

ORACLE = re.compile(
    r"torchvision|timm|lightly|sklearn|scipy|torch\.optim|lr_scheduler|\bF\.|functional|\bnn\.[A-Z]|\bnaive|\breference|\boracle",
    flags=re.I,
)
COMPARES = re.compile(r"\bassert\b|assert_close|allclose|torch\.equal|\.check\(")
DEAD = re.compile(r"\binteract(?:ive|_manual|ive_output)?\s*\(|\bipywidgets\b|@interact\b")


def _named(chapter: Chapter, ending: str) -> list:
    """(cell, call) of every call whose dotted name is `ending` or ends in `.ending`."""
    return [
        (cell, call)
        for cell in chapter.cells
        for name, call in python.calls(python.tree(cell.text))
        if name == ending or name.endswith(f".{ending}")
    ]


@rule("python", everywhere=True)
def is_python(chapter: Chapter) -> Told:
    """Every code cell is Python that parses."""
    for cell in chapter.all("code-cell"):
        if (
            cell.text.strip()
            and not python.tree(cell.text).body
            and not all(re.match(r"\s*(#|$)", line) for line in cell.text.splitlines())
        ):
            yield cell.line, "the cell is not Python", "correct the syntax"


@rule("begin")
def begin(chapter: Chapter) -> Told:
    """The first code cell calls `begin`."""
    if chapter.cells and not re.search(r"\bbegin\(", chapter.cells[0].text):
        yield (
            chapter.cells[0].line,
            "the first code cell does not call begin",
            "write `from dlbook import book` and `book.begin(seed=0)`",
        )


@rule("run-time")
def run_time(chapter: Chapter) -> Told:
    """The last code cell keeps the run time, so that it covers all that ran."""
    if chapter.cells and "insert_run_time(" not in chapter.cells[-1].text:
        yield (
            chapter.cells[-1].line,
            "the last code cell does not keep the run time",
            "end with book.insert_run_time('<slug>-seconds')",
        )


@rule("inserted", everywhere=True)
def inserted(chapter: Chapter) -> Told:
    """Every {glue} is inserted by a cell of the page, and no name twice."""
    names = [
        python.text_of(call, 0, "name")
        for ending in ("insert", "insert_run_time", "glue")
        for _, call in _named(chapter, ending)
    ]
    known = ["*" if name is None else name for name in names]
    for block in chapter.all():
        texts = [block.text] if block.kind in ("prose", "heading") else []
        for name in [m for text in texts for m in re.findall(r"\{glue:?\w*\}`([^`:]+)[^`]*`", text)]:
            if not any(fnmatchcase(name, form) for form in known):
                yield block.line, f"no cell inserts '{name}'", f"call book.insert('{name}', value)"
    for name in sorted({name for name in known if "*" not in name and known.count(name) > 1}):
        yield 1, f"'{name}' is inserted {known.count(name)} times", "give each number its own name"


@rule("figures", everywhere=True)
def figures(chapter: Chapter) -> Told:
    """A cell that draws has, in its metadata, an alternative text in words, a caption, and a name fig-..."""
    trees = [(cell, python.tree(cell.text)) for cell in chapter.cells]
    helpers = set().union(*(python.drawing_functions(module) for _, module in trees)) if trees else set()
    for cell, module in trees:
        if not python.draws(module, helpers) or {"remove-cell", "remove-output"} & set(cell.tags):
            continue
        options = cell.options.get("mystnb") or {}
        image, figure = options.get("image") or {}, options.get("figure") or {}
        if not good_alt(image.get("alt")):
            yield (
                cell.line,
                f"the figure's alternative text is {image.get('alt')!r}",
                "say what it shows: mystnb: {image: {alt: '...'}} in the cell",
            )
        if len(str(figure.get("caption") or "").split()) < 3:
            yield cell.line, "the figure has no caption", "add mystnb: {figure: {caption: '...'}} in the cell"
        if not str(figure.get("name") or "").startswith("fig-"):
            yield (
                cell.line,
                f"the figure's name is {figure.get('name')!r}",
                "name it fig-<slug>-...: mystnb: {figure: {name: ...}}",
            )


@rule("widgets", everywhere=True)
def widgets(chapter: Chapter) -> Told:
    """No control that is dead without a kernel; the book's own widgets stand in cells tagged `widget`."""
    for cell in chapter.cells:
        if DEAD.search(cell.text):
            yield (
                cell.line,
                "a control that needs a kernel is dead on the page",
                "use Curves, Images or Stepper of dlbook.widgets",
            )
        elif (
            any(
                name.split(".")[-1] in python.WIDGETS for name in python.calls_at_once(python.tree(cell.text))
            )
            and "widget" not in cell.tags
        ):
            yield cell.line, "a cell that shows a widget has no tag", "add `tags: [widget]` to the cell"


@rule("ledger")
def ledger(chapter: Chapter) -> Told:
    """A ledger of the chapter's slug is kept, has a check, and is shown."""
    made = _named(chapter, "Ledger")
    if not made:
        yield 1, "no ledger", f"write ledger = book.Ledger('{chapter.path.stem}')"
        return
    for cell, call in made:
        slug = python.text_of(call, 0, "chapter")
        if slug != chapter.path.stem.replace("_", "-"):
            yield cell.line, f"the ledger is of {slug!r}", f"name it '{chapter.path.stem}', as the file"
    if not re.search(r"\bledger\w*\.check\(", chapter.code):
        yield (
            made[0][0].line,
            "the ledger has no prediction",
            "call ledger.check(name, predicted=..., measured=...)",
        )
    if not re.search(r"\bledger\w*\.show\(\)", chapter.code):
        yield made[0][0].line, "the ledger is not shown", "call ledger.show() near the end"


@rule("ledger-names")
def ledger_names(chapter: Chapter) -> Told:
    """No two rows of the ledger have the same name: the later would replace the earlier."""
    seen = set()
    for ending, position in (("check", 0), ("claim", 0), ("cite", 0), ("record", 1)):
        for cell, call in _named(chapter, f"ledger.{ending}"):
            name = python.text_of(call, position, "name")
            if name and "*" not in name and name in seen:
                yield cell.line, f"two rows of the ledger are named '{name}'", "say what differs"
            seen.add(name)


@rule("source")
def source(chapter: Chapter) -> Told:
    """The package's own code is shown, taken from the package."""
    if not _named(chapter, "source"):
        yield 1, "no code of the package is shown", "call book.source(...) on the class or function"


@rule("reference-check")
def reference_check(chapter: Chapter) -> Told:
    """The implementation is compared with one that is not ours."""
    imported = [cell for cell in chapter.cells if ORACLE.search(cell.text) and COMPARES.search(cell.text)]
    if not imported:
        yield (
            1,
            "no check against an independent reference",
            "compare with torch, torchvision, timm or a naive loop, by assert_close or ledger.check",
        )
