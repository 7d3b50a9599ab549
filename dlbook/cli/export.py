"""`dlbook export RUN`: a trained network as one file for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from dlbook.cli.run_folder import require_folder


def export(
    run: Annotated[Path, typer.Argument(help="The folder of a run, such as runs/digits.")],
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Ends in .onnx, or .pt2 for torch.export.load. Default: network.onnx in the run."
        ),
    ] = None,
    checkpoint: Annotated[str, typer.Option(help="best, of the best evaluation, or last.")] = "best",
) -> None:
    """Write the network of a run as ONNX or as torch's exported program, and check its answers.

    ONNX needs the packages onnx and onnxscript; with onnxruntime too, that runs the check.
    """
    from dlbook.recipes.run.export import COMPARED, export_run

    require_folder(run)
    found = export_run(run, file, checkpoint)
    typer.echo(f"{found.file}: {found.takes} in [0, 1] -> {found.gives}, any N")
    typer.echo(
        f"compared with the run's network on {sum(COMPARED)} random images, by {found.by}: largest "
        f"difference {found.difference:.1e}, where the largest answer is {found.largest:.3g}"
    )
