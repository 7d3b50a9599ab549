"""The ledger: exact where it says exact, loud on a mismatch, and legible to readers, machines and screen
readers.
"""

import math

import numpy as np
import pytest
import torch

from dlbook.book.ledger import Ledger, LedgerMismatch

RUN = {
    "name": "run",
    "commit": "0123456789",
    "device": "NVIDIA H200",
    "versions": {"torch": "2.14.1"},
    "seed": [0, 1],
    "seconds": 61.5,
    "date": "2026-05-01T12:00:00+00:00",
    "results": {"error": {"mean": 0.0431}},
}


@pytest.fixture
def ledger():
    return Ledger("resnet")


@pytest.mark.parametrize(
    ("predicted", "measured", "options"),
    [
        (25_557_032, 25_557_033, {}),
        (2**60, 2**60 + 1, {}),  # equal as floats
        (1.0, math.nan, {"tolerance": 1e9}),
        (math.nan, math.nan, {}),
        (1.0, math.inf, {"tolerance": 1e9}),
        (100, 102.1, {"relative": 0.02}),
        ((64, 56, 56), torch.Size([64, 56, 55]), {}),
        ((64, 56), (64, 56, 1), {}),
        ((1,), 1, {}),
        ("relu", "gelu", {}),
        (True, 1, {}),
        (1.0, torch.tensor(1.1), {}),
    ],
)
def test_a_mismatch_stops_the_notebook_and_keeps_no_row(ledger, predicted, measured, options):
    with pytest.raises(
        LedgerMismatch, match=r"ledger of 'resnet', row 'a row': predicted .*measured .*\[eq. \(3\)\]"
    ):
        ledger.check("a row", predicted=predicted, measured=measured, source="eq. (3)", **options)
    assert ledger.rows == ()


@pytest.mark.parametrize(
    ("predicted", "measured", "options"),
    [
        (25_557_032, 25_557_032, {}),
        (100, 101.9, {"relative": 0.02}),
        (math.log(10), torch.tensor(2.31), {"tolerance": 0.02}),
        ((64, 56, 56), torch.Size([64, 56, 56]), {}),
        ([0.1, 0.2], np.array([0.1, 0.2001]), {"tolerance": 1e-3}),
        (math.inf, math.inf, {}),
        (True, np.bool_(True), {}),
        (5, np.int64(5), {}),
    ],
)
def test_agreement_is_kept(ledger, predicted, measured, options):
    ledger.check("a row", predicted, measured, **options)
    assert [row.kind for row in ledger.rows] == ["verified"]


@pytest.mark.parametrize(
    "options",
    [{"tolerance": -1}, {"tolerance": math.nan}, {"relative": 0.1, "tolerance": 1}, {"relative": math.inf}],
)
def test_senseless_tolerances_are_refused(ledger, options):
    with pytest.raises(ValueError, match="; "):
        ledger.check("a row", 1.0, 1.0, **options)


def test_relative_to_zero_is_refused(ledger):
    with pytest.raises(ValueError, match="absolute"):
        ledger.check("a row", 0, 0, relative=0.1)


def test_a_claim_without_numbers_needs_a_boolean_that_holds(ledger):
    ledger.claim("the filters are edges", holds=torch.tensor(0.9) > 0.8)
    assert (ledger.rows[0].measured, ledger.rows[0].tolerance) == ("holds", "")
    with pytest.raises(LedgerMismatch, match="'loses' does not hold"):
        ledger.claim("loses", holds=np.float64(0.7) > 0.8)
    with pytest.raises(ValueError, match="boolean"):
        ledger.claim("a number", holds=0.3)
    with pytest.raises(ValueError, match="boolean"):
        ledger.claim("many", holds=torch.tensor([True, True]))
    with pytest.raises(TypeError):
        ledger.claim("typed", holds=True, margin="5 points")  # no margin is ever typed


def test_comparisons_become_rows_with_their_margins(ledger):
    ledger.exceeds("beats", torch.tensor([0.9, 0.8]), torch.tensor([0.5, 0.6]), by=0.1, unit="nats")
    ledger.above("high", 3.0, 2.0)
    ledger.below("low", [1.0, 1.5], 2.0, "s")
    ledger.equal_within("same", 1.01, 1.0, within=0.1)
    sources = ["this run, 2 seeds", "this run", "this run, 2 seeds", "this run"]
    assert [(row.kind, row.source) for row in ledger.rows] == [("verified", source) for source in sources]
    first = ledger.rows[0]
    assert (first.predicted, first.tolerance) == ("more by 0.1 nats, every seed", "0.1 nats")
    assert first.measured == "0.850 ± 0.071 against 0.550 ± 0.071 nats"
    assert [row.tolerance for row in ledger.rows[1:]] == ["1", "0.5 s", "0.09"]


@pytest.mark.parametrize(
    "claim",
    [
        lambda ledger: ledger.exceeds("row", [0.9, 0.5], [0.6, 0.4]),
        lambda ledger: ledger.exceeds("row", [0.9, 0.5], [0.6, 0.4], every_seed=False),
        lambda ledger: ledger.above("row", 2.0, 2.0),
        lambda ledger: ledger.below("row", [1.0, 2.5], 2.0),
        lambda ledger: ledger.equal_within("row", math.nan, 1.0, within=9.0),
    ],
)
def test_a_comparison_that_does_not_hold_stops_the_notebook(ledger, claim):
    with pytest.raises(LedgerMismatch, match="ledger of 'resnet': the claim 'row' does not hold: expected"):
        claim(ledger)
    assert ledger.rows == ()


def test_citations_and_recorded_runs(ledger):
    ledger.cite("ResNet-50 top-1 error", value="24.7 %", citation="he2016deep", where="Table 4")
    ledger.record(RUN, "error", "error.mean", unit="%")
    assert [row.kind for row in ledger.rows] == ["cited", "recorded"]
    assert (
        "recorded 2026-05-01 on NVIDIA H200, commit 0123456, torch 2.14.1, seeds 0, 1, 62 s"
        in ledger.rows[1].source
    )
    with pytest.raises(ValueError, match="result of the run 'run', got 'error.median'.*mean"):
        ledger.record(RUN, "error", "error.median")
    with pytest.raises(ValueError, match="'commit' is missing"):
        ledger.record({k: v for k, v in RUN.items() if k != "commit"}, "error", 1)
    with pytest.raises(ValueError, match="key of references.bib"):
        ledger.cite("x", 1, citation="He et al. 2016")


def test_a_cell_run_again_replaces_its_row(ledger):
    ledger.check("a", 1, 1)
    ledger.check("b", 2, 2)
    ledger.check("a", 3, 3)
    assert [(row.name, row.measured) for row in ledger.rows] == [("a", "3"), ("b", "2")]


def test_an_empty_ledger_and_a_bad_slug_are_refused():
    with pytest.raises(ValueError, match="ledger of 'resnet', got none"):
        Ledger("resnet").show()
    with pytest.raises(ValueError, match="slug"):
        Ledger("ResNet")
    with pytest.raises(ValueError, match="name"):
        Ledger("resnet").check(" ", 1, 1)
