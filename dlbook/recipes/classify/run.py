"""Running a classification: train with checkpoints and logs, go on after a crash, evaluate, predict.

    setup = build(config)
    figures = train(setup)                        # the run's folder holds everything from here on
    evaluate_run("runs/digits")                   # on the test images

Several processes begin with `distributed.session`, and build with their rank; see dlbook.train.parallel.distributed.
"""

from collections.abc import Callable
from pathlib import Path

import torch

from dlbook.recipes.classify.build import Setup, build, choose_device
from dlbook.recipes.classify.config import ClassifyConfig
from dlbook.recipes.classify.data import Splits
from dlbook.recipes.classify.explain import explained
from dlbook.regularize import EarlyStopping
from dlbook.train import configuration
from dlbook.train.batches import evaluation_batches
from dlbook.train.evaluate import evaluate
from dlbook.train.loggers import Logger, make_loggers, require_installed
from dlbook.train.parallel.distributed import (
    average_log,
    broadcast_buffers,
    from_main,
    is_main,
    on_main,
    rank,
    world_size,
)
from dlbook.train.parallel.sharded import ShardedRun
from dlbook.train.run import Run, RunError, load_weights

__all__ = ["device_of", "evaluate_run", "flat", "open_run", "train"]

LOG_POINTS = 20  # of the training curves, for each evaluation


def train(
    setup: Setup, resume: bool = False, progress: bool = False, say: Callable[[str], None] = lambda line: None
) -> dict[str, float]:
    """Train to the end; every evaluation writes a checkpoint, and `resume` goes on from the newest.

    Under torchrun all processes call it, each with the setup of its rank. say: takes a line for each
    evaluation. Returns the figures of the best evaluation, with its step.
    Raises: RunError where the folder is taken; NonFiniteLoss, explained, where the loss is no number;
        ValueError for a label out of range.
    """
    config, trainer = setup.config, setup.trainer
    if config.output.wandb:
        require_installed()
    run = (ShardedRun if config.trainer.strategy == "fsdp" else Run)(config.output.folder, resume=resume)
    on_main(lambda: _require_same(config, run.folder / "config.yaml"))
    on_main(lambda: configuration.save(config, run.folder / "config.yaml"))
    run.resume(trainer)
    logs = (config.output.tensorboard, config.output.wandb) if is_main() else (False, False)
    loggers = make_loggers(run.folder, config.model_dump(), trainer.step, *logs)
    steps_per_epoch = trainer.batches.per_epoch // config.trainer.accumulate
    total = config.trainer.epochs * steps_per_epoch
    every = config.trainer.evaluate_every * steps_per_epoch
    try:
        while trainer.step < total and not _out_of_patience(run, config):
            before = trainer.step
            with explained(setup):
                trainer.fit(min(total, before + every - before % every), progress and is_main())
            average_log(trainer.log, trainer.step - before)
            figures = from_main(_evaluate(setup))  # equal to the last bit, so that all stop together
            run.save(trainer, figures)
            _log(loggers, setup, before, figures)
            if is_main():
                say(
                    f"step {trainer.step:>6} of {total}  "
                    + "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
                )
    finally:
        for logger in loggers:
            logger.close()
    return run.best()


def open_run(folder: str | Path, splits: Splits | None = None) -> Setup:
    """The setup of a finished or unfinished run with the weights of its best evaluation.

    Raises: RunError where the folder holds no run; ConfigurationError where its config.yaml was damaged.
    """
    folder = Path(folder)
    best = folder / "checkpoints/best.ckpt"
    if not best.is_file():
        raise RunError(
            f"{folder}: expected a run with checkpoints/best.ckpt, found none; train it first: "
            f"dlbook train CONFIG output.folder={folder}"
        )
    setup = build(configuration.load(ClassifyConfig, folder / "config.yaml"), splits=splits)
    setup.method.load_state_dict(load_weights(best))
    return setup


def device_of(folder: str | Path) -> torch.device:
    """Where a run computes, by its configuration; the CPU where the folder holds none."""
    file = Path(folder) / "config.yaml"
    return choose_device(configuration.load(ClassifyConfig, file).trainer.device if file.is_file() else "cpu")


def evaluate_run(folder: str | Path, part: str = "test") -> dict[str, float]:
    """The figures of a run's best weights on "test", "validation" or "train". Raises ValueError where that
    part does not exist.
    """
    setup = open_run(folder)
    if part not in ("test", "validation", "train") or getattr(setup.splits, part) is None:
        have = [name for name in ("test", "validation", "train") if getattr(setup.splits, name) is not None]
        raise ValueError(f"expected one of {', '.join(have)}, got {part!r}")
    return _evaluate(setup, part)


def _require_same(config: ClassifyConfig, file: Path) -> None:
    """A resumed run has to be the run that was begun; where it is kept and how it is fetched may change."""
    if not file.exists():
        return
    begun = configuration.load(ClassifyConfig, file)
    free = {"output": True, "data": {"workers", "root"}, "trainer": {"device"}}
    before, now = (flat(c.model_dump(exclude=free)) for c in (begun, config))
    if different := [
        f"{key} was {before.get(key)!r}, now {now.get(key)!r}"
        for key in before | now
        if before.get(key) != now.get(key)
    ]:
        raise RunError(
            f"{file}: expected the configuration that the run began with; {'; '.join(different)}; "
            "resume with that, or choose another folder"
        )


def flat(section: dict, prefix: str = "") -> dict[str, object]:
    """A nested configuration as one dictionary: dotted key -> value."""
    parts = ((f"{prefix}{key}", value) for key, value in section.items())
    return {
        k: v
        for key, value in parts
        for k, v in (flat(value, f"{key}.") if isinstance(value, dict) else {key: value}).items()
    }


def _evaluate(setup: Setup, part: str = "validation") -> dict[str, float]:
    data = setup.config.data
    chosen = getattr(setup.splits, part)
    if len(chosen) == 0:  # data.validation=0: nothing was held out, the training images have to do
        chosen = setup.splits.train
    broadcast_buffers(setup.method)
    share = {"rank": rank(), "world_size": world_size()}
    batches = evaluation_batches(
        chosen, min(data.batch_size, 500), workers=data.workers, device=setup.device, **share
    )
    return evaluate(setup.method.evaluated, batches, len(setup.splits.classes))


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


def _out_of_patience(run: Run, config: ClassifyConfig) -> bool:
    """Whether the last `patience` evaluations brought no new best; from the run's history, so that a resumed
    run stops at the same one.
    """
    if config.trainer.patience is None:
        return False
    stopping = EarlyStopping(config.trainer.patience, mode="max")
    return any([stopping.update(row[run.metric], row["step"]) for row in run.history][-1:])
