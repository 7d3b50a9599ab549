"""`dlbook configs`: the configurations that come with the package."""

import textwrap
from typing import Annotated

import typer

from dlbook.cli.output import json_text

WIDTH = 100


def configs(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a list.")] = False,
) -> None:
    """List the bundled configurations, and what each is for.

    All keys of one, with types, defaults and meanings: dlbook train NAME --show.
    """
    from dlbook.recipes.bundled_configs import about, names

    found = {name: about(name) for name in names()}
    if as_json:
        typer.echo(json_text(found, indent=1))
        return
    width = max(map(len, found)) + 2
    for name, text in found.items():
        typer.echo(
            textwrap.fill(text, WIDTH, initial_indent=name.ljust(width), subsequent_indent=" " * width)
        )
    typer.echo("all keys of one, with types, defaults and meanings: dlbook train NAME --show")
