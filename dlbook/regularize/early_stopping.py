"""Early stopping: Prechelt 1998, *Early Stopping - But When?* (doi 10.1007/3-540-49430-8_3); with patience,
as in Goodfellow, Bengio & Courville 2016, *Deep Learning*, algorithm 7.1.

::

    if the value is better than the best by more than min_delta:  best <- value;  waited <- 0;  keep the
        weights
    else:                                                    waited <- waited + 1;  stop if waited >= patience

Departures from the book

1. `min_delta` asks for a gain; the book's is 0.
2. NaN is never better, so that a diverged run stops after `patience` evaluations.

The weights are kept by the caller, whenever `improved` is true: what stopped the run is `patience`
evaluations behind the best.

>>> stopping = EarlyStopping(patience=2)
>>> [stopping.update(value) for value in (0.9, 0.7, 0.8, 0.75)]
[False, False, False, True]
>>> stopping.best, stopping.best_step
(0.7, 1)
"""

import math
from typing import Any

from dlbook.checks import require_at_least, require_one_of, require_positive


class EarlyStopping:
    """Watches one number over evaluations.

    Args:
        patience: >= 1, evaluations without a gain after which to stop.
        min_delta: >= 0, the smallest gain that counts, in the number's own unit.
        mode: "min" for a loss, "max" for an accuracy.

    Attributes:
        best: the best number so far, None before the first.
        best_step: its step.
        seen: evaluations so far.
        waited: evaluations since the best.
        improved: whether the last was the best.

    Raises:
        ValueError: an argument out of range.
    """

    def __init__(self, patience: int, min_delta: float = 0.0, mode: str = "min") -> None:
        require_positive("patience", patience, "1 stops at the first evaluation without a gain")
        require_at_least("min_delta", min_delta, 0, "give the size of a gain, not its sign")
        require_one_of("mode", mode, ("min", "max"), "'min' for a loss, 'max' for an accuracy")
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best: float | None = None
        self.best_step: int | None = None
        self.seen, self.waited, self.improved = 0, 0, False

    def update(self, value: float, step: int | None = None) -> bool:
        """Take in one evaluation, and say whether to stop.

        Args:
            value: the number that is watched.
            step: the evaluation's own number; by default they are counted from 0.
        """
        value = float(value)
        gain = (
            math.inf
            if self.best is None
            else (self.best - value if self.mode == "min" else value - self.best)
        )
        self.improved = not math.isnan(value) and gain > self.min_delta
        if self.improved:
            self.best, self.best_step, self.waited = value, self.seen if step is None else step, 0
        else:
            self.waited += 1
        self.seen += 1
        return self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint has to keep, so that a resumed run stops at the same evaluation."""
        return {name: getattr(self, name) for name in ("best", "best_step", "seen", "waited", "improved")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`.

        Raises:
            ValueError: it is not from `state_dict`.
        """
        if state.keys() != self.state_dict().keys():
            raise ValueError(
                f"expected the state of an EarlyStopping, got {sorted(state)}; pass what "
                "state_dict() returned"
            )
        vars(self).update(state)
