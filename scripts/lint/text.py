"""A chapter's MyST text taken apart into blocks, for the rules of the linter to look at.

>>> chapter = parse("# Title\\n\\nSome words.\\n\\n```{code-cell}\\nx = 1\\n```\\n")
>>> [(block.kind, block.line) for block in chapter.blocks]
[('heading', 1), ('prose', 3), ('code-cell', 5)]
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FENCE = re.compile(r"^(?P<indent> {0,3})(?P<mark>`{3,}|~{3,}|:{3,})(?P<info>.*)$")
DIRECTIVE = re.compile(r"^\{(?P<name>[\w:.-]+)\}\s*(?P<argument>.*)$")
OPTION = re.compile(r"^:(?P<key>[\w-]+):\s*(?P<value>.*)$")
VERBATIM = {
    "code-cell",
    "math",
    "code-block",
    "code",
    "literalinclude",
    "raw",
    "mermaid",
    "prf:algorithm",
    "eval-rst",
}
SINGLE = (  # kind, what the whole line looks like
    ("heading", re.compile(r"^#{1,6}\s+\S")),
    ("comment", re.compile(r"^%")),
    ("target", re.compile(r"^\([\w:.-]+\)=\s*$")),
    ("break", re.compile(r"^\+\+\+")),
)


@dataclass
class Block:
    """A piece of a chapter: heading, prose, comment, target, break, code (plain), math ($$) or the name of a
    directive.

    line: where it begins, from 1. text: its words or its body. options, children: of a directive.
    """

    kind: str
    line: int
    text: str
    argument: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    children: list["Block"] = field(default_factory=list)

    @property
    def level(self) -> int:
        """The level of a heading, 1 for the title."""
        return len(self.text) - len(self.text.lstrip("#"))

    @property
    def classes(self) -> list[str]:
        """The classes of a directive."""
        return str(self.options.get("class", "")).split()

    @property
    def tags(self) -> list[str]:
        """The tags of a code cell."""
        tags = self.options.get("tags", [])
        return (
            [tag.strip(" '\"") for tag in tags.strip("[]").split(",")]
            if isinstance(tags, str)
            else list(tags or [])
        )


@dataclass
class Chapter:
    """A chapter. path: as given; front: its front matter; blocks: its pieces in order; fault: why it could
    not be read.
    """

    path: Path
    text: str
    front: dict[str, Any]
    blocks: list[Block]
    fault: str = ""

    def all(self, *kinds: str) -> list[Block]:
        """Every block of the kinds named (of any kind, if none is), also inside of others, in order."""
        return [block for block in _walk(self.blocks) if not kinds or block.kind in kinds]

    @property
    def cells(self) -> list[Block]:
        """The code cells that run."""
        return [cell for cell in self.all("code-cell") if "skip-execution" not in cell.tags]

    @property
    def slug(self) -> str:
        """The chapter's name in labels and inserted numbers: the file's, with hyphens."""
        return self.path.stem.strip("_").replace("_", "-")

    @property
    def code(self) -> str:
        """The code of all cells."""
        return "\n".join(cell.text for cell in self.cells)

    def section(self, title: str) -> tuple[Block, list[Block]] | None:
        """The heading of the first section whose title begins with `title`, and the blocks of the section."""
        for index, block in enumerate(self.blocks):
            if block.kind == "heading" and block.text.lstrip("# ").lower().startswith(title.lower()):
                inside = []
                for other in self.blocks[index + 1 :]:
                    if other.kind == "heading" and other.level <= block.level:
                        break
                    inside.append(other)
                return block, inside
        return None


def _walk(blocks: list[Block]) -> Iterator[Block]:
    for block in blocks:
        yield block
        yield from _walk(block.children)


def read(path: Path) -> Chapter:
    """Read and parse the chapter at `path`."""
    return parse(path.read_text("utf8"), path)


def nearest(folder: Path, name: str) -> Path | None:
    """The file `name` at or above `folder`, such as a page of the book that the folder belongs to."""
    return next((f for place in (folder, *folder.parents) if (f := place / name).is_file()), None)


def parse(text: str, path: Path = Path("chapters/part/chapter.md")) -> Chapter:
    """Parse the text of a chapter. A front matter that is not YAML is told in `fault`."""
    lines = text.splitlines()
    front, start, fault = {}, 0, ""
    if lines and lines[0].strip() == "---":
        end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), len(lines))
        try:
            front = yaml.safe_load("\n".join(lines[1:end])) or {}
        except yaml.YAMLError as error:
            fault = " ".join(str(error).split())
        start = end + 1
    return Chapter(
        path, text, front if isinstance(front, dict) else {}, _blocks(lines[start:], start + 1), fault
    )


def _blocks(lines: list[str], first: int) -> list[Block]:
    """Blocks of `lines`, of which the first has the number `first`."""
    blocks, index = [], 0
    while index < len(lines):
        line, start = lines[index], index
        if not line.strip():
            index += 1
            continue
        if match := FENCE.match(line):
            index = _end_of_fence(lines, index, match)
            blocks.append(_fenced(match, lines[start + 1 : index], first + start))
            index += 1
        elif line.strip().startswith("$$"):
            index = _end_of_dollars(lines, index) + 1
            blocks.append(Block("math", first + start, "\n".join(lines[start:index])))
        elif kind := next((kind for kind, form in SINGLE if form.match(line)), None):
            blocks.append(Block(kind, first + start, line.strip()))
            index += 1
        else:
            while index < len(lines) and lines[index].strip() and not _begins_other(lines[index]):
                index += 1
            blocks.append(Block("prose", first + start, "\n".join(lines[start:index])))
    return blocks


def _begins_other(line: str) -> bool:
    return (
        bool(FENCE.match(line))
        or line.strip().startswith("$$")
        or any(form.match(line) for _, form in SINGLE)
    )


def _end_of_fence(lines: list[str], start: int, match: re.Match) -> int:
    mark = match["mark"]
    closing = re.compile(rf"^\s{{0,3}}{re.escape(mark[0])}{{{len(mark)},}}\s*$")
    return next((i for i in range(start + 1, len(lines)) if closing.match(lines[i])), len(lines))


def _end_of_dollars(lines: list[str], start: int) -> int:
    if re.match(r"^\$\$.+\$\$\s*(\([\w:.-]+\))?\s*$", lines[start].strip()):
        return start
    closing = (i for i in range(start + 1, len(lines)) if re.search(r"\$\$\s*(\([\w:.-]+\))?\s*$", lines[i]))
    return next(closing, len(lines) - 1)


def _fenced(match: re.Match, body: list[str], line: int) -> Block:
    directive = DIRECTIVE.match(match["info"].strip())
    if not directive:
        return Block("code", line, "\n".join(body), argument=match["info"].strip())
    options, skipped = _options(body)
    rest = body[skipped:]
    name = directive["name"]
    children = [] if name in VERBATIM else _blocks(rest, line + 1 + skipped)
    return Block(name, line, "\n".join(rest), directive["argument"].strip(), options, children)


def _options(body: list[str]) -> tuple[dict[str, Any], int]:
    """A directive's options (YAML between `---`, or `:key: value`), and how many lines they take."""
    if body and body[0].strip() == "---":
        end = next((i for i, line in enumerate(body[1:], 1) if line.strip() == "---"), len(body) - 1)
        try:
            found = yaml.safe_load("\n".join(body[1:end]))
        except yaml.YAMLError:
            found = None
        return (found if isinstance(found, dict) else {}), end + 1
    options, index = {}, 0
    while index < len(body) and (match := OPTION.match(body[index].strip())):
        options[match["key"]] = match["value"]
        index += 1
    return options, index
