"""Reported accuracies: each names a row and a source, and a damaged file is told by line."""

from pathlib import Path

import pytest

from dlbook import zoo
from dlbook.models import variants
from dlbook.zoo.reported import FILE, reported
from tests.zoo.test_papers import BIBLIOGRAPHY

HEADER = "row,top1,setting,citation,where\n"


def test_reported_accuracies_name_rows_and_sources():
    lines = reported()
    assert {line.row for line in lines} <= set(variants())
    assert {line.citation for line in lines} <= set(BIBLIOGRAPHY)


@pytest.mark.parametrize(
    "text, message",
    [
        ("row,top1\nresnet50,1\n", "expected the columns"),
        (HEADER + "resnet50,many,1 crop,he2016deep,Table 4\n", "line 2: expected top1 to be"),
        (HEADER + "resnet50,100.5,1 crop,he2016deep,Table 4\n", "between 0 and 100"),
        (HEADER + "resnet50,77,1 crop,he2016deep,\n", "every column"),
        (
            HEADER + "resnet50,77,1 crop,he2016deep,Table 4\n" * 2,
            "line 3: .*got 'resnet50' with this setting twice",
        ),
    ],
)
def test_a_bad_file_is_told_by_line(tmp_path, text, message):
    (tmp_path / "bad.csv").write_text(text, encoding="utf8")
    with pytest.raises(ValueError, match=message):
        reported(tmp_path / "bad.csv")


def test_the_file_is_part_of_the_package():
    assert FILE.is_file() and FILE.parent == Path(zoo.__file__).parent
