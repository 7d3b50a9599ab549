"""Ctrl-C and SIGTERM end a training between two of its steps, so that a checkpoint can be written.

A scheduler (Slurm, Kubernetes, a spot machine) sends SIGTERM some seconds before it kills. While steps are
taken, the first signal is noted, and the step that is being computed comes to its end. A second one, or one
that comes while nothing is trained, ends at once.

Several processes must stop at the same step, or those that go on wait for the others for ever. Each may get
its signal in another step, so they ask one another: every AGREE_EVERY steps, and where a training ends.

>>> with Signals() as signals:
...     before = signals.asked(step=0)
...     signal.raise_signal(signal.SIGTERM)
...     before, signals.asked(step=1)
(False, True)
"""

import signal
import threading
from types import FrameType
from typing import Any

from dlbook.train.parallel.distributed import gather, world_size

__all__ = ["Interrupted", "Signals"]

AGREE_EVERY = 20
NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


class Interrupted(KeyboardInterrupt):
    """A signal ended the training.

    Args:
        sign: number of the signal.
        told: what to say; by default which signal it was.
    """

    def __init__(self, sign: int, told: str = "") -> None:
        super().__init__(told or f"stopped by {NAMES[sign]}")
        self.sign = sign


class Signals:
    """Takes Ctrl-C and SIGTERM while its block runs; the handlers before are put back at its end.

    What is ignored already (nohup) stays ignored, and in a thread beside the main one, where Python allows no
    handlers, nothing is taken.
    """

    def __init__(self) -> None:
        self.sign, self._notes = 0, False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Signals":
        if threading.current_thread() is threading.main_thread():
            for sign in NAMES:
                if signal.getsignal(sign) is not signal.SIG_IGN:
                    self._before[sign] = signal.signal(sign, self._take)
        return self

    def __exit__(self, *error: object) -> None:
        for sign, handler in self._before.items():
            signal.signal(sign, handler)

    def asked(self, step: int) -> bool:
        """Tell whether to stop before a step, the same in all processes; from now on signals are noted.

        Args:
            step: all processes ask before the same steps.
        """
        self._notes = True
        if world_size() > 1:
            if step % AGREE_EVERY:
                return False
            self.sign = max(gather(self.sign))
        return self.sign != 0

    def settle(self) -> None:
        """Let what was noted end all processes now; after that a signal ends at once, until `asked` again.

        Raises:
            Interrupted: one of the processes got a signal.
        """
        self.sign = max(gather(self.sign))
        if self.sign:
            raise Interrupted(self.sign)
        self._notes = False

    def _take(self, sign: int, frame: FrameType | None) -> None:
        if self.sign or not self._notes:
            raise Interrupted(sign)
        self.sign = sign
        if hasattr(signal, "SIGCHLD"):
            # Slurm's SIGTERM ends the workers of a DataLoader too, and torch raises in the middle of whatever
            # is computed when one of them dies. But this step has its batch, and there is no next step.
            before = signal.signal(signal.SIGCHLD, lambda *died: None)
            self._before.setdefault(signal.SIGCHLD, before or signal.SIG_DFL)
