"""Running a training: look at it every so many epochs, keep checkpoints and logs, go on after a crash.

    setup = build(config)
    best = train(setup)                           # the run's folder holds everything from here on

Several processes begin with `distributed.session`, and build with their rank; see
`dlbook.train.parallel.distributed`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dlbook.recipes.run import network
from dlbook.recipes.run.build import Setup
from dlbook.recipes.run.config import RunConfig, changes, identity
from dlbook.recipes.run.evaluate import evaluate_setup
from dlbook.recipes.run.explain import explained
from dlbook.regularize import EarlyStopping
from dlbook.train import configuration
from dlbook.train.evaluate import looks
from dlbook.train.loggers import Logger, make_loggers, require_installed
from dlbook.train.parallel.distributed import average_log, from_main, is_main, on_main
from dlbook.train.parallel.sharded import ShardedRun
from dlbook.train.run import Run, RunError

__all__ = ["METRIC", "evaluations", "train"]

METRIC = "accuracy"  # of the validation images; larger is better
LOG_POINTS = 20  # of the training curves, for each evaluation


def evaluations(
    setup: Setup, history: Sequence[dict[str, float]] = (), progress: bool = False
) -> Iterator[dict[str, float]]:
    """Train, and evaluate on the validation images every `trainer.evaluate_every` epochs, until the end or
    until `trainer.patience` is lost.

    Args:
        setup: what is trained, in this process.
        history: the evaluations before a resume, so that patience goes on where it was.
        progress: show a bar.

    Yields:
        The figures of each evaluation, the same in all processes.
    """
    section, trainer = setup.config.trainer, setup.trainer
    stopping = EarlyStopping(section.patience, mode="max") if section.patience else None
    if stopping and any([stopping.update(row[METRIC], row["step"]) for row in history][-1:]):
        return
    steps = looks(trainer, setup.steps, section.evaluate_every * setup.steps_per_epoch, progress)
    while trainer.step < setup.steps:
        before = trainer.step
        with explained(setup):
            next(steps)
        average_log(trainer.log, trainer.step - before)
        figures = from_main(evaluate_setup(setup))  # equal to the last bit, so that all stop together
        yield figures
        if stopping and stopping.update(figures[METRIC], trainer.step):
            return


def train(
    setup: Setup, resume: bool = False, progress: bool = False, say: Callable[[str], None] = lambda line: None
) -> dict[str, float]:
    """Train to the end; every evaluation writes a checkpoint. Under torchrun all processes call it, each with
    the setup of its rank.

    Args:
        setup: what is trained, in this process.
        resume: go on from the newest checkpoint of the folder.
        progress: show a bar.
        say: takes a line for each evaluation.

    Returns:
        The figures of the best evaluation, with its step.

    Raises:
        RunError: the folder is taken, or the run to resume had another configuration or other images.
        NonFiniteLoss: the loss is no number; explained.
        ValueError: a label is out of range.
    """
    config, trainer = setup.config, setup.trainer
    if config.output.wandb:
        require_installed()
    run = (ShardedRun if config.trainer.strategy == "fsdp" else Run)(config.output.folder, METRIC, resume)
    on_main(lambda: _begin(setup, run))
    run.resume(trainer)
    logs = (config.output.tensorboard, config.output.wandb) if is_main() else (False, False)
    loggers = make_loggers(run.folder, config.model_dump(), trainer.step, *logs)
    before = trainer.step
    try:
        for figures in evaluations(setup, run.history, progress and is_main()):
            run.save(trainer, figures)
            _log(loggers, setup, before, figures)
            before = trainer.step
            if is_main():
                say(_line(setup, figures))
    finally:
        for logger in loggers:
            logger.close()
    return run.best()


def _line(setup: Setup, figures: dict[str, float]) -> str:
    told = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    return f"step {setup.trainer.step:>6} of {setup.steps}  {told}"


def _begin(setup: Setup, run: Run) -> None:
    """Write what makes the folder complete; a run that is resumed has to be the one that was begun."""
    description = network.describe(setup.config, setup.splits, setup.method)
    if run.files():
        _require_same(setup.config, run.folder / "config.yaml")
        _require_same_images(description["training_images"], run.folder)
    configuration.save(setup.config, run.folder / "config.yaml")
    network.save_description(run.folder, description)


def _require_same_images(now: dict[str, str | int], folder: Path) -> None:
    """The order of the data depends on the list of files, so that list must not change within a run."""
    begun = network.read_description(folder)["training_images"]
    if begun != now:
        raise RunError(
            f"{folder}: expected the {begun['examples']} training images that the run began with, got "
            f"{now['examples']}"
            + (", other files" if begun["examples"] == now["examples"] else "")
            + "; bring those back, or choose another folder for a new run"
        )


def _require_same(config: RunConfig, file: Path) -> None:
    """A resumed run has to be the run that was begun."""
    begun = configuration.load(RunConfig, file)
    if different := changes(identity(begun), identity(config)):
        raise RunError(
            f"{file}: expected the configuration that the run began with, got {different}; resume with "
            "that, or choose another folder"
        )


def _log(loggers: list[Logger], setup: Setup, before: int, figures: dict[str, float]) -> None:
    """Means of the training curves since the step `before`, and the figures of the evaluation."""
    trainer = setup.trainer
    width = max(1, (trainer.step - before) // LOG_POINTS)
    curves = {name: values[before - trainer.step :].float().cpu() for name, values in trainer.log.items()}
    for logger in loggers:
        for start in range(before, trainer.step, width):
            part = slice(start - before, start - before + width)
            step = min(start + width, trainer.step)
            logger.write(
                step, {f"train/{name}": values[part].mean().item() for name, values in curves.items()}
            )
            logger.write(step, {"train/rate": trainer.rate_at(step - 1)})
        logger.write(trainer.step, {f"validation/{name}": value for name, value in figures.items()})
