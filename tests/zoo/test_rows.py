"""The recorded counts: every row of the tables is there, the numbers are those that counting finds, and a
wrong number or a damaged file is told.
"""

import subprocess
import sys

import pytest

from dlbook import zoo
from dlbook.models import FAMILIES, variants
from dlbook.zoo import rows
from dlbook.zoo.counting import as_csv
from tests.zoo.counts import check_counts

SAMPLE = ("lenet5", "resnet18", "mobilenet_v3_small", "vit_ti_16", "convnext_t", "alexnet", "resnet20_cifar")


def test_every_row_of_the_tables_is_recorded_in_their_order():
    assert {name: entry.family for name, entry in rows.read(rows.FILE).items()} == variants()
    assert rows.names() == list(variants()) and len(rows.names()) > 200
    assert list(dict.fromkeys(entry.family for entry in zoo.entries())) == list(FAMILIES)


def test_the_zoo_lists_each_row_once():
    assert rows.names() == list(dict.fromkeys(rows.names())) and set(rows.names("vgg")) < set(rows.names())


@pytest.mark.parametrize("name", SAMPLE)
def test_the_record_is_what_counting_finds(name):
    assert check_counts(name) == []


@pytest.mark.parametrize("fault", ["parameters", "macs", "input_size"])
def test_a_wrong_number_is_caught(monkeypatch, tmp_path, fault):
    text = rows.FILE.read_text("utf8")
    wrong = {
        "parameters": ("lenet5,lenet,1,32,32,60000,", "lenet5,lenet,1,32,32,60001,"),
        "macs": ("60000,325680", "60000,325681"),
        "input_size": ("lenet5,lenet,1,32,32", "lenet5,lenet,1,28,32"),
    }[fault]
    assert wrong[0] in text
    (tmp_path / "counted.csv").write_text(text.replace(*wrong), "utf8")
    known = rows.read(tmp_path / "counted.csv")
    monkeypatch.setattr(rows, "_recorded", lambda: known)
    assert "recorded as" in check_counts("lenet5")[0] and check_counts("lenet5_modern") == []


def test_a_row_that_was_not_recorded_is_caught(monkeypatch):
    known = {name: entry for name, entry in rows.read(rows.FILE).items() if name != "lenet5"}
    monkeypatch.setattr(rows, "_recorded", lambda: known)
    assert "no count is recorded" in check_counts("lenet5")[0]


def test_what_is_written_is_what_is_read():
    assert as_csv(zoo.entries()) == rows.FILE.read_text("utf8")


HEAD = ",".join(rows.COLUMNS) + "\n"


@pytest.mark.parametrize(
    "text, message",
    [
        ("row,family\n", "expected the columns"),
        (HEAD + "lenet5,lenet,1,32,32,60000\n", "line 2: expected a row"),
        (HEAD + "lenet5,lenet,1,32,32,many,325680\n", "line 2: expected a row"),
        (HEAD + "lenet5,lemet,1,32,32,60000,325680\n", "line 2: expected a row"),
        (HEAD + "lenet5,lenet,1,32,32,60000,325680\n" * 2, "line 3: .*got 'lenet5' twice"),
    ],
)
def test_a_damaged_file_is_told_by_line(tmp_path, text, message):
    (tmp_path / "counted.csv").write_text(text, "utf8")
    with pytest.raises(ValueError, match=message):
        rows.read(tmp_path / "counted.csv")


def test_the_list_needs_no_torch():
    code = "import sys; from dlbook import zoo; zoo.entries(); zoo.reported(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
