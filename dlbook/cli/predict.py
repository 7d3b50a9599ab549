"""`dlbook predict IMAGE...`: what a trained network sees in pictures."""

import json
from pathlib import Path
from typing import Annotated

import typer


def predict(
    images: Annotated[list[Path], typer.Argument(help="Picture files.")],
    run: Annotated[
        Path | None, typer.Option(help="A run's folder. Default: EfficientNet-Lite0 with ImageNet weights.")
    ] = None,
    top: Annotated[int, typer.Option(help="How many classes to name.", min=1)] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Name what pictures show, with the probability of each class."""
    from dlbook.recipes.run.predict import from_run, imagenet

    predictor = imagenet() if run is None else from_run(run)
    found = {str(image): predictor(image, top) for image in images}
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for image, classes in found.items():
        typer.echo(image)
        for name, probability in classes.items():
            typer.echo(f"  {100 * probability:5.1f} %  {name}")
