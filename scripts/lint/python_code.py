"""What the linter has to know of a cell's Python: calls, asserts, and which cells draw.

>>> [name for name, _ in calls(tree("ledger.check('a', 1, 1)\\nplt.plot(x)"))]
['ledger.check', 'plt.plot']
"""

import ast
import re
from collections.abc import Iterator

DRAWING = re.compile(
    r"^(?:plt|pyplot)\.(?!close|style|rc|get_cmap|colormaps|cm\b)|^(?:book\.)?(?:photos|show_png|panels|bands)$|\.(?:subplots|imshow)$"
)
WIDGETS = {"Curves", "Diagram", "Images", "Scatter", "Stepper"}


def tree(code: str) -> ast.Module:
    """The syntax tree of a cell; magics are left out; an empty tree where it is not Python."""
    lines = ("pass" if re.match(r"\s*[%!]", line) else line for line in code.splitlines())
    try:
        return ast.parse("\n".join(lines))
    except SyntaxError:
        return ast.Module([], [])


def calls(node: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """The dotted name of everything that is called, with the call, in the order of the lines."""
    found = [
        (name, call) for call in ast.walk(node) if isinstance(call, ast.Call) and (name := dotted(call.func))
    ]
    yield from sorted(found, key=lambda pair: (pair[1].lineno, pair[1].col_offset))


def dotted(node: ast.AST) -> str:
    """`a.b.c` as text; "(...)" stands for what is no name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value) or '(...)'}.{node.attr}"
    return ""


def calls_at_once(node: ast.AST) -> set[str]:
    """Names that are called when the cell runs, not merely within a function that it defines."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
        return set()
    name = {dotted(node.func)} if isinstance(node, ast.Call) else set()
    return name.union(*(calls_at_once(child) for child in ast.iter_child_nodes(node)))


def drawing_functions(module: ast.Module) -> set[str]:
    """Functions defined in a cell whose body draws."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    return {f.name for f in functions if any(DRAWING.search(name) for name, _ in calls(f))}


def draws(module: ast.Module, helpers: set[str]) -> bool:
    """Whether a cell draws when it runs, itself or through one of `helpers`."""
    return any(DRAWING.search(name) or name in helpers for name in calls_at_once(module))


def text_of(call: ast.Call, position: int, keyword: str) -> str | None:
    """An argument of a call, if it is a literal text; of an f-string, "*" for what is not literal."""
    given = {k.arg: k.value for k in call.keywords}.get(keyword)
    node = given or (call.args[position] if len(call.args) > position else None)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)
    return None
