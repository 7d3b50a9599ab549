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

from dlbook.models import create
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig, resolve
from dlbook.recipes.run.data import Splits, load
from dlbook.recipes.run.train import METRIC, evaluations, flat
from dlbook.train import configuration
from dlbook.train.batches import generator_of
from dlbook.train.configuration import ConfigurationError, read_value
from dlbook.train.trainer import NonFiniteLoss

__all__ = ["Space", "default_storage", "parse", "search"]

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

    def suggest(self, trial: Any, whole: bool) -> Any:
        """Ask a trial for a value.

        Args:
            trial: Optuna's.
            whole: integers only.
        """
        if not self.range:
            known = {json.dumps(value): value for value in self.values}  # the journal knows no lists
            return known[trial.suggest_categorical(self.key, list(known))]
        return (trial.suggest_int if whole else trial.suggest_float)(self.key, *self.values, log=self.log)


def parse(text: str) -> Space:
    """Read one `--space`.

    Args:
        text: as GRAMMAR says.

    Raises:
        ValueError: it is something else; the message has the grammar.
    """
    key, _, told = text.partition("=")
    if not (key and told):
        raise ValueError(f"--space: expected a key and its values, got {text!r}; write {GRAMMAR}")
    if key.split(".")[0] in ("seed", "data", "output") and key != "data.batch_size":
        raise ValueError(
            f"--space: expected a key other than seed, data.* and output.*, got {text!r}; give that as "
            "key=value, the same for all trials (of data only data.batch_size may vary)"
        )
    log, between = told.startswith("log:"), ".." in told
    values = tuple(read_value(f"[{told.removeprefix('log:').replace('..', ',') if between else told}]"))
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    if between and not (
        numbers and len(values) == 2 and values[0] < values[1] and (values[0] > 0 or not log)
    ):
        raise ValueError(
            f"--space: expected two numbers, low below high, and above 0 for log:, got {text!r}; write "
            f"{GRAMMAR}"
        )
    if not between and (log or len(values) < 2 or any(values.count(value) > 1 for value in values)):
        raise ValueError(
            f"--space: expected two or more different values, or a range, got {text!r}; write {GRAMMAR}"
        )
    return Space(key, values, between, log)


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
    """Add trials until `trials` have ended; returns Optuna's study and the file of the best configuration.

    Args:
        config: what every trial starts from; its seed is the search's too.
        spaces, trials: what is varied, and how many trials the study shall hold.
        name, storage: of the study and of its journal; an existing study is continued.
        say: takes a line for each trial.

    Raises:
        ValueError: what no trial could be started with, before any is; or no trial came to an end.
        ModuleNotFoundError: Optuna is not installed.
    """
    optuna = _optuna()
    splits = load(config.data, config.seed)
    wholes = _require_valid(config, spaces, trials, splits)
    study = _open(optuna, name, Path(storage or default_storage(config.output.folder)))
    _require_same(study, config, spaces)
    while len(_ended(study)) < trials:
        trial = study.ask()
        seed = generator_of(config.seed, "trial", trial.number).initial_seed()  # no two trials draw the same
        study.sampler = optuna.samplers.TPESampler(seed=seed)
        values = _suggest(trial, spaces, wholes)
        state, value, why = _run(trial, config, values, splits)
        study.tell(trial, value, state=optuna.trial.TrialState[state])
        told = "  ".join(f"{key}={each}" for key, each in values.items())
        say(
            f"trial {trial.number + 1} of {trials}  {state.lower()}  {METRIC} {value}  {told}  {why}".rstrip()
        )
    return study, _save_best(study, config, spaces, wholes)


def _optuna() -> Any:
    """Import Optuna, or say how to install it."""
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "expected the package optuna for a search, got an environment without it; pip install '.[search]'"
        ) from error
    return optuna


