"""`dlbook models` and `dlbook summary NAME`: the tables of `dlbook.zoo` in a terminal, or as JSON.

The package is imported inside the commands: `dlbook --help` does not wait for torch.

>>> parse_size("224"), parse_size("3x224x256"), parse_size(None)
(224, (3, 224, 256), None)
"""

import json
import sys
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def parse_size(text: str | None) -> int | tuple[int, ...] | None:
    """ "224" or "3x224x224" as numbers. Raises ValueError for anything else."""
    if text is None:
        return None
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) not in (1, 3) or not all(part.isdecimal() for part in parts):
        raise ValueError(
            "--size must be a side such as 224, or channels, height and width such as 3x224x224, "
            f"got {text!r}"
        )
    numbers = tuple(map(int, parts))
    return numbers if len(numbers) == 3 else numbers[0]


def models(
    family: Annotated[str | None, typer.Option(help="Only this family, such as resnet.")] = None,
    as_json: Json = False,
) -> None:
    """List the zoo: paper, year, parameters, MACs at each model's own input size."""
    from dlbook import zoo
    from dlbook.zoo.costs import names

    rows = names(family)
    with typer.progressbar(rows, label="counting", file=sys.stderr, hidden=not sys.stderr.isatty()) as shown:
        found = [zoo.entry(name) for name in shown]
    if not as_json:
        typer.echo(zoo.models(found=found))
        return
    listed = [
        {
            "name": e.name,
            "family": e.family,
            "paper": e.paper.title,
            "year": e.paper.year,
            "citation": e.paper.key,
            "arxiv": e.paper.arxiv,
            "input": list(e.input_size),
            "parameters": e.parameters,
            "macs": e.macs,
        }
        for e in found
    ]
    typer.echo(json.dumps(listed, indent=1, ensure_ascii=False))


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
    """Print the layers of a model: shape, parameters, MACs, receptive field; and the total."""
    from dlbook import zoo

    numbers = parse_size(size)
    if as_json:
        typer.echo(json.dumps(zoo.describe(name, numbers, depth), indent=1))
    else:
        typer.echo(zoo.summary(name, numbers, depth))
