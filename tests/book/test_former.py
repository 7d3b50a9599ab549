"""The former calls work for the chapters that still make them; this file goes with dlbook/book/former.py."""

import pytest

from dlbook.book import former, inserts
from dlbook.book.ledger import LedgerMismatch


def test_a_former_chapter_runs(monkeypatch):
    shown = {}
    monkeypatch.setattr(inserts, "insert", lambda name, value, form="{}": shown.update({name: value}))
    former.begin(seed=0)
    ledger = former.FormerLedger("resnet")
    ledger.claim("wins", holds=True, detail="2 against 1", margin="half a point")
    assert ledger.rows[0].tolerance == "margin half a point"
    with pytest.raises(LedgerMismatch, match="'loses' does not hold"):
        ledger.claim("loses", holds=False, detail="1 against 2")
    former.insert_run_time("resnet-seconds")
    assert list(shown) == ["resnet-seconds"] and shown["resnet-seconds"] >= 1