def _open(optuna: Any, name: str, file: Path) -> Any:
    """The study, made if it is missing."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # silence Optuna; the search prints its own lines
    file.parent.mkdir(parents=True, exist_ok=True)
    journal = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(file)))
    pruner = optuna.pruners.MedianPruner(STARTUP)
    return optuna.create_study(
        study_name=name, storage=journal, load_if_exists=True, direction="maximize", pruner=pruner
    )


def _suggest(trial: Any, spaces: Sequence[Space], wholes: Sequence[bool]) -> dict[str, Any]:
    return {space.key: space.suggest(trial, whole) for space, whole in zip(spaces, wholes, strict=True)}


def _run(
    trial: Any, config: RunConfig, values: dict[str, Any], splits: Splits
) -> tuple[str, float | None, str]:
    """Train with the values: how the trial ended, its best validation accuracy, and why it ended badly."""
    best, why = -float("inf"), ""
    try:
        for number, figures in enumerate(evaluations(build(with_values(config, values), splits=splits)), 1):
            best = max(best, figures[METRIC])
            trial.report(figures[METRIC], number)
            if trial.should_prune():
                return "PRUNED", None, f"(worse than the median after {number} evaluations)"
        return "COMPLETE", best, ""
    except NonFiniteLoss as error:  # pruned, not failed: the sampler learns to keep away from there
        why = str(error)
        return "PRUNED", None, why
    except UNSUITABLE as error:
        why = str(error)
        return "FAIL", None, why
    finally:
        trial.set_user_attr("why", why)


def _ended(study: Any) -> list[Any]:
    return [trial for trial in study.trials if trial.state.is_finished()]


def with_values(config: RunConfig, values: dict[str, Any]) -> RunConfig:
    """Put other values at dotted keys of a configuration.

    Args:
        config: stays as it is.
        values: dotted key -> value.

    Raises:
        ConfigurationError: the schema refuses a value.
    """
    return resolve(
        RunConfig, config.model_dump(mode="json"), [f"{k}={json.dumps(v)}" for k, v in values.items()]
    )


def _require_valid(config: RunConfig, spaces: Sequence[Space], trials: int, splits: Splits) -> list[bool]:
    """Ask the schema about the corners of the spaces (the first 512), and the zoo about the models.

    Returns:
        For each space, whether it takes whole numbers only.
    """
    keys = [space.key for space in spaces]
    if trials < 1 or not keys or len(set(keys)) < len(keys):
        raise ValueError(
            f"expected one trial or more, and one --space or more, each key once, got {trials} trials of "
            f"{keys or 'no space'}; a space is {GRAMMAR}"
        )
    if len(splits.validation) == 0:
        raise ValueError("data.validation: expected more than 0 for a search, got 0; set it to 0.1")
    for corner in itertools.islice(itertools.product(*(space.values for space in spaces)), MOST_CORNERS):
        with_values(config, dict(zip(keys, corner, strict=True)))
    names = next((space.values for space in spaces if space.key == "model.name"), (config.model.name,))
    with torch.device("meta"):
        for name in names:
            create(name, num_classes=len(splits.classes), in_channels=splits.in_channels)
    return [space.range and _whole(config, space) for space in spaces]


def _whole(config: RunConfig, space: Space) -> bool:
    """Whether the schema takes the lower end and refuses half a step more."""
    if not all(isinstance(value, int) for value in space.values):
        return False
    try:
        with_values(config, {space.key: space.values[0] + 0.5})
    except ConfigurationError:
        return True
    return False


def _require_same(study: Any, config: RunConfig, spaces: Sequence[Space]) -> None:
    """A study compares like with like: spaces and all that is not varied stay as they were when it began."""
    free = {"output": True, "data": {"workers", "root"}, "trainer": {"device"}}
    now = flat(config.model_dump(mode="json", exclude=free)) | {space.key: str(space) for space in spaces}
    begun = study.user_attrs.get("begun", now)
    if different := [key for key in begun | now if begun.get(key) != now.get(key)]:
        told = "; ".join(f"{key} was {begun.get(key)}, now {now.get(key)}" for key in different)
        raise ValueError(
            f"study {study.study_name!r}: expected the configuration and spaces that it began with, got "
            f"{told}; give the old ones again, or choose another --study"
        )
    study.set_user_attr("begun", now)


def _save_best(study: Any, config: RunConfig, spaces: Sequence[Space], wholes: Sequence[bool]) -> Path:
    """Write the configuration of the best trial of all processes."""
    from optuna.trial import FixedTrial

    ended = _ended(study)
    if not any(trial.state.name == "COMPLETE" for trial in ended):
        whys = [trial.user_attrs["why"] for trial in ended if trial.user_attrs.get("why")]
        raise ValueError(
            f"study {study.study_name!r}: expected one trial that trains to its end, got none of "
            f"{len(ended)}, the last because: {whys[-1] if whys else 'it was stopped early'}; narrow the "
            "spaces, or fix what it names"
        )
    folder = Path(config.output.folder).parent / "search" / study.study_name
    folder.mkdir(parents=True, exist_ok=True)
    values = _suggest(FixedTrial(study.best_params), spaces, wholes)
    winner = with_values(config, values | {"output.folder": str(folder / "best")})
    return configuration.save(winner, folder / "best.yaml")
