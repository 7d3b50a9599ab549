"""Hyper-parameter search by Optuna: many short trainings, each with values that the trials before it suggest.

Values come from the tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS). A trial that is worse
than the median of the others after the same number of evaluations is stopped (Golovin et al. 2017, KDD,
section 3.2.2). What is maximised is the best accuracy on the validation images; the test images are never
looked at.

The study is a journal: a file that every process appends to. The same command may be started several times,
and again after a crash, until `trials` of them have ended; a trial whose process was killed does not count.

>>> parse("optimizer.lr=log:1e-4..1e-1")
Space(key='optimizer.lr', values=(0.0001, 0.1), range=True, log=True)
>>> parse("data.batch_size=32,64")
Space(key='data.batch_size', values=(32, 64), range=False, log=False)
"""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dlbook.files import writing_into
from dlbook.models import create
from dlbook.recipes.run.apart import require_apart
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig, changes, identity, resolve
from dlbook.recipes.run.data import Splits, load
from dlbook.recipes.run.train import METRIC, evaluations
from dlbook.train import configuration
from dlbook.train.batches import generator_of
from dlbook.train.configuration import ConfigurationError, read_value
from dlbook.train.run import ASKED
from dlbook.train.trainer import NonFiniteLoss

__all__ = ["Space", "default_storage", "ended", "parse", "search"]

GRAMMAR = "KEY=low..high, KEY=log:low..high or KEY=a,b,c, for example optimizer.lr=log:1e-4..1e-1"
STARTUP = 5  # trials that are never stopped, for a median to exist
UNSUITABLE = (ValueError, torch.OutOfMemoryError, MemoryError)  # the trial's fault; other errors are ours
MOST_CORNERS = 512


@dataclass(frozen=True)
class Space:
    """What one key may be: the `values`, or all between two of them (`range`), in equal factors if `log`."""

    key: str
    values: tuple[Any, ...]
    range: bool = False
    log: bool = False

    def __str__(self) -> str:
        """What it may be, in the words of `parse`."""
        words = [value if isinstance(value, str) else json.dumps(value) for value in self.values]
        return "log:" * self.log + (".." if self.range else ",").join(words)

    def suggest(self, trial: Any, config: RunConfig) -> Any:
        """Ask an Optuna trial for a value; whole numbers where the schema of `config` takes no others."""
        if not self.range:  # the journal knows no lists
            return json.loads(trial.suggest_categorical(self.key, list(map(json.dumps, self.values))))
        ask = trial.suggest_int if self.is_whole(config) else trial.suggest_float
        return ask(self.key, *self.values, log=self.log)

    def is_whole(self, config: RunConfig) -> bool:
        """Whether both ends are whole, and the schema refuses half a step more than the lower one."""
        if not all(isinstance(value, int) for value in self.values):
            return False
        try:
            return not with_values(config, {self.key: self.values[0] + 0.5})
        except ConfigurationError:
            return True

    def is_sound(self) -> bool:
        """Whether there are two or more different values; of a range, two numbers, low below high."""
        if not self.range:
            return (
                len(self.values) >= 2 and not self.log and all(self.values.count(v) == 1 for v in self.values)
            )
        numbers = all(type(value) in (int, float) for value in self.values) and len(self.values) == 2
        return numbers and self.values[0] < self.values[1] and (self.values[0] > 0 or not self.log)


def parse(text: str) -> Space:
    """Read one `--space`.

    Args:
        text: as GRAMMAR says.

    Raises:
        ValueError: it is something else; the message has the grammar.
    """
    key, _, told = text.partition("=")
    if key.split(".")[0] in ("seed", "data", "output") and key != "data.batch_size":
        raise ValueError(
            f"--space: expected a key other than seed, data.* and output.*, got {text!r}; give that as "
            "key=value, the same for all trials (of data only data.batch_size may vary)"
        )
    log, between = told.startswith("log:"), ".." in told
    values = read_value(f"[{told.removeprefix('log:').replace('..', ',') if between else told}]")
    space = Space(key, tuple(values), between, log)
    if not key or not space.is_sound():
        raise ValueError(
            "--space: expected a key and two or more different values, or two numbers, low below high, and "
            f"above 0 for log:, got {text!r}; write {GRAMMAR}"
        )
    return space


def default_storage(folder: str | Path) -> Path:
    """The journal beside the run's folder."""
    return Path(folder).parent / "search.journal"


