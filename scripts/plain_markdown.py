"""Turns the MyST of a chapter into Markdown that Colab and plain JupyterLab show as it is meant."""

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{(?P<name>[\w:-]+)\}(?P<argument>[^\n]*)\n"
    r"(?P<body>(?:(?!^(?:`{3,}|:{3,})\{)[\s\S])*?)^(?P=fence)[ ]*$",
    flags=re.M,
)
OPTION = re.compile(r"^:[\w-]+:.*$")
TITLED = {"admonition", "dropdown", "define", "margin", "card", "grid-item-card", "tab-item"}
SILENT = {
    "solution-end",
    "exercise-end",
    "bibliography",
    "tableofcontents",
    "contents",
    "grid",
    "grid-item",
    "only",
}


@dataclass(frozen=True)
class PublishedPage:
    """What the text of one chapter needs: its address, its folder, and the numbers that its run inserted."""

    url: str
    folder: Path
    numbers: dict[str, str] = field(default_factory=dict)
    run_time: str = "not recorded yet"


def _split(body: str) -> tuple[dict[str, str], str]:
    """Separate a directive's options from its text."""
    lines, options = body.splitlines(), {}
    while lines and (OPTION.match(lines[0]) or not lines[0].strip()):
        line = lines.pop(0)
        if line.strip():
            key, _, value = line[1:].partition(":")
            options[key] = value.strip()
    return options, "\n".join(lines).strip()


def _quote(title: str, text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in [f"**{title}**", "", *text.splitlines()])


def _list_table(text: str, options: dict[str, str]) -> str:
    """A list-table as a pipe table."""
    rows: list[list[str]] = []
    for line in text.splitlines():
        if match := re.match(r"^\* - (.*)|^\*\s+-\s*(.*)", line):
            rows.append([match[1] or match[2] or ""])
        elif match := re.match(r"^\s+- ?(.*)", line):
            rows[-1].append(match[1])
        elif line.strip() and rows:
            rows[-1][-1] += " " + line.strip()
    if not rows:
        return text
    table = ["| " + " | ".join(row) + " |" for row in rows]
    table.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(table)


def _literal_include(argument: str, options: dict[str, str], page: PublishedPage) -> str:
    file = (page.folder / argument).resolve()
    lines = file.read_text("utf8").splitlines()
    return f"```{options.get('language', 'python')}\n" + "\n".join(lines) + "\n```"


def _directive(match: re.Match, page: PublishedPage) -> str:
    name, argument = match["name"], match["argument"].strip()
    options, text = _split(match["body"])
    if name == "math":
        return f"$$\n{text}\n$$"
    if name in SILENT:
        return text
    if name == "solution-start":
        return "**Solution**"
    if name in ("answer", "review-card"):
        title = "Answer" if name == "answer" else argument
        return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"
    if name in ("review", "review-deck"):
        return f"(see [the page on the web]({page.url}))"
    if name in ("exercise-start", "exercise"):
        return _quote(f"Exercise: {argument}".rstrip(": "), text)
    if name == "list-table":
        return (f"**{argument}**\n\n" if argument else "") + _list_table(text, options)
    if name in ("table", "figure", "image"):
        return (f"**{argument}**\n\n" if name == "table" and argument else "") + text
    if name == "literalinclude":
        return _literal_include(argument, options, page)
    if name in ("code-block", "code"):
        return f"```{argument}\n{textwrap.dedent(text)}\n```"
    if name.startswith("glue"):
        return page.numbers.get(argument, "(see the chapter on the web)")
    title = (
        argument if argument and (name in TITLED or name.startswith("prf:")) else name.split(":")[-1].title()
    )
    return _quote(title, text if argument == title or not argument else f"{argument}\n{text}")


def _role(match: re.Match, page: PublishedPage) -> str:
    name, content = match["name"], match["content"]
    shown = re.fullmatch(r"(.*?)\s*<([^>]*)>", content, flags=re.S)
    if name.startswith("cite"):
        return f"[{content}]({page.url})"
    if name.startswith("glue"):
        key, _, _ = content.partition(":")
        return page.numbers.get(key, "(see the chapter on the web)")
    if name == "run-time":
        return page.run_time
    if name == "term":
        return f"*{shown[1] if shown else content}*"
    if name in ("sub", "sup", "abbr", "kbd", "code", "math"):
        return f"${content}$" if name == "math" else f"`{content}`" if name in ("code", "kbd") else content
    return f"[{shown[1] if shown else content}]({page.url})"


def _links_to_pages(text: str, page: PublishedPage) -> str:
    """Links to other chapters' .md files lead to their pages."""
    here = page.url.rsplit("/", 1)[0]
    return re.sub(
        r"\]\((?!https?:)([\w./-]+)\.md(#[\w-]+)?\)", lambda m: f"]({here}/{m[1]}.html{m[2] or ''})", text
    )


def plain(text: str, page: PublishedPage) -> str:
    """A Markdown cell without directive, role, target or comment. Code in backticks stays as it is."""
    text = re.sub(r"^\([\w:.-]+\)=\n", "", text, flags=re.M)
    text = re.sub(r"^%.*\n?", "", text, flags=re.M)
    before = None
    while before != text:  # the innermost directive first
        before = text
        text = FENCE.sub(lambda match: _directive(match, page), text)
    text = re.sub(
        r"(?<!`)\{(?P<name>[a-z][\w:-]*)\}`(?P<content>[^`]+)`", lambda match: _role(match, page), text
    )
    return _links_to_pages(text, page)
