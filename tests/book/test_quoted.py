"""A number of the prose is tied to the rows that compare the very same values, and to no other.

Seeded faults, tried: a link by rounded values, a link however few the digits, and a row that is named and not
looked for.
"""

import pytest
import torch

from dlbook.book.page import Page
from dlbook.book.quoted import rows_of

PLAIN = torch.tensor([2.3125, 2.296875, 2.28125])  # [seeds]
SHORTCUT = torch.tensor([0.5078125, 0.484375, 0.46875])


def links(page):
    """What the page's ledger ties together."""
    return rows_of(page.ledger._inserted, page.ledger.rows)


@pytest.fixture
def page():
    page = Page("resnet", 0)
    page.ledger.exceeds("plain is higher", PLAIN, SHORTCUT, by=1)
    page.ledger.below("shortcuts learn", SHORTCUT, 1)
    page.ledger.check("weights", 11_689_512, 11_689_512)
    page.ledger.check("slope", 0.5, 0.5)
    return page


def test_the_same_values_are_found_before_and_after_the_row(page):
    page.insert("plain", PLAIN, "{:.2f}")
    page.insert("shortcut", SHORTCUT.double().tolist(), "{:.2f}")
    page.insert("weights", 11_689_512, "{:,}")
    assert links(page) == {
        "plain is higher": ["resnet-plain", "resnet-shortcut"],
        "shortcuts learn": ["resnet-shortcut"],
        "weights": ["resnet-weights"],
    }


def test_what_is_only_near_or_of_few_digits_is_not(page):
    page.insert("near", PLAIN + 1e-4, "{:.2f}")
    page.insert("mean", PLAIN.mean(), "{:.2f}")
    page.insert("half", 0.5)
    page.insert("words", "0.5 nats")
    assert links(page) == {}


def test_the_author_names_the_row_of_few_digits(page):
    page.insert("half", 50.0, "{:.0f} %", row="slo")
    assert links(page) == {"slope": ["resnet-half"]}


def test_a_row_that_there_is_not_stops_the_notebook(page):
    page.insert("half", 50.0, "{:.0f} %", row="slop!")
    with pytest.raises(ValueError, match=r"expected the name of one row .*, got 'slop!', which means none"):
        page.end()


def test_words_that_two_rows_have_name_neither(page):
    page.insert("half", 50.0, "{:.0f} %", row="e")
    with pytest.raises(ValueError, match="which means 'plain is higher' and 'shortcuts learn' and"):
        page.end()


def test_the_difference_of_two_sides_belongs_to_their_row(page):
    page.insert("gap", PLAIN.double() - SHORTCUT.double(), "{:.2f}")
    assert links(page) == {"plain is higher": ["resnet-gap"]}


def test_what_a_paper_reports_belongs_to_its_own_row(page):
    page.ledger.cite("error", "24.7 %", "he2016deep", "Table 4", insert="he")
    page.ledger.cite("error, again", "24.7 %", "he2016deep", "Table 4")
    assert links(page) == {"error": ["resnet-he"]}
