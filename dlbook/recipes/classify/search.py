"""Hyper-parameter search by Optuna: many short trainings, each with values that the trials before it suggest.

Values come from the tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS), and a trial that is
worse than the median of the others after the same number of epochs is stopped (Golovin et al. 2017, KDD,
section 3.2.2). What is maximised is the best accuracy on the validation images; the test images are never
looked at, so that `dlbook evaluate` of the winner still means something.

Everything lives in Optuna's storage, by default an SQLite file beside the runs. The same command may be
started several times, also on several machines with a server's storage, and again after a crash: all work on
one study, until it holds `trials` of them. What trial n suggests depends on the seed, n and the trials before
it, on nothing else.

>>> default_storage(Path("runs/digits"))
'sqlite:///runs/search.db'
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dlbook.models import create
from dlbook.recipes.classify.build import Setup, build
from dlbook.recipes.classify.config import ClassifyConfig
from dlbook.recipes.classify.data import Splits, load
from dlbook.recipes.classify.run import flat
from dlbook.recipes.classify.space import Space, require_valid, with_values
from dlbook.train import configuration
from dlbook.train.batches import evaluation_batches
from dlbook.train.evaluate import evaluate
from dlbook.train.trainer import NonFiniteLoss

__all__ = ["Found", "default_storage", "search"]

STARTUP = 5  # trials that are never stopped, for a median to exist
HEARTBEAT = 30  # seconds; a trial without one for four times as long was killed, and another takes its place
METRIC = "accuracy"
UNSUITABLE = (
    ValueError,
    torch.OutOfMemoryError,
    MemoryError,
)  # a trial that cannot be trained; other errors are ours and are raised


@dataclass(frozen=True)
class Found:
    """The state of a study: its best trial, how many ended in which way, and the file that trains the best
    again.
    """

    number: int
    value: float
    parameters: dict[str, Any]
    complete: int
    pruned: int
    failed: int
    file: Path


def default_storage(folder: str | Path) -> str:
    """An SQLite file beside the run's folder, as a URL."""
    return f"sqlite:///{(Path(folder).parent / 'search.db').as_posix()}"


def search(
    config: ClassifyConfig,
    spaces: Sequence[Space],
    trials: int,
    study: str = "search",
    storage: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Found:
    """Add trials to a study until it holds `trials`, whoever ran them; write the best configuration so far.

    Args:
        config: what every trial starts from; its seed is the search's too.
        spaces: what is varied.
        study: a name in the storage; an existing study is continued.
        storage: a URL that Optuna knows, such as sqlite:///runs/search.db or postgresql://...; None:
            `default_storage`.
        say: takes a line for each trial.

    Raises:
        ValueError: what no trial could be started with, before any is: a space that the schema refuses, an
            unknown model, no validation images, a storage that cannot be opened, a study begun with other
            spaces; or no trial came to an end.
        ModuleNotFoundError: Optuna is not installed.
    """
    optuna = _optuna()
    if trials < 1:
        raise ValueError(f"expected one trial or more, got {trials}")
    require_valid(config, spaces)
    splits = load(config.data, config.seed)
    _require_trainable(config, spaces, splits)
    with _quiet(optuna):
        kept = _open(optuna, study, storage or default_storage(config.output.folder), config.seed)
        _require_same(kept, config, spaces)
        while _settled(kept) < trials:
            kept.optimize(
                lambda trial: _objective(trial, config, spaces, splits),
                n_trials=1,
                catch=UNSUITABLE,
                callbacks=[lambda _, trial: say(_line(kept, trial, trials))],
            )
        return _found(kept, config, spaces)


def _objective(trial: Any, config: ClassifyConfig, spaces: Sequence[Space], splits: Splits) -> float:
    """Train with the suggested values; the best validation accuracy, in per cent."""
    import optuna

    try:
        setup = build(
            with_values(config, {space.key: space.suggest(trial) for space in spaces}), splits=splits
        )
        best = -float("inf")
        for number, value in _evaluations(setup):
            best = max(best, value)
            trial.report(value, number)
            if trial.should_prune():
                raise optuna.TrialPruned(f"worse than the median after {number} evaluations")
    except NonFiniteLoss as error:  # pruned, not failed: the sampler learns to keep away from there
        trial.set_user_attr("why", str(error))
        raise optuna.TrialPruned(str(error)) from error
    except UNSUITABLE as error:
        trial.set_user_attr("why", str(error))
        raise
    return best


def _evaluations(setup: Setup) -> Iterator[tuple[int, float]]:
    """Train; (number, validation accuracy) after each evaluation, until the end or until patience is lost."""
    section, trainer, data = setup.config.trainer, setup.trainer, setup.config.data
    per_epoch = trainer.batches.per_epoch // section.accumulate
    total, every = section.epochs * per_epoch, section.evaluate_every * per_epoch
    best, since, number = -float("inf"), 0, 0
    while trainer.step < total and (section.patience is None or since < section.patience):
        trainer.fit(min(total, trainer.step + every))
        batches = evaluation_batches(
            setup.splits.validation, min(data.batch_size, 500), workers=data.workers, device=setup.device
        )
        value = evaluate(setup.method.evaluated, batches, len(setup.splits.classes))[METRIC]
        best, since, number = max(best, value), 0 if value > best else since + 1, number + 1
        yield number, value


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "expected the package optuna for a search, it is not installed; pip install 'dlbook[search]'"
        ) from error
    return optuna


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Silence Optuna's log; the search prints its own lines."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _open(optuna: Any, name: str, url: str, seed: int) -> Any:
    """The study, made if it is missing. Two processes that make one SQLite file at once would trip over each
    other, hence the lock.
    """
    if "://" not in url:
        raise ValueError(
            f"expected a storage such as sqlite:///runs/search.db or postgresql://user@host/name, got {url!r}"
        )
    lock = None
    if (file := url.removeprefix("sqlite:///")) != url:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        lock = optuna.storages.journal.JournalFileOpenLock(file)
        lock.acquire()
    try:
        options = {"connect_args": {"timeout": 60}} if lock else {}
        kept = optuna.storages.RDBStorage(
            url, engine_kwargs=options, heartbeat_interval=HEARTBEAT, grace_period=4 * HEARTBEAT
        )
        return optuna.create_study(
            study_name=name,
            storage=kept,
            load_if_exists=True,
            direction="maximize",
            sampler=_seeded_sampler(optuna, seed),
            pruner=optuna.pruners.MedianPruner(STARTUP),
        )
    except Exception as error:  # each database raises its own
        raise ValueError(
            f"storage {url!r}: expected a database that Optuna can open, {' '.join(str(error).split())[:300]}"
        ) from error
    finally:
        if lock:
            lock.release()


