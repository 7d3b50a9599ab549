"""lr-find as somebody types it, and ways to get it wrong."""

import importlib
import re
import sys
from pathlib import Path

import pytest
import torch

from dlbook.optim.range_test import RangeTest
from tests.cli.settings import TINY
from tests.seeded import edited

module = importlib.import_module("dlbook.cli.lr_find")  # dlbook.cli.app has a function of this name

SHORT = ("digits", "data.limit=400", "data.batch_size=50")
BROKEN = {
    "too few updates": (("lr-find", "digits", "--updates", "2"), "updates"),
    "rates in the wrong order": (
        ("lr-find", "digits", *TINY, "--low", "1", "--high", "0.1"),
        "expected high > 1.0, got 0.1",
    ),
    "a picture of no kind": (
        ("lr-find", "digits", "--plot", "x.doc"),
        "--plot: expected a file that ends in",
    ),
    "a folder that is missing": (
        ("lr-find", "digits", "--plot", "none/x.svg"),
        "--plot: expected a folder that exists, got none",
    ),
}


def test_lr_find_suggests_and_draws_and_keeps_nothing(run, tmp_path):
    code, out, _ = run(
        "lr-find", "digits", "data.limit=400", "data.batch_size=50", "--updates", "40", "--plot", "curve.svg"
    )
    assert (
        code == 0
        and [path.name for path in tmp_path.iterdir()] == ["curve.svg"]
        and "<svg" in Path("curve.svg").read_text("utf8")
    )
    rate = float(re.search(r"set this rate by optimizer\.lr=(\S+)", out)[1])
    assert 1e-5 < rate < 10 and "rate  1.00e-05" in out


def test_a_loss_that_never_falls_gives_no_rate(run):
    code, out, err = run(
        "lr-find", *SHORT, "--updates", "4", "--low", "1e-9", "--high", "1e-8", "--plot", "c.svg"
    )
    assert code == 2 and "optimizer.lr=" not in out and Path("c.svg").is_file()
    assert "expected a loss that falls at some rate, got one that is lowest before the first update" in err


@pytest.fixture
def known(monkeypatch):
    """Instead of a training: a curve that falls fastest at rate 15 of 45, and is lowest at rate 30."""
    place = torch.arange(45, dtype=torch.float64)
    smoothed = 2 + (torch.pi * place / 30).cos()
    found, seen = RangeTest(10 ** (place / 10 - 4), smoothed + 100, smoothed, False), []
    monkeypatch.setattr("dlbook.recipes.run.build.build", lambda config: config.model.name)
    monkeypatch.setattr(
        "dlbook.recipes.run.rates.range_test", lambda *given, **more: seen.append((*given, more)) or found
    )
    return found, seen


def check_told(command, known, monkeypatch, capsys) -> None:
    """Every second rate with its smoothed loss, then what to set: where the loss falls, not where it is
    lowest. The drawing has all rates and both curves.
    """
    found, seen = known
    for terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
        capsys.readouterr()
        command("digits", None, 45, 1e-4, 2.0, Path("curve.SVG"))
        assert seen.pop() == ("convnet_digits", 1e-4, 2.0, 45, {"progress": terminal})
    *rows, drawn, told, lowest = capsys.readouterr().out.splitlines()
    expected = list(zip(found.rates.tolist(), found.smoothed.tolist(), strict=True))[::2]
    assert rows == [f"rate {rate:9.2e}   smoothed loss {loss:.4f}" for rate, loss in expected]
    assert drawn == "drawn in curve.SVG" and 'id="axes_1"' in Path("curve.SVG").read_text()
    assert lowest.startswith("it is lowest at 1.00e-01, which is the edge already")
    assert told.endswith("fastest at 3.16e-03: set this rate by optimizer.lr=3.2e-03")


TOLD_FAULTS = {
    "the lowest": ("optimizer.lr={steepest:.1e}", "optimizer.lr={lowest:.1e}"),
    "exchanged": ("steepest, lowest = found", "lowest, steepest = found"),
    "losses as they are": ("found.smoothed.tolist(), strict", "found.losses.tolist(), strict"),
    "the other way round": ("low, high, updates, progress", "high, low, updates, progress"),
    "the first rows": ("[:: max(1, len(curve) // MOST_ROWS)]", "[:MOST_ROWS]"),
    "a bar in a pipe": ("progress=sys.stderr.isatty()", "progress=True"),
    "small letters alone": ("plot.suffix.lower()", "plot.suffix"),
    "no drawing": ("        _draw(found, plot)", "        pass"),
}


def test_what_is_told(known, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    check_told(module.lr_find, known, monkeypatch, capsys)


@pytest.mark.parametrize("fault", TOLD_FAULTS)
def test_the_check_sees_other_words(fault, known, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((AssertionError, ValueError)):
        check_told(edited(module, *TOLD_FAULTS[fault])["lr_find"], known, monkeypatch, capsys)


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_command_lines_get_a_sentence(refused, fault):
    refused(*BROKEN[fault])
