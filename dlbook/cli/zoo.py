"""`dlbook models` and `dlbook summary NAME`: the tables of `dlbook.zoo` in a terminal, or as JSON.

The package is imported inside the commands: `dlbook --help` does not wait for torch, and `dlbook models`
never imports it.

>>> parse_size("224"), parse_size("3x224x256"), parse_size(None)
(224, (3, 224, 256), None)
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dlbook.cli.output import json_text

if TYPE_CHECKING:
    from dlbook.zoo import Entry

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def parse_size(text: str | None) -> int | tuple[int, ...] | None:
    """Read "224" or "3x224x224" as numbers.

    Raises:
        ValueError: it is something else.
    """
    if text is None:
        return None
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) not in (1, 3) or not all(part.isdecimal() for part in parts):
        raise ValueError(
            "expected --size to be a side such as 224, or channels, height and width such as 3x224x224, "
            f"got {text!r}; write it so"
        )
    numbers = tuple(map(int, parts))
    return numbers if len(numbers) == 3 else numbers[0]


def columns(rows: list[tuple[str, ...]], right: tuple[int, ...]) -> str:
    """Rows of text as aligned columns; `right` names those that are aligned on their right.

    >>> print(columns([("model", "MACs"), ("mlp", "9")], right=(1,)))
    model  MACs
    mlp       9
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    pad = [str.rjust if i in right else str.ljust for i in range(len(widths))]
    lines = ("  ".join(f(t, w) for f, t, w in zip(pad, row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def models(
    pattern: Annotated[
        str | None,
        typer.Argument(help="Only names with this in them; or a whole pattern, in quotes: `'resnet*'`."),
    ] = None,
    family: Annotated[str | None, typer.Option(help="Only this family, such as resnet.")] = None,
    sort: Annotated[
        str | None, typer.Option(help="Order: name, year, parameters or macs, the smallest first.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the models: paper, year, parameters, and multiply-accumulates (MACs) at each one's input size."""
    from dlbook.zoo.choice import choose
    from dlbook.zoo.rows import TITLE

    found = choose(pattern, family, sort)
    if as_json:
        typer.echo(json_text([as_data(entry) for entry in found], indent=1))
        return
    head = ("model", "paper", "year", "parameters", "MACs", "input")
    rows = [
        (
            e.name,
            e.paper.short,
            str(e.paper.year),
            f"{e.parameters:,}",
            f"{e.macs:,}",
            "×".join(map(str, e.input_size)),
        )
        for e in found
    ]
    typer.echo(TITLE.format(len(rows), "s" * (len(rows) != 1)))
    typer.echo(columns([head, *rows], right=(3, 4)))  # the table of `zoo.models`, which needs torch


def as_data(entry: "Entry") -> dict[str, Any]:
    """A row of the zoo for JSON."""
    return {
        "name": entry.name,
        "family": entry.family,
        "paper": entry.paper.title,
        "year": entry.paper.year,
        "citation": entry.paper.key,
        "arxiv": entry.paper.arxiv,
        "input": list(entry.input_size),
        "parameters": entry.parameters,
        "macs": entry.macs,
    }


def summary(
    name: Annotated[str, typer.Argument(help="A model of `dlbook models`, such as resnet50.")],
    size: Annotated[
        str | None, typer.Option(help="Input: 3x224x224, or a side such as 224. Default: the model's own.")
    ] = None,
    depth: Annotated[
        int | None, typer.Option(help="Levels of modules to open, from 1. Default: all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the layers of a model with shape, parameters, multiply-accumulates (MACs) and receptive field."""
    from dlbook import zoo

    zoo.require_name(name)  # before torch is imported: a misspelled name is told at once
    numbers = parse_size(size)
    if as_json:
        typer.echo(json_text(zoo.describe(name, numbers, depth), indent=1))
    else:
        typer.echo(zoo.summary(name, numbers, depth))
