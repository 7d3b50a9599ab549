"""Which rows of the zoo have to be asked everything again.

`tests/zoo/zoo_checked.json` keeps, for each family, a hash of all that its answers depend on, as it was
when the whole sweep passed: the family's own file, its recorded counts, its own lines in the tables of all
families, the questions, and what these import. What only a reader reads (comments, docstrings, the words of
an error) is not part of it. A family
whose hash is another one now is asked whole, and compared with the libraries (unless all are new). Of a third
of the others, each week another one, the smallest row is asked, and a few rows more. A new torch, torchvision
or timm makes every family new.
So a forgotten record costs time, and hides nothing.
"""

import ast
import datetime
import hashlib
import json
import random
from importlib.metadata import version
from pathlib import Path

from toc import ROOT, _imported_files

RECORD = ROOT / "tests" / "zoo" / "zoo_checked.json"
SHOWS = ("book", "widgets", "files.py")  # what shows the zoo or writes files, and answers nothing
LIBRARIES = ("torch", "torchvision", "timm")
TABLES = (  # a line for each family or row: a new family makes no other one new
    "dlbook/models/__init__.py",
    "dlbook/zoo/papers.py",
    "tests/oracles/peers.py",
)
SAMPLE = 10  # rows more, each week others
PARTS = 3  # of the families that have not changed one part is asked each week


def closure(files: set[Path], root: Path = ROOT) -> set[Path]:
    """Files of the package, these and all that they import."""
    seen: set[Path] = set()
    waiting = set(files)
    while waiting:
        file = waiting.pop()
        seen.add(file)
        imported = _imported_files(file.read_text("utf8"), root) - seen
        waiting |= {found for found in imported if found.relative_to(root).parts[1] not in SHOWS}
    return seen


class _WithoutWords(ast.NodeTransformer):
    """Takes out what only a reader reads: docstrings, and what an error says. The kind of error stays."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        said = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return ast.copy_location(ast.Pass(), node) if said else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        if isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        return node


class _WithOwnLines(ast.NodeTransformer):
    """Keeps of a list or table those lines that name one of `names`."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def _own(self, node: ast.AST | None) -> bool:
        """Whether a line names a row, or takes over another table."""
        said = (
            {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)} if node else self.names
        )
        return bool(said & self.names)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        table = node.value
        if isinstance(table, ast.Dict):
            kept = [pair for pair in zip(table.keys, table.values, strict=True) if self._own(pair[0])]
            table.keys, table.values = [key for key, _ in kept], [value for _, value in kept]
        elif isinstance(table, ast.Tuple):
            table.elts = [line for line in table.elts if self._own(line)]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node  # what a function assigns is no table of families


def computes(file: Path, names: set[str] | None = None) -> str:
    """A Python file as its parsed tree, without words and lines; of its tables what is said of `names`."""
    tree = _WithoutWords().visit(ast.parse(file.read_text("utf8")))
    return ast.dump(tree if names is None else _WithOwnLines(names).visit(tree))


def fingerprint(family: str, root: Path = ROOT) -> str:
    """A hash of the code that the answers of a family's rows depend on."""
    models = root / "dlbook" / "models"
    own = {models / f"{family}.py", *models.glob(f"{family}_weights.py")}
    lookup = models / "__init__.py"  # imports every family by name, none by a statement
    counted = (root / "dlbook" / "zoo" / "counted.csv").read_text("utf8").splitlines()
    rows = [line for line in counted if line.split(",")[1:2] == [family]]
    names = {family, *(row.split(",")[0] for row in rows)}
    digest = hashlib.sha256("\n".join(rows).encode())
    for file in sorted(closure(own | {lookup, root / "scripts" / "check_zoo.py"}, root)):
        path = file.relative_to(root).as_posix()
        digest.update(path.encode() + b"\0" + computes(file, names if path in TABLES else None).encode())
    return digest.hexdigest()


def now(families: list[str], root: Path = ROOT) -> dict:
    """The record as it would be written now."""
    return {
        "libraries": {name: version(name).split("+")[0] for name in LIBRARIES},
        "families": {family: fingerprint(family, root) for family in sorted(families)},
    }


def changed_families(families: list[str], record: Path = RECORD, root: Path = ROOT) -> list[str]:
    """The families that have to be asked whole."""
    before = json.loads(record.read_text("utf8")) if record.exists() else {}
    current = now(families, root)
    if before.get("libraries") != current["libraries"]:
        return list(families)
    known = before.get("families", {})
    return [family for family in families if known.get(family) != current["families"][family]]


def rows_to_ask(sizes: dict[str, tuple[str, int]], changed: list[str], week: str | None = None) -> list[str]:
    """All rows of the changed families, the smallest one of a third of the others, and a sample.

    sizes: row -> (family, parameters). week: decides the sample; None takes this week, such as "2026-W48".
    """
    smallest: dict[str, str] = {}
    for name, (family, parameters) in sizes.items():
        if family not in smallest or parameters < sizes[smallest[family]][1]:
            smallest[family] = name
    week = week or "{}-W{}".format(*datetime.date.today().isocalendar()[:2])
    sample = random.Random(week).sample(sorted(sizes), min(SAMPLE, len(sizes)))
    due = sorted(smallest)[int(week.partition("W")[2]) % PARTS :: PARTS]
    wanted = {*(smallest[family] for family in due), *sample}
    return [name for name, (family, _) in sizes.items() if family in changed or name in wanted]


def write(families: list[str], record: Path = RECORD) -> None:
    """Keep that the whole sweep has passed with the code as it is."""
    record.write_text(json.dumps(now(families), indent=1) + "\n", "utf8")
