"""The one application that all commands join. A bad argument ends with a sentence and exit code 2, never with
a traceback.

>>> [command.__name__ for command in COMMANDS]
['models', 'summary', 'configs', 'train', 'evaluate', 'predict', 'export', 'lr_find', 'search']
"""

import platform
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from dlbook import __version__
from dlbook.cli.configs import configs
from dlbook.cli.export import export
from dlbook.cli.lr_find import lr_find
from dlbook.cli.output import accept_all_text
from dlbook.cli.predict import predict
from dlbook.cli.search import search
from dlbook.cli.train import evaluate, train
from dlbook.cli.zoo import models, summary

COMMANDS = (
    models,
    summary,
    configs,
    train,
    evaluate,
    predict,
    export,
    lr_find,
    search,
)  # in the order of `dlbook --help`
HELP = {"help_option_names": ["-h", "--help"]}

ASKED = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)

app = typer.Typer(
    name="dlbook",
    help="Deep learning for vision: the models of the book, what they cost, and how to train them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=HELP,
)
for command in COMMANDS:
    app.command(context_settings=HELP)(command)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"dlbook {__version__}, torch {version('torch')}, Python {platform.python_version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the versions.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main() -> None:
    """Run the command line. What the package says of bad arguments, files and losses is printed without a
    traceback: exit code 2 for what somebody asked for, 1 for what went wrong while it ran, such as a loss
    that is no number or a full disk.
    """
    accept_all_text(sys.stdout, sys.stderr)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _as_a_line(warnings.showwarning)
            app([_at_home(word) for word in sys.argv[1:]])
    except (ValueError, OSError, ModuleNotFoundError, FloatingPointError) as error:
        typer.echo(f"dlbook: {error}", err=True)
        ran = isinstance(error, FloatingPointError) or (
            isinstance(error, OSError) and not isinstance(error, ASKED)
        )
        sys.exit(1 if ran else 2)


def _at_home(word: str) -> str:
    """A word with ~ for the home folder, which shells leave as it is after a key= or an --option=.

    >>> _at_home("optimizer.lr=0.1"), _at_home("a~b")
    ('optimizer.lr=0.1', 'a~b')
    """
    before, equals, path = word.rpartition("=")
    return (
        f"{before}{equals}{Path(path).expanduser()}"
        if path.startswith(("~/", "~\\")) or path == "~"
        else word
    )


def _as_a_line(usual: Callable[..., None]) -> Callable[..., None]:
    """Show the package's own warnings without the place in the code that gives them."""

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if category.__name__ == "Notice":  # of dlbook.train.run, which imports torch
            typer.echo(f"dlbook: {message}", err=True)
        else:
            usual(message, category, *place, **more)

    return show