def _seeded_sampler(optuna: Any, seed: int) -> Any:
    """Optuna's TPE, seeded anew for each trial by its number: processes do not repeat each other, and a
    resumed study goes on as it would have.
    """

    class Seeded(optuna.samplers.TPESampler):
        def before_trial(self, study, trial):
            digest = hashlib.sha256(f"{seed} {trial.number}".encode()).digest()
            self._inner = optuna.samplers.TPESampler(seed=int.from_bytes(digest[:4], "little"))
            self._inner.before_trial(study, trial)

        def infer_relative_search_space(self, study, trial):
            return self._inner.infer_relative_search_space(study, trial)

        def sample_relative(self, study, trial, space):
            return self._inner.sample_relative(study, trial, space)

        def sample_independent(self, study, trial, name, distribution):
            return self._inner.sample_independent(study, trial, name, distribution)

    return Seeded()


def _require_trainable(config: ClassifyConfig, spaces: Sequence[Space], splits: Splits) -> None:
    """What the schema cannot know: that there is something to choose by, and that the models exist."""
    if len(splits.validation) == 0:
        raise ValueError(
            "data.validation: expected more than 0 for a search, which chooses by the validation "
            "images, got 0"
        )
    names = next((space.ends() for space in spaces if space.key == "model.name"), (config.model.name,))
    with torch.device("meta"):
        for name in names:
            create(name, num_classes=len(splits.classes), in_channels=splits.in_channels)


def _require_same(study: Any, config: ClassifyConfig, spaces: Sequence[Space]) -> None:
    """A study compares like with like: spaces and all that is not varied stay as they were when it began."""
    free = {"output": True, "data": {"workers", "root"}, "trainer": {"device"}}
    now = flat(config.model_dump(mode="json", exclude=free)) | {space.key: str(space) for space in spaces}
    begun = study.user_attrs.get("begun", now)
    different = [
        f"{key} was {begun.get(key)}, now {now.get(key)}"
        for key in begun | now
        if begun.get(key) != now.get(key)
    ]
    if different:
        raise ValueError(
            f"study {study.study_name!r} was begun otherwise: {'; '.join(different)}; go on with "
            "that, or choose another --study"
        )
    study.set_user_attr("begun", now)


def _settled(study: Any) -> int:
    """Trials that ended or are under way; one whose process was killed does not count, once its heartbeat is
    missed.
    """
    return sum(
        trial.state.name in ("COMPLETE", "PRUNED", "RUNNING") or "why" in trial.user_attrs
        for trial in study.trials
    )


def _line(study: Any, trial: Any, wanted: int) -> str:
    best = max((each.value for each in study.trials if each.state.name == "COMPLETE"), default=float("nan"))
    shown = "  ".join(
        f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in trial.params.items()
    )
    value = "-" if trial.value is None else f"{trial.value:.2f}"
    why = f"  ({trial.user_attrs['why'].splitlines()[0]})" if "why" in trial.user_attrs else ""
    return (
        f"trial {trial.number + 1:>3} of {wanted}  {trial.state.name.lower():<8}  {METRIC} {value:>6} "
        f"(best {best:.2f})  {shown}{why}"
    )


def _found(study: Any, config: ClassifyConfig, spaces: Sequence[Space]) -> Found:
    """The best trial of all processes, and its configuration in a file."""
    states = [trial.state.name for trial in study.trials]
    if "COMPLETE" not in states:
        whys = [trial.user_attrs["why"] for trial in study.trials if "why" in trial.user_attrs]
        raise ValueError(
            f"study {study.study_name!r}: none of {len(states)} trials came to an end"
            + (f"; the last: {whys[-1]}" if whys else "")
        )
    best = study.best_trial
    again = _optuna().trial.FixedTrial(best.params)
    chosen = {space.key: space.suggest(again) for space in spaces}
    folder = Path(config.output.folder).parent / "search" / study.study_name
    folder.mkdir(parents=True, exist_ok=True)
    winner = with_values(config, chosen | {"output.folder": str(folder / "best")})
    file = configuration.save(winner, folder / "best.yaml")
    return Found(
        best.number,
        best.value,
        chosen,
        *(states.count(state) for state in ("COMPLETE", "PRUNED", "FAIL")),
        file,
    )
