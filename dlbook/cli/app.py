"""The one application that all commands join. A bad argument ends with a sentence and exit code 2, never with
a traceback.

>>> [command.__name__ for command in COMMANDS]
['models', 'summary', 'train', 'evaluate', 'predict', 'lr_find', 'search']
"""

import sys

import typer

from dlbook.cli.predict import predict
from dlbook.cli.search import search
from dlbook.cli.train import evaluate, lr_find, train
from dlbook.cli.zoo import models, summary

COMMANDS = (models, summary, train, evaluate, predict, lr_find, search)  # in the order of `dlbook --help`

app = typer.Typer(
    name="dlbook",
    help="Deep learning for vision: the models of the book, what they cost, and how to train them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command line. What the package says of bad arguments, files and losses is printed without a
    traceback, exit code 2.
    """
    try:
        app()
    except (ValueError, OSError, ModuleNotFoundError, FloatingPointError) as error:
        typer.echo(f"dlbook: {error}", err=True)
        sys.exit(2)
