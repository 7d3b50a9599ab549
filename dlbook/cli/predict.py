"""`dlbook predict IMAGE...`: what a trained network sees in pictures."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dlbook.cli.predictions import Writer, form_of
from dlbook.cli.run_folder import require_folder


def predict(
    images: Annotated[
        list[Path], typer.Argument(help="Picture files, folders of pictures, or patterns in quotes.")
    ],
    run: Annotated[
        Path | None,
        typer.Option(
            help="The folder of a run. Default: EfficientNet-Lite0, which knows ImageNet's 1,000 classes."
        ),
    ] = None,
    top: Annotated[int, typer.Option(help="How many classes to name.", min=1)] = 3,
    checkpoint: Annotated[
        str, typer.Option(help="Weights of a run: best, of its best evaluation, or last.")
    ] = "best",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV: a line for each picture and class.")
    ] = False,
) -> None:
    """Name what pictures show, with the probability of each class.

    A file that cannot be read is named among the errors. The others get their answers; the exit code is 1.
    """
    require_folder(run)
    write = Writer(form_of(as_json, as_csv), typer.echo)
    from dlbook.data.picture_file import PictureError
    from dlbook.recipes.run.find_pictures import find_pictures
    from dlbook.recipes.run.predict import from_run, imagenet, predict_each

    files, unread = find_pictures(images), 0
    for image, answer in predict_each(from_run(run, checkpoint) if run else imagenet(), files, top):
        if isinstance(answer, PictureError):
            typer.echo(f"dlbook: {answer}", err=True)
            unread += 1
        else:
            write(image, answer)
    write.end()
    if unread:
        typer.echo(f"dlbook: {len(files) - unread} of {len(files)} pictures were read", err=True)
        sys.exit(1)