def search(
    config: RunConfig,
    spaces: Sequence[Space],
    trials: int,
    name: str = "search",
    storage: str | Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[Any, Path]:
    """Add trials until `trials` have ended.

    Args:
        config: what every trial starts from; its seed is the search's too.
        spaces, trials: what is varied, and how many trials the study shall hold, >= 1.
        name, storage: of the study and of its journal; an existing study is continued.
        say: takes a line for each trial.

    Returns:
        Optuna's study, and the file of the best configuration.

    Raises:
        ValueError: no trial can be started with this (then none is), or no trial came to an end.
        ModuleNotFoundError: Optuna is not installed.
    """
    splits = load(config.data, config.seed)
    _require_valid(config, spaces, trials, splits)
    study, sampler = _open(name, config, storage)
    _require_same(study, config, spaces)
    while ended(study) < trials:
        trial = study.ask()
        seed = generator_of(config.seed, "trial", trial.number).initial_seed()  # no two trials draw the same
        study.sampler = sampler(seed=seed)
        values = {space.key: space.suggest(trial, config) for space in spaces}
        state, value, why = _run(trial, with_values(config, values), splits)
        trial.set_user_attr("why", why)
        trial.set_user_attr("values", values)
        study.tell(trial, value, state=state)
        told = "  ".join(f"{key}={_shown(each)}" for key, each in values.items())
        line = f"trial {trial.number + 1}: {ended(study)} of {trials} ended  {state.name.lower()}  {METRIC}"
        say(f"{line} {_shown(value)}  {told}  {why}".rstrip())
    return study, _save_best(study, config)


def ended(study: Any) -> int:
    """How many trials of a study have ended; one whose process was killed never does."""
    return sum(trial.state.is_finished() for trial in study.trials)


def _shown(value: Any) -> str:
    """A value in few digits; the configuration of the best trial keeps them all."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _open(name: str, config: RunConfig, storage: str | Path | None) -> tuple[Any, Any]:
    """The study, made if it is missing, and the class of its samplers."""
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "expected the package optuna for a search, got an environment without it; pip install '.[search]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # silence Optuna; the search prints its own lines
    file = Path(storage or default_storage(config.output.folder))
    asked = ("--storage", "name another file") if storage else ASKED
    with writing_into(file if storage else file.parent, *asked):
        file.parent.mkdir(parents=True, exist_ok=True)
        journal = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(file)))
    pruner = optuna.pruners.MedianPruner(STARTUP)
    study = optuna.create_study(
        study_name=name, storage=journal, load_if_exists=True, direction="maximize", pruner=pruner
    )
    return study, optuna.samplers.TPESampler


def _run(trial: Any, config: RunConfig, splits: Splits) -> tuple[Any, float | None, str]:
    """Train: how the trial ended, its best validation accuracy, and why it ended badly."""
    from optuna.trial import TrialState

    best = -float("inf")
    try:
        for number, figures in enumerate(evaluations(build(config, splits=splits)), 1):
            best = max(best, figures[METRIC])
            trial.report(figures[METRIC], number)
            if trial.should_prune():
                return TrialState.PRUNED, None, f"(worse than the median after {number} evaluations)"
        return TrialState.COMPLETE, best, ""
    except NonFiniteLoss as error:  # pruned, not failed: the sampler learns to keep away from there
        return TrialState.PRUNED, None, str(error)
    except UNSUITABLE as error:
        return TrialState.FAIL, None, str(error)


def with_values(config: RunConfig, values: dict[str, Any]) -> RunConfig:
    """Put other values at dotted keys of a configuration.

    Args:
        config: stays as it is.
        values: dotted key -> value.

    Raises:
        ConfigurationError: the schema refuses a value.
    """
    overrides = [f"{key}={json.dumps(value)}" for key, value in values.items()]
    return resolve(RunConfig, config.model_dump(mode="json"), overrides)


def _require_valid(config: RunConfig, spaces: Sequence[Space], trials: int, splits: Splits) -> None:
    """Ask the schema about the corners of the spaces (the first 512), and the zoo about the models; and the
    folder whether pictures lie there.
    """
    require_apart(config.output.folder, config.data)
    keys = [space.key for space in spaces]
    if trials < 1 or not keys or len(set(keys)) < len(keys):
        raise ValueError(
            f"expected one trial or more, and one --space or more, each key once, got {trials} trials of "
            f"{keys or 'no space'}; a space is {GRAMMAR}"
        )
    if len(splits.validation) == 0:
        raise ValueError("data.validation: expected more than 0 for a search, got 0; set it to 0.1")
    corners = itertools.islice(itertools.product(*(space.values for space in spaces)), MOST_CORNERS)
    asked = [with_values(config, dict(zip(keys, corner, strict=True))) for corner in corners]
    with torch.device("meta"):
        for name in {each.model.name for each in asked}:
            create(name, num_classes=len(splits.classes), in_channels=splits.in_channels)


def _require_same(study: Any, config: RunConfig, spaces: Sequence[Space]) -> None:
    """A study compares like with like: spaces and all that is not varied stay as they were when it began."""
    now = identity(config) | {space.key: str(space) for space in spaces}
    older = {space.key: repr(space) for space in spaces}  # how studies kept their spaces at first
    kept = study.user_attrs.get("begun", now)
    begun = {key: now[key] if value == older.get(key, ...) else value for key, value in kept.items()}
    if different := changes(begun, now):
        raise ValueError(
            f"study {study.study_name!r}: expected the configuration and spaces that it began with, got "
            f"{different}; give the old ones again, or choose another --study"
        )
    study.set_user_attr("begun", now)


def _save_best(study: Any, config: RunConfig) -> Path:
    """Write the configuration of the best trial of all processes."""
    if not any(trial.state.name == "COMPLETE" for trial in study.trials):
        whys = [why for trial in study.trials if (why := trial.user_attrs.get("why"))]
        raise ValueError(
            f"study {study.study_name!r}: expected one trial that trains to its end, got none of "
            f"{len(study.trials)}, the last because: {whys[-1]}; narrow the spaces, or fix what it names"
        )
    folder = Path(config.output.folder).parent / "search" / study.study_name
    values = study.best_trial.user_attrs["values"] | {"output.folder": str(folder / "best")}
    with writing_into(folder, *ASKED):
        folder.mkdir(parents=True, exist_ok=True)
        return configuration.save(with_values(config, values), folder / "best.yaml")
