"""What of the zoo is asked again: all rows of what changed, and of the others a few."""

import json
from pathlib import Path

import pytest
import zoo_changes
from zoo_changes import changed_families, fingerprint, now, rows_to_ask

FILES = {
    "dlbook/__init__.py": "",
    "dlbook/nn/__init__.py": "",
    "dlbook/nn/gate.py": "import torch",
    "dlbook/nn/lonely.py": "",
    "dlbook/models/__init__.py": "",
    "dlbook/models/a.py": "from dlbook.nn.gate import Gate",
    "dlbook/models/b.py": "import torch",
    "dlbook/models/b_weights.py": "NAMES = {}",
    "tests/zoo/sweep.py": "import dlbook.book.table",
    "dlbook/book/table.py": "",
    "tests/oracles/svg.py": "",
    "tests/oracles/peers.py": "PEERS = {'a1': 'x', 'b1': 'y'}",
    "scripts/check_zoo.py": "def checks():\n    import tests.oracles.peers, tests.zoo.sweep",
    "dlbook/zoo/counted.csv": "row,family\na1,a,7\nb1,b,8\n",
}


@pytest.fixture
def house(tmp_path):
    """A small house with two families, and the record of a sweep that passed."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    record = tmp_path / "checked.json"
    record.write_text(json.dumps(now(["a", "b"], tmp_path)))
    return tmp_path, record


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("dlbook/nn/lonely.py", []),
        ("dlbook/book/table.py", []),
        ("dlbook/nn/gate.py", ["a"]),
        ("dlbook/models/a.py", ["a"]),
        ("dlbook/models/b_weights.py", ["b"]),
        ("dlbook/models/__init__.py", ["a", "b"]),
        ("tests/zoo/sweep.py", ["a", "b"]),
        ("tests/oracles/svg.py", []),
        ("scripts/check_zoo.py", ["a", "b"]),
    ],
)
def test_a_change_makes_the_families_new_that_depend_on_it(house, file, expected):
    root, record = house
    assert changed_families(["a", "b"], record, root) == []
    (root / file).write_text("X = 1")
    assert changed_families(["a", "b"], record, root) == expected


BEFORE = 'def f(x):\n    """Take x."""\n    if x < 0:\n        raise ValueError(f"got {x}")\n    return x'


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BEFORE.replace("Take x.", "Return x as it is."), []),
        (BEFORE.replace('f"got {x}"', 'f"expected x >= 0, got {x}"'), []),
        ("# a reason\n" + BEFORE, []),
        (BEFORE.replace("x < 0", "x <= 0"), ["a"]),
        (BEFORE.replace("ValueError", "TypeError"), ["a"]),
        (BEFORE.replace("return x", "return -x"), ["a"]),
        (BEFORE.replace("return x", "return 'x'"), ["a"]),
    ],
)
def test_words_for_readers_make_nothing_new_and_code_does(house, after, expected):
    root, record = house
    (root / "dlbook/nn/gate.py").write_text(BEFORE)
    record.write_text(json.dumps(now(["a", "b"], root)))
    (root / "dlbook/nn/gate.py").write_text(after)
    assert changed_families(["a", "b"], record, root) == expected


TABLE = "FAMILIES = ('a', 'b')\nPEERS = {'a': one(1), 'b': one(2)}\ndef f():\n    steps = (1, 2)"


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (TABLE.replace("'b')", "'b', 'c')"), []),
        (TABLE.replace("one(2)}", "one(2), 'c': one(3)}"), []),
        (TABLE.replace("one(1)", "one(9)"), ["a"]),
        (TABLE.replace("'b': one(2)", "'b': other(2)"), ["b"]),
        (TABLE.replace("('a', 'b')", "('b',)"), ["a"]),
        (TABLE.replace("steps = (1, 2)", "steps = (1, 3)"), ["a", "b"]),
    ],
)
@pytest.mark.parametrize("file", zoo_changes.TABLES)
def test_a_line_of_a_table_makes_its_own_family_new(house, file, after, expected):
    root, record = house
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / "dlbook/models/a.py").write_text("import dlbook.zoo.papers")
    (root / "dlbook/models/b.py").write_text("import dlbook.zoo.papers")
    (root / file).write_text(TABLE)
    record.write_text(json.dumps(now(["a", "b"], root)))
    (root / file).write_text(after)
    assert changed_families(["a", "b"], record, root) == expected


def test_another_recorded_count_makes_its_family_new(house):
    root, record = house
    (root / "dlbook/zoo/counted.csv").write_text("row,family\na1,a,7\nb1,b,9\n")
    assert changed_families(["a", "b"], record, root) == ["b"]


def test_without_a_record_or_with_another_torch_all_is_new(house, monkeypatch):
    root, record = house
    assert changed_families(["a", "b"], root / "none.json", root) == ["a", "b"]
    monkeypatch.setattr(zoo_changes, "version", lambda name: "99.0")
    assert changed_families(["a", "b"], record, root) == ["a", "b"]


def test_a_new_family_is_new(house):
    root, record = house
    (root / "dlbook/models/c.py").write_text("")
    assert changed_families(["a", "b", "c"], record, root) == ["c"]


def test_of_the_others_a_sample_is_asked_and_within_three_weeks_each_smallest_row():
    sizes = {f"{family}{n}": (family, 100 - n) for family in "abcd" for n in range(50)}
    weeks = [rows_to_ask(sizes, ["a"], f"2026-W{week}") for week in (51, 52, 53)]
    assert weeks[0] != weeks[1] and weeks[0] == rows_to_ask(sizes, ["a"], "2026-W51")
    for asked in weeks:
        assert {f"a{n}" for n in range(50)} <= set(asked)
        assert 50 < len(asked) <= 50 + 2 + zoo_changes.SAMPLE
    assert {"b49", "c49", "d49"} <= set().union(*weeks)
    assert len(rows_to_ask(sizes, [], "2026-W1")) <= 2 + zoo_changes.SAMPLE


def test_every_family_s_own_files_count():
    from dlbook.models import FAMILIES

    assert len({fingerprint(family) for family in FAMILIES}) == len(FAMILIES)
    vgg = Path(zoo_changes.ROOT / "dlbook/models/vgg.py")
    assert vgg in zoo_changes.closure({vgg})
