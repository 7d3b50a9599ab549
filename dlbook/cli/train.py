"""`dlbook train` and `dlbook evaluate`: runs from a configuration file.

The package is imported inside the commands: `dlbook --help` does not wait for torch.
"""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dlbook.cli.output import json_text
from dlbook.cli.run_folder import require_folder

if TYPE_CHECKING:
    from dlbook.recipes.run.config import RunConfig
    from dlbook.recipes.run.examine import Examination

Config = Annotated[
    str, typer.Argument(help="A YAML file, a bundled configuration such as digits, or a run's folder.")
]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Keys to set instead, such as optimizer.lr=1e-3 trainer.epochs=20.")
]
Folder = Annotated[Path, typer.Argument(help="The folder of a run, such as runs/digits.")]


def train(
    config: Config,
    overrides: Overrides = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the run that output.folder holds, from its last checkpoint."
        ),
    ] = False,
    show: Annotated[
        bool,
        typer.Option("--show", help="Train nothing: print every key with its value, type, default, meaning."),
    ] = False,
) -> None:
    """Train a network as a configuration says. Its folder, output.folder, is then a run: config.yaml with
    every key, the checkpoints, the figures of each evaluation.

    On several GPUs: torchrun --standalone --nproc-per-node N -m dlbook train CONFIG.
    """
    loaded = read_config(config, overrides)  # first: a fault in it is told before all the rest is imported
    if show:
        from dlbook.train.keys import commented

        typer.echo(commented(loaded))
        return
    if (best := _trained(loaded, resume)) is None:
        return
    folder = shlex.quote(loaded.output.folder)
    typer.echo(best)
    typer.echo(f"kept in {folder}; look at the curves: tensorboard --logdir {folder}")


def _trained(config: "RunConfig", resume: bool) -> str | None:
    """Train; tell the figures of the best evaluation, in the first of the processes."""
    from dlbook.recipes.run.build import build, choose_device
    from dlbook.recipes.run.progress import measured_on
    from dlbook.recipes.run.train import train as run
    from dlbook.train.interrupt import Interrupted
    from dlbook.train.parallel import distributed

    if not resume and distributed.restarts_allowed():
        raise ValueError(
            "expected --resume with torchrun --max-restarts, got none; add it, so that restarted "
            "processes go on with the run"
        )
    with distributed.session(choose_device(config.trainer.device)):
        setup = build(config, distributed.rank(), distributed.world_size())
        try:
            best = run(setup, resume=resume, progress=sys.stderr.isatty(), say=typer.echo)
        except Interrupted as ended:
            if distributed.is_main():
                typer.echo(f"dlbook: {ended}", err=True)
            sys.exit(128 + ended.sign)  # what a shell makes of a signal
        told = "  ".join(f"{name} {value:.4g}" for name, value in best.items() if name != "step")
        return f"best at step {best['step']}: {measured_on(setup)} {told}" if distributed.is_main() else None


def evaluate(
    run: Folder,
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="data.root=FOLDER if the images moved; trainer.device, data.batch_size, data.workers."
        ),
    ] = None,
    part: Annotated[str, typer.Option(help="Which images: test, validation or train.")] = "test",
    checkpoint: Annotated[
        str, typer.Option(help="Weights of the run: best, of its best evaluation, or last.")
    ] = "best",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure a run on images that it did not train on, also by several processes under torchrun.

    RUN/evaluation/PART then has the confusion matrix, figures of each class, calibration, every mistake, and
    the worst ones as one picture.
    """
    from dlbook.recipes.run.build import choose_device
    from dlbook.recipes.run.evaluate import read_config
    from dlbook.recipes.run.examine import examine_run
    from dlbook.train.parallel import distributed

    require_folder(run)
    device = choose_device(read_config(run, overrides or []).trainer.device)
    with distributed.session(device):
        found = examine_run(run, part, overrides or [], checkpoint)
        if not distributed.is_main():
            return
    if as_json:
        typer.echo(json_text(found.figures))
        found.save()
        return
    for name, value in found.figures.items():
        typer.echo(f"{name:<20} {value:>9.4f}" + ("" if name == "loss" else " %"))
    if found.answers is not None:
        _tell_mistakes(found)
    home = found.save()
    typer.echo(f"written to {home}: {', '.join(sorted(file.name for file in home.iterdir()))}")


def _tell_mistakes(found: "Examination") -> None:
    """The weakest classes and the commonest mistakes, in a line each."""
    weakest = ", ".join(f"{name} {value:.1f} %" for name, value in found.weakest())
    typer.echo(f"weakest classes: {weakest} recall")
    if confused := found.confused():
        told = ", ".join(f"{label} taken for {guess} ({n} of {all_})" for label, guess, n, all_ in confused)
        typer.echo(f"most often confused: {told}")


def read_config(config: str, overrides: list[str] | None, varied: bool = False) -> "RunConfig":
    """Read the configuration of a run to be begun. A mistake in it is told before torch is imported.

    Args:
        config: a file, the name of a bundled configuration, or a run's folder.
        overrides: "section.key=value".
        varied: other values will be put into it, so that what it does not use now may be used then.

    Raises:
        ValueError: a key or a value does not fit, the model is unknown, or a setting would be ignored.
    """
    from dlbook.recipes import run_folder
    from dlbook.recipes.bundled_configs import locate
    from dlbook.recipes.run.sections import Draft
    from dlbook.recipes.run.unused import require_used
    from dlbook.train.configuration import load
    from dlbook.train.faults import at_key
    from dlbook.zoo import require_name

    if Path(config).suffix not in (".yaml", ".yml") and (run := run_folder.enclosing_run(config)):
        folder = shlex.quote(str(run))
        run_folder.require_folder(
            config, f"give the folder; dlbook train {folder} --resume goes on with that run"
        )
    file, own = locate(config)
    overrides = [*own, *(overrides or [])]
    draft = load(Draft, file, overrides)
    if not varied:
        require_used(draft)
    with at_key("model.name"):
        require_name(draft.model.name)
    from dlbook.recipes.run.config import RunConfig

    return load(RunConfig, file, overrides)
