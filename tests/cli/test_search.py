"""search as somebody types it, and ways to get it wrong."""

import re
from pathlib import Path

import optuna
import pytest

from tests.cli.settings import TINY

BROKEN = {
    "a search without a space": (("search", "digits"), "one --space or more"),
    "a search of an unknown key": (("search", "digits", "--space", "optimizer.Lr=1..2"), "did you mean 'lr'"),
    "a search without grammar": (
        ("search", "digits", "--space", "optimizer.lr"),
        "KEY=low..high, KEY=log:low..high or KEY=a,b,c",
    ),
    "no trial": (("search", "digits", "--trials", "0"), "trials"),
}


def test_search_and_train_its_winner(run):
    words = (
        "search",
        "digits",
        *TINY,
        "--space",
        "optimizer.lr=log:1e-4..1e-1",
        "--space",
        "optimizer.name=sgd,adamw",
        "--study",
        "mine",
    )
    code, out, _ = run(*words, "--trials", "2")
    assert (
        code == 0
        and out.count("\ntrial") == 1
        and "2 complete, 0 pruned, 0 fail" in out
        and Path("runs/search.journal").is_file()
    )
    lines = [line for line in out.splitlines() if line.startswith("trial ")]
    row = r"trial \d: \d of 2 ended  complete  accuracy [\d.]{1,5}  optimizer.lr=[\d.e-]{1,9}  "
    row += r"optimizer.name=(sgd|adamw)"
    assert [bool(re.fullmatch(row, line)) for line in lines] == [True, True]
    backend = optuna.storages.journal.JournalFileBackend("runs/search.journal")
    journal = optuna.storages.JournalStorage(backend)
    optuna.load_study(study_name="mine", storage=journal).ask()  # as if killed before it ended
    told = run(*words, "--trials", "3")[1]  # goes on with the study
    assert "3 complete, 0 pruned, 0 fail, 1 not counted (killed, or running elsewhere)" in told
    file = re.search(r"train it: dlbook train (\S+)", out)[1]
    code, out, _ = run("train", file)
    assert file == "runs/search/mine/best.yaml" and code == 0 and "kept in runs/search/mine/best" in out


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_command_lines_get_a_sentence(refused, fault):
    refused(*BROKEN[fault])
