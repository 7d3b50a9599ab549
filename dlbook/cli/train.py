"""`dlbook train`, `dlbook evaluate` and `dlbook lr-find`: runs from a configuration file.

The package is imported inside the commands: `dlbook --help` does not wait for torch.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[str, typer.Argument(help="A YAML file, or a bundled configuration such as digits.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Keys to set, such as optimizer.lr=1e-3 trainer.epochs=20.")
]
Folder = Annotated[Path, typer.Argument(help="The folder of a run, such as runs/digits.")]


def train(
    config: Config,
    overrides: Overrides = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in output.folder.")] = False,
) -> None:
    """Train from a configuration; the run's folder keeps its checkpoints, figures and the resolved
    configuration.

    On many GPUs or machines: torchrun --standalone --nproc-per-node N -m dlbook train CONFIG.
    """
    from dlbook.recipes.run.build import build, choose_device
    from dlbook.recipes.run.train import train as run
    from dlbook.train.parallel import distributed

    if not resume and distributed.restarts_allowed():
        raise ValueError(
            "expected --resume with torchrun --max-restarts, got none; add it, so that restarted "
            "processes go on with the run"
        )
    loaded = _load(config, overrides)
    with distributed.session(choose_device(loaded.trainer.device)):
        setup = build(loaded, distributed.rank(), distributed.world_size())
        best = run(setup, resume=resume, progress=sys.stderr.isatty(), say=typer.echo)
        if not distributed.is_main():
            return
    folder = setup.config.output.folder
    typer.echo(
        f"best at step {best['step']}: "
        + "  ".join(f"{name} {value:.4g}" for name, value in best.items() if name != "step")
    )
    typer.echo(f"kept in {folder}; look at the curves: tensorboard --logdir {folder}")


def evaluate(
    run: Folder,
    overrides: Annotated[
        list[str] | None, typer.Argument(help="data.root=FOLDER if the images moved; trainer.device=cpu.")
    ] = None,
    part: Annotated[str, typer.Option(help="test, validation or train.")] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Evaluate the best weights of a run, also by many processes under torchrun."""
    from dlbook.recipes.run.build import choose_device
    from dlbook.recipes.run.evaluate import evaluate_run, read_config
    from dlbook.train.parallel import distributed

    device = choose_device(read_config(run, overrides or []).trainer.device)
    with distributed.session(device):
        figures = evaluate_run(run, part, overrides or [])
        if not distributed.is_main():
            return
    if as_json:
        typer.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        typer.echo(f"{name:<20} {value:>9.4f}" + ("" if name == "loss" else " %"))


def lr_find(
    config: Config,
    overrides: Overrides = None,
    updates: Annotated[int, typer.Option(help="Steps of the test.", min=3)] = 100,
    low: Annotated[float, typer.Option(help="First rate.")] = 1e-5,
    high: Annotated[float, typer.Option(help="Last rate.")] = 10.0,
    plot: Annotated[Path | None, typer.Option(help="Draw the curve into this .svg or .png.")] = None,
) -> None:
    """Train for a moment with a growing rate, and say which rates look good. Nothing is kept."""
    from dlbook.optim.range_test import range_test

    setup = _setup(config, overrides)
    batches = (setup.trainer.batches(number) for number in range(updates))
    found = range_test(
        setup.method.train(),
        setup.trainer.optimizer,
        batches,
        lambda method, batch: method(batch, 0)["loss"],
        low,
        high,
        updates,
    )
    for rate, loss in list(zip(found.rates.tolist(), found.smoothed.tolist(), strict=True))[
        :: max(1, len(found.rates) // 20)
    ]:
        typer.echo(f"rate {rate:9.2e}   smoothed loss {loss:.4f}")
    typer.echo(
        f"steepest fall at {found.steepest():.2e}; lowest loss at {found.lowest():.2e}, already on "
        "the edge: a tenth of it is safe"
    )
    typer.echo(f"set it by optimizer.lr={found.steepest():.1e}")
    if plot is not None:
        _plot(found, plot)


def _load(config: str, overrides: list[str] | None):
    from dlbook.recipes.bundled_configs import find
    from dlbook.recipes.run.config import RunConfig
    from dlbook.train.configuration import load

    return load(RunConfig, find(config), overrides or [])


def _setup(config: str, overrides: list[str] | None):
    from dlbook.recipes.run.build import build

    return build(_load(config, overrides))


def _plot(found, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    axes.semilogx(found.rates, found.losses, color="0.7", label="loss")
    axes.semilogx(found.rates, found.smoothed, label="smoothed")
    axes.axvline(
        found.steepest(), linestyle="--", color="tab:green", label=f"steepest fall, {found.steepest():.1e}"
    )
    axes.set(xlabel="learning rate", ylabel="training loss")
    axes.legend()
    figure.savefig(path)
    typer.echo(f"drawn in {path}")
