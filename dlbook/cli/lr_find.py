"""`dlbook lr-find`: which learning rates look good."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dlbook.cli.train import Config, Overrides, read_config

if TYPE_CHECKING:
    from dlbook.optim.range_test import RangeTest

ENDINGS = (".svg", ".png", ".pdf")
MOST_ROWS = 20


def lr_find(
    config: Config,
    overrides: Overrides = None,
    updates: Annotated[int, typer.Option(help="Steps of the test.", min=3)] = 100,
    low: Annotated[float, typer.Option(help="First rate.")] = 1e-5,
    high: Annotated[float, typer.Option(help="Last rate.")] = 10.0,
    plot: Annotated[Path | None, typer.Option(help="Draw the curve into this .svg, .png or .pdf.")] = None,
) -> None:
    """Train for a moment with a growing learning rate, and say which rates look good. Nothing is kept."""
    if plot is not None:
        _require_drawable(plot)
    loaded = read_config(config, overrides)
    from dlbook.recipes.run.build import build
    from dlbook.recipes.run.rates import range_test

    found = range_test(build(loaded), low, high, updates, progress=sys.stderr.isatty())
    curve = list(zip(found.rates.tolist(), found.smoothed.tolist(), strict=True))
    for rate, loss in curve[:: max(1, len(curve) // MOST_ROWS)]:
        typer.echo(f"rate {rate:9.2e}   smoothed loss {loss:.4f}")
    if plot is not None:
        _draw(found, plot)
    steepest, lowest = found.steepest(), found.lowest()
    typer.echo(f"the loss falls fastest at {steepest:.2e}: set this rate by optimizer.lr={steepest:.1e}")
    typer.echo(f"it is lowest at {lowest:.2e}, which is the edge already: do not take that one")


def _require_drawable(plot: Path) -> None:
    """Before the test, not after it: ending and folder of the picture."""
    if plot.suffix.lower() not in ENDINGS:
        raise ValueError(f"--plot: expected a file that ends in {', '.join(ENDINGS)}, got {plot}; rename it")
    if not plot.parent.is_dir():
        raise ValueError(f"--plot: expected a folder that exists, got {plot.parent}; make it first")


def _draw(found: "RangeTest", path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    axes.semilogx(found.rates, found.losses, color="0.7", label="loss")
    axes.semilogx(found.rates, found.smoothed, label="smoothed")
    if found.falls:
        rate = found.steepest()
        axes.axvline(rate, linestyle="--", color="tab:green", label=f"steepest fall, {rate:.1e}")
    axes.set(xlabel="learning rate", ylabel="training loss")
    axes.legend()
    figure.savefig(path)
    typer.echo(f"drawn in {path}")
