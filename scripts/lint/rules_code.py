"""Rules on what code cells do: begin and end, device and seeds, inserted numbers, figures, widgets, ledger,
package source, independent reference.
"""

import ast
import re
from fnmatch import fnmatchcase

from lint import python_code as python
from lint.rule import Told, rule
from lint.rules_prose import good_alt
from lint.text import Chapter

ORACLE = re.compile(
    r"torchvision|timm|lightly|sklearn|scipy|torch\.optim|lr_scheduler|\bF\.|functional|\bnn\.[A-Z]|\b[Nn]aive"
    r"|\b[Rr]eference|\b[Oo]racle"
)
COMPARES = re.compile(r"\bassert\b|assert_close|allclose|torch\.equal|\.check\(|parity\(")
SIDE = re.compile(  # "Left: ...", "Middle and right: ...", "the right panel"; not "right guesses"
    r"\b(?:Left|Middle|Right)(?: and (?:left|middle|right))?\s*[:,]"
    r"|\b(?:left|middle|right)(?:-hand)? (?:panel|plot)s?\b"
)
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


@rule("begin", everywhere=True)
def begin(chapter: Chapter) -> Told:
    """The first code cell makes the page, `page = book.begin("<slug>", seed=0)`, and no other does."""
    if not chapter.cells:
        return
    first = chapter.cells[0]
    found = _named(chapter, "begin")
    if not re.search(rf"^page = book\.begin\(\"{re.escape(chapter.slug)}\"", first.text, flags=re.M):
        yield (
            first.line,
            f"the first code cell does not make the page of '{chapter.slug}'",
            f'write `from dlbook import book` and `page = book.begin("{chapter.slug}", seed=0)`',
        )
    for cell, _ in found[1:]:
        yield cell.line, "book.begin is called again", "use the page that there is"


@rule("end")
def end(chapter: Chapter) -> Told:
    """The last code cell ends the page, so that the ledger covers all that ran."""
    if chapter.cells and not re.search(r"^page\.end\(\)$", chapter.cells[-1].text, flags=re.M):
        yield chapter.cells[-1].line, "the last code cell does not end the page", "call page.end() in it"


@rule("device")
def device(chapter: Chapter) -> Told:
    """A chapter that trains does so on `page.device`, so that `DLBOOK_SCALE=gpu` moves it."""
    trains = [*_named(chapter, "fit"), *_named(chapter, "backward")]
    if trains and not re.search(r"\bpage\.device\b", chapter.code):
        yield trains[0][0].line, "training that no DLBOOK_SCALE moves", "put data and models on page.device"


@rule("seeds")
def seeds(chapter: Chapter) -> Told:
    """Runs over seeds go through `book.over_seeds`, which has as many as the machine allows."""
    for cell in chapter.cells:
        for node in ast.walk(python.tree(cell.text)):
            target = node.target if isinstance(node, (ast.For, ast.comprehension)) else None
            if isinstance(target, ast.Name) and target.id == "seed":
                yield cell.line, "a loop over seeds of its own", "call book.over_seeds(run, cpu=3, gpu=10)"
                break


@rule("inserted", everywhere=True)
def inserted(chapter: Chapter) -> Told:
    """Every {glue} is inserted by a cell of the page, and no name twice."""
    known = _inserted_names(chapter)
    for block in chapter.all():
        texts = [block.text] if block.kind in ("prose", "heading") else []
        for name in [m for text in texts for m in re.findall(r"\{glue:?\w*\}`([^`:]+)[^`]*`", text)]:
            if not any(fnmatchcase(name, form) for form in known):
                yield (
                    block.line,
                    f"no cell inserts '{name}'",
                    f"call page.insert with the name without '{chapter.slug}-'",
                )
    for name in sorted({name for name in known if "*" not in name and known.count(name) > 1}):
        yield 1, f"'{name}' is inserted {known.count(name)} times", "give each number its own name"


def _inserted_names(chapter: Chapter) -> list[str]:
    """What the cells insert; "*" stands for what is computed."""
    found = []
    for cell in chapter.cells:
        for name, call in python.calls(python.tree(cell.text)):
            own = "" if name == "glue" else f"{chapter.slug}-"
            if name in ("page.insert", "glue"):
                text = python.text_of(call, 0, "name")
                found.append(own + ("*" if text is None else text))
            elif name.endswith("ledger.cite") and any(k.arg == "insert" for k in call.keywords):
                text = python.text_of(call, 9, "insert")
                found.append(own + ("*" if text is None else text))
    return found


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


@rule("panels", everywhere=True)
def panels(chapter: Chapter) -> Told:
    """No caption or alternative text calls a panel the left or the right one: on a telephone the panels of a
    figure stand one below the other.
    """
    for cell in chapter.cells:
        options = cell.options.get("mystnb") or {}
        told = (options.get("image") or {}).get("alt"), (options.get("figure") or {}).get("caption")
        for match in (SIDE.search(str(text or "")) for text in told):
            if match:
                fix = "name the panel by its title, or say first and second"
                yield cell.line, f"a panel is called '{match[0].strip(' :,')}'", fix


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
                name.split(".")[-1] in python.WIDGETS or name == "book.draw"
                for name in python.calls_at_once(python.tree(cell.text))
            )
            and "widget" not in cell.tags
        ):
            yield cell.line, "a cell that shows a widget has no tag", "add `tags: [widget]` to the cell"


@rule("ledger")
def ledger(chapter: Chapter) -> Told:
    """The ledger has a prediction."""
    if not re.search(r"\bledger\.check\(", chapter.code):
        yield 1, "the ledger has no prediction", "call page.ledger.check(name, predicted=..., measured=...)"


@rule("ledger-names")
def ledger_names(chapter: Chapter) -> Told:
    """No two rows of the ledger have the same name: the later would replace the earlier."""
    seen = set()
    rows = ("check", "exceeds", "above", "below", "equal_within", "claim", "cite")
    for ending, position in (*((row, 0) for row in rows), ("record", 1)):
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
    """The implementation is compared with one that is not ours, before bug clinic and exercises."""
    after = chapter.section("From the paper to the code")
    cells = [cell for cell in chapter.cells if after is None or cell.line < after[0].line]
    imported = [cell for cell in cells if ORACLE.search(cell.text) and COMPARES.search(cell.text)]
    if not imported:
        yield (
            1,
            "no check against an independent reference",
            "compare with torch, torchvision, timm or a naive loop, by assert_close or ledger.check",
        )
