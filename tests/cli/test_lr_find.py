"""lr-find as somebody types it, and ways to get it wrong."""

import re
from pathlib import Path

import pytest

from tests.cli.settings import TINY

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
    rate = float(re.search(r"set it by optimizer\.lr=(\S+)", out)[1])
    assert 1e-5 < rate < 10 and "rate  1.00e-05" in out


def test_a_loss_that_never_falls_gives_no_rate(run):
    code, out, err = run(
        "lr-find", *SHORT, "--updates", "4", "--low", "1e-9", "--high", "1e-8", "--plot", "c.svg"
    )
    assert code == 2 and "optimizer.lr=" not in out and Path("c.svg").is_file()
    assert "expected a loss that falls at some rate, got one that is lowest before the first update" in err


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_command_lines_get_a_sentence(refused, fault):
    refused(*BROKEN[fault])
