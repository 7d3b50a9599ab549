"""Running a training: look at it every so many epochs, keep checkpoints and logs, go on after a crash.

    setup = build(config)
    best = train(setup)                           # the run's folder holds everything from here on

There is a checkpoint before each evaluation, so that what fails there loses nothing, and one where Ctrl-C or
SIGTERM ends the training. A run that goes on from either ends with the same bits.

Several processes begin with `distributed.session`, and build with their rank; see
`dlbook.train.parallel.distributed`.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dlbook.files import NO_ROOM
from dlbook.recipes.run import network
from dlbook.recipes.run.apart import require_apart
from dlbook.recipes.run.build import Setup
from dlbook.recipes.run.config import RunConfig, changes, identity
from dlbook.recipes.run.evaluate import evaluate_setup
from dlbook.recipes.run.explain import explained
from dlbook.recipes.run.progress import ProgressLines
from dlbook.regularize import EarlyStopping
from dlbook.train import configuration
from dlbook.train.evaluate import looks
from dlbook.train.interrupt import Interrupted, Signals
from dlbook.train.loggers import Logger, make_loggers, require_installed
from dlbook.train.parallel.distributed import average_log, from_main, is_main, on_main, world_size
from dlbook.train.parallel.sharded import ShardedRun
from dlbook.train.run import Run, RunError, locked, step_of, warn
from dlbook.train.trainer import NonFiniteLoss, Trainer

__all__ = ["METRIC", "evaluations", "train"]

METRIC = "accuracy"  # of the validation images; larger is better
LOG_POINTS = 20  # of the training curves, for each evaluation


def evaluations(
    setup: Setup,
    history: Sequence[dict[str, float]] = (),
    progress: bool = False,
    trained: Callable[[], object] = lambda: None,
) -> Iterator[dict[str, float]]:
    """Train, and evaluate on the validation images every `trainer.evaluate_every` epochs, until the end or
    until `trainer.patience` is lost.

    Args:
        setup: what is trained, in this process.
        history: the evaluations before a resume, so that patience goes on where it was.
        progress: show a bar.
        trained: called after each training, before its evaluation; raises if it ended early.

    Yields:
        The figures of each evaluation, the same in all processes.
    """
    section, trainer = setup.config.trainer, setup.trainer
    stopping = EarlyStopping(section.patience, mode="max") if section.patience else None
    if stopping and any([stopping.update(row[METRIC], row["step"]) for row in history][-1:]):
        return
    every = section.evaluate_every * setup.steps_per_epoch
    steps = looks(trainer, setup.steps, every, progress)
    told = max((row["step"] for row in history), default=0)
    while told < setup.steps:
        if not _is_due(trainer.step, told, every, setup.steps):
            before = trainer.step
            with explained(setup):
                next(steps)
            average_log(trainer.log, trainer.step - before)
            trained()
        figures = from_main(evaluate_setup(setup))  # equal to the last bit: all stop together
        told = trainer.step
        yield figures
        if stopping and stopping.update(figures[METRIC], trainer.step):
            return


def _is_due(step: int, told: int, every: int, steps: int) -> bool:
    """Whether an evaluation is due at a step: also where a resumed run was ended before it."""
    return step > told and (step % every == 0 or step == steps)


def train(
    setup: Setup,
    resume: bool = False,
    progress: bool = False,
    say: Callable[[str], None] | None = None,
) -> dict[str, float]:
    """Train to the end. Under torchrun all processes call it, each with the setup of its rank.

    Args:
        setup: what is trained, in this process.
        resume: go on from the newest checkpoint of the folder.
        progress: show a bar.
        say: takes lines: what is trained, each evaluation, and what there is to know of a resume.

    Returns:
        The figures of the best evaluation, with its step.

    Raises:
        RunError: the folder is taken, or the run to resume had another configuration or other images.
        NonFiniteLoss: the loss is no number; explained.
        ValueError: the folder cannot be written to or holds pictures, or a label is out of range.
        Interrupted: Ctrl-C or SIGTERM; what was trained until then is kept.
    """
    output = setup.config.output
    if output.wandb:
        require_installed()
    tell = say if say and is_main() else lambda line: None
    on_main(lambda: require_apart(output.folder, setup.config.data))
    with locked(output.folder), Signals() as signals:
        kind = ShardedRun if setup.config.trainer.strategy == "fsdp" else Run
        run = kind(output.folder, METRIC, resume)
        on_main(lambda: _begin(setup, run))
        run.resume(setup.trainer, say or warn)
        if resume:
            tell(_resumed(setup, run))
        with _told(setup, run):
            _to_the_end(setup, run, signals, progress and is_main(), tell)
    return run.best()


@contextmanager
def _told(setup: Setup, run: Run) -> Iterator[None]:
    """Let what ends a run from outside, a signal or a full disk, say what is kept and how to go on."""
    try:
        yield
    except Interrupted as error:
        raise Interrupted(error.sign, f"{error}; {_kept(setup, run)}") from None
    except OSError as error:
        if error.errno in NO_ROOM:
            error.strerror = f"{error.strerror}; make room, then: {_kept(setup, run)}"
        raise


def _to_the_end(
    setup: Setup, run: Run, signals: Signals, progress: bool, tell: Callable[[str], None]
) -> None:
    """Train and evaluate until the end or a signal; keep what comes of it."""
    output, trainer = setup.config.output, setup.trainer
    before = run.history[-1]["step"] if run.history else 0
    logs = (output.tensorboard, output.wandb) if is_main() else (False, False)
    loggers = make_loggers(run.folder, setup.config.model_dump(), before, *logs)
    trainer.stop = signals.asked
    course = ProgressLines(setup)
    for line in course.begin(run.folder) if trainer.step < setup.steps else ():
        tell(line)

    def trained() -> None:
        _require_finite(trainer)
        if trainer.step:
            run.save(trainer)
        signals.settle()

    try:
        for figures in evaluations(setup, run.history, progress, trained):
            # The whole checkpoint again, now with the figures. The one that `trained` wrote keeps the steps
            # if the evaluation fails. This one is needed too: a checkpoint holds its history, so that weights
            # and figures never disagree, and best.ckpt is a copy of it. It could be small only if the figures
            # were a file of their own, and a crash between two files is what one file excludes.
            run.save(trainer, figures)
            _log(loggers, setup, before, figures)
            tell(course.evaluated(figures, before))
            before = trainer.step
        if trainer.step < setup.steps:
            tell(course.stopped(run.best()))
    finally:
        for logger in loggers:
            logger.close()


def _require_finite(trainer: Trainer) -> None:
    """Keep no weights of a loss that is no number: on a GPU not every loss was looked at."""
    losses = trainer.log.get("loss", [])
    if len(losses) and not losses[-1].isfinite():
        raise NonFiniteLoss(trainer.step - 1, trainer.step * trainer.accumulate - 1, losses[-1].item())


def _resumed(setup: Setup, run: Run) -> str:
    """Where a run goes on."""
    step, steps = setup.trainer.step, setup.steps
    if step == 0:
        return f"nothing to resume in {run.folder}: begins at step 0 of {steps}"
    return f"goes on at step {step} of {steps}" if step < steps else f"all {steps} steps are done already"


def _kept(setup: Setup, run: Run) -> str:
    """What a run that ends early leaves, and the command that goes on."""
    if not (files := run.files()):
        return "no step was kept; start again by the same command"
    start = "torchrun ... -m dlbook" if world_size() > 1 else "dlbook"
    command = f"{start} train {shlex.quote(str(run.folder))} --resume"
    return f"kept up to step {step_of(files[0])} of {setup.steps}; go on by {command}"


def _begin(setup: Setup, run: Run) -> None:
    """Write what makes the folder complete; a run that is resumed has to be the one that was begun."""
    description = network.describe(setup.config, setup.splits, setup.method)
    if run.begun():
        _require_same(setup.config, run.folder)
        if (run.folder / network.FILE).is_file():  # the order of the data depends on the list of files
            network.require_same_images(
                run.folder, description["training_images"], "choose another folder for a new run"
            )
    configuration.save(setup.config, run.folder / "config.yaml")
    network.save_description(run.folder, description)


def _require_same(config: RunConfig, folder: Path) -> None:
    """A resumed run has to be the run that was begun."""
    begun, now = identity(configuration.load(RunConfig, folder / "config.yaml")), identity(config)
    if not (different := changes(begun, now)):
        return
    advice = "resume with that, or choose another folder"
    if now["trainer.epochs"] > begun["trainer.epochs"]:
        name, longer = (shlex.quote(f"{folder}{end}") for end in ("", "-longer"))
        advice = (
            "the rates of all its steps depend on its length, so train longer as a new run from its weights: "
            f"dlbook train {name} model.weights={name} trainer.epochs={now['trainer.epochs']} "
            f"output.folder={longer}"
        )
    raise RunError(
        f"{folder / 'config.yaml'}: expected the configuration that the run began with, got {different}; "
        f"{advice}"
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
