"""`dlbook search`: many short trainings with different values, to find good ones."""

import shlex
from typing import Annotated

import typer

from dlbook.cli.train import Config, Overrides, read_config


def search(
    config: Config,
    overrides: Overrides = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            help="What to vary: optimizer.lr=log:1e-4..1e-1, or optimizer.name=sgd,adamw; repeat it."
        ),
    ] = None,
    trials: Annotated[int, typer.Option(help="How many trials the study shall hold in all.", min=1)] = 20,
    study: Annotated[str, typer.Option(help="Name of the study; an existing study is continued.")] = "search",
    storage: Annotated[
        str | None, typer.Option(help="The study's file. Default: search.journal beside the run's folder.")
    ] = None,
) -> None:
    """Search for hyper-parameters by validation accuracy. Start it again to go on, or several times at once
    to share the work.
    """
    base = read_config(config, overrides, varied=True)
    from dlbook.recipes.search import ended, parse
    from dlbook.recipes.search import search as run

    spaces = [parse(text) for text in space or []]
    kept, file = run(base, spaces, trials, study, storage, say=typer.echo)
    states = [trial.state.name for trial in kept.trials]
    counts = [f"{states.count(name)} {name.lower()}" for name in ("COMPLETE", "PRUNED", "FAIL")]
    if open_ones := len(states) - ended(kept):
        counts.append(f"{open_ones} not counted (killed, or running elsewhere)")
    typer.echo(", ".join(counts))
    typer.echo(f"best: trial {kept.best_trial.number + 1}, validation accuracy {kept.best_value:.2f} %")
    typer.echo(f"train it: dlbook train {shlex.quote(str(file))}")
