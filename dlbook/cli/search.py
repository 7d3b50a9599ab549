"""`dlbook search`: many short trainings with different values, to find good ones."""

from typing import Annotated

import typer

from dlbook.cli.train import Config, Overrides


def search(
    config: Config,
    overrides: Overrides = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            help="What to vary: optimizer.lr=log:1e-4..1e-1, or "
            "model.name=resnet20_cifar,resnet32_cifar; once for each key."
        ),
    ] = None,
    trials: Annotated[int, typer.Option(help="How many trials the study shall hold in all.", min=1)] = 20,
    study: Annotated[str, typer.Option(help="Name of the study; an existing study is continued.")] = "search",
    storage: Annotated[
        str | None,
        typer.Option(help="Optuna's storage. Default: sqlite:/// and search.db beside the run's folder."),
    ] = None,
) -> None:
    """Search for hyper-parameters by validation accuracy. Start it again to go on, or several times at once
    to share the work.
    """
    from dlbook.recipes.bundled_configs import find
    from dlbook.recipes.classify.config import ClassifyConfig
    from dlbook.recipes.classify.search import search as run
    from dlbook.recipes.classify.space import parse
    from dlbook.train.configuration import load

    base = load(ClassifyConfig, find(config), overrides or [])
    found = run(base, [parse(text) for text in space or []], trials, study, storage, say=typer.echo)
    typer.echo(f"{found.complete} complete, {found.pruned} pruned, {found.failed} failed")
    typer.echo(f"best: trial {found.number + 1}, validation accuracy {found.value:.2f} %")
    for key, value in found.parameters.items():
        typer.echo(f"  {key}={value}")
    typer.echo(f"train it: dlbook train {found.file}")
