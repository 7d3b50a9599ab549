"""The rows of a loop are one entry that shows the closest call; what could have failed comes first.

Seeded faults, tried: the first row in the place of the closest, and equalities before claims.
"""

from dlbook.book.ledger import Ledger
from dlbook.book.ledger_entries import entries, title
from dlbook.book.ledger_table import MIME, Shown


def ledger():
    """A ledger with a quoted number, a loop of equalities, two claims, and a pair that is no group."""
    made = Ledger("resnet")
    made.cite("error", "24.7 %", "he2016deep", "Table 4")
    for name, off in (("a", 0.0), ("b", 9e-11), ("c", 1e-12)):
        made.check(f"net {name}, against torchvision", 0.0, off, tolerance=1e-10)
    made.exceeds("depth hurts", [2.0, 2.1], [1.0, 1.1], by=0.5)
    for name in ("left", "right"):
        made.check(f"the variance on the {name}", 1.0, 1.01, tolerance=0.05)
    return made


def test_what_could_have_failed_comes_first_and_quotations_last():
    found = entries(ledger().rows)
    assert [(entry.number, entry.title, len(entry.rows)) for entry in found] == [
        (1, "depth hurts", 1),
        (2, "the variance on the left", 1),
        (3, "the variance on the right", 1),
        (4, "net …, against torchvision", 3),
        (5, "error", 1),
    ]
    assert [entry.rows[0].section for entry in found] == ["claim", "claim", "claim", "equality", "cited"]


def test_a_group_shows_its_closest_call():
    (group,) = (entry for entry in entries(ledger().rows) if len(entry.rows) > 1)
    assert group.closest.name == "net b, against torchvision"
    assert group.closest.tolerance == "off by 9e-11 of ± 1e-10" and abs(group.closest.slack - 0.1) < 1e-9
    assert [group.place(row) for row in group.rows] == ["ledger-4-1", "ledger-4-2", "ledger-4-3"]


def test_rows_without_common_words_stay_apart():
    made = Ledger("resnet")
    for name in ("alpha of SELU", "gain of ReLU", "sum of factors"):
        made.check(name, 1, 1)
    assert [len(entry.rows) for entry in entries(made.rows)] == [1, 1, 1]


def test_common_words_are_whole_words():
    assert title(["slope of ReLU", "slope of ReLU6"]) == "slope of …"
    assert title(["slope of relu(x)", "slope of maximum(x, 0)"]) == "slope of …"
    assert title(["ResNet-50: MACs", "ResNet-101: MACs"]) == "MACs"


def test_the_table_has_each_place_once_and_the_json_says_where():
    made = ledger()
    shown = Shown("resnet", entries(made.rows), {"depth hurts": ["resnet-plain"]})
    html, told = shown.html(), shown._repr_mimebundle_()[1][MIME]["entries"]
    places = [row["place"] for entry in told for row in entry["rows"]]
    assert len(places) == 7 and all(html.count(f'id="{place}"') == 1 for place in places)
    assert html.count('data-inserts="resnet-plain"') == 1 and html.count("<details>") == 1
    group = told[3]
    assert group["words"] == "net …, against torchvision · 3 rows, the closest: b"
    assert group["shown"]["tolerance"] == "off by 9e-11 of ± 1e-10"


def test_recorded_results_show_their_range():
    run = {
        "name": "run",
        "commit": "0123456789",
        "device": "CPU",
        "versions": {"torch": "2.14.1"},
        "seed": 0,
        "seconds": 61.5,
        "date": "2026-05-01T12:00:00+00:00",
        "results": {"a": 0.9, "b": 0.7, "c": 1.03},
    }
    made = Ledger("zoo")
    for name in run["results"]:
        made.record(run, f"ours over theirs, {name}", name)
    (entry,) = entries(made.rows)
    assert entry.shown.measured == "0.7 to 1.03" and entry.words == "ours over theirs · 3 rows"
    assert entry.shown.source.startswith("recorded 2026-05-01 on CPU")
