"""Signals: noted while steps are taken, at once otherwise; what was there before is put back; all processes
stop at one step.
"""

import signal
import threading

import pytest

from dlbook.train import interrupt as module
from dlbook.train.interrupt import Interrupted, Signals
from tests.seeded import edited

BOTH = (signal.SIGINT, signal.SIGTERM)


def handlers():
    return [signal.getsignal(sign) for sign in BOTH]


@pytest.mark.parametrize("sign", BOTH)
def test_noted_while_steps_are_taken_and_at_once_otherwise(sign):
    before = handlers()
    with Signals() as signals:
        with pytest.raises(Interrupted) as ended:  # nothing is trained yet
            signal.raise_signal(sign)
        assert str(ended.value) == f"stopped by {module.NAMES[sign]}" and ended.value.sign == sign
        assert not signals.asked(0)
        signal.raise_signal(sign)
        assert signals.asked(1)
        with pytest.raises(Interrupted):  # the second one
            signal.raise_signal(sign)
        with pytest.raises(Interrupted):
            signals.settle()
    assert handlers() == before


def test_nothing_came():
    with Signals() as signals:
        assert not signals.asked(0)
        signals.settle()
        with pytest.raises(Interrupted):  # an evaluation: nothing is trained
            signal.raise_signal(signal.SIGINT)


def test_handlers_are_put_back_whatever_happens():
    before = handlers()
    with pytest.raises(ZeroDivisionError), Signals():
        assert handlers() != before
        1 / 0  # noqa: B018
    assert handlers() == before


def test_what_is_ignored_stays_ignored():
    """By nohup, or by a shell's &."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Signals() as signals:
            signal.raise_signal(signal.SIGINT)
            assert not signals.asked(0)
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_is_taken():
    found = []

    def inside():
        with Signals() as signals:
            found.append((handlers(), signals.asked(0)))

    before, thread = handlers(), threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert found == [(before, False)]


def check_agreement(module, monkeypatch) -> None:
    """Of two processes one got a signal in step 3: both stop before step 20, and neither earlier."""
    signals = [module["Signals"](), module["Signals"]()]
    signals[1].sign = signal.SIGTERM
    monkeypatch.setitem(module, "world_size", lambda: 2)
    monkeypatch.setitem(module, "gather", lambda mine: [0, int(signal.SIGTERM)])
    stopped = [next(step for step in range(3, 50) if each.asked(step)) for each in signals]
    assert stopped == [20, 20]
    for each in signals:
        with pytest.raises(module["Interrupted"], match="SIGTERM"):
            each.settle()


FAULTS = {
    "each stops by itself": ("if step % AGREE_EVERY:", "if self.sign == 0 and step % AGREE_EVERY:"),
    "one does not know": ("            self.sign = max(gather(self.sign))\n        return", "        return"),
}


def test_processes_stop_together(monkeypatch):
    check_agreement(vars(module), monkeypatch)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_processes_that_do_not(fault, monkeypatch):
    with pytest.raises((AssertionError, StopIteration)):
        check_agreement(edited(module, *FAULTS[fault]), monkeypatch)
