"""The three forms in which predictions are printed."""

import csv
import json
from pathlib import Path

import pytest

from dlbook.cli.predictions import Writer, form_of

FOUND = {"a b.png": {"cat, tabby": 0.75, "über": 0.125}, "c.png": {"dog": 1.0}}


def printed(form):
    lines = []
    writer = Writer(form, lines.append)
    counts = [writer(Path(name), classes) or len(lines) for name, classes in FOUND.items()]
    writer.end()
    return lines, counts


def test_csv_is_read_back_and_comes_picture_by_picture():
    lines, counts = printed("csv")
    rows = list(csv.DictReader(lines))
    assert [(row["picture"], row["rank"], row["class"], float(row["probability"])) for row in rows] == [
        ("a b.png", "1", "cat, tabby", 0.75),
        ("a b.png", "2", "über", 0.125),
        ("c.png", "1", "dog", 1.0),
    ]
    assert counts == [3, 4] and len(lines) == 4


def test_json_is_read_back():
    lines, counts = printed("json")
    assert json.loads("\n".join(lines)) == FOUND and counts == [0, 0]


def test_the_table():
    assert printed("table")[0] == [
        "a b.png",
        "   75.0 %  cat, tabby",
        "   12.5 %  über",
        "c.png",
        "  100.0 %  dog",
    ]


def test_one_form_at_a_time():
    assert [form_of(*both) for both in ((False, False), (True, False), (False, True))] == [
        "table",
        "json",
        "csv",
    ]
    with pytest.raises(ValueError, match="expected --json or --csv, got both"):
        form_of(True, True)
