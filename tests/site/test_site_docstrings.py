"""Our docstrings as Sphinx reads them, without a site."""

import pytest
from dlbook_site.docstrings import as_rst


def read(text):
    """A docstring as autodoc hands it on."""
    lines = text.split("\n")
    as_rst(None, "module", "name", None, {}, lines)
    return "\n".join(lines)


@pytest.mark.parametrize(
    "kept",
    [
        "Args:\n    x: `[B]`.\n\n    More of x.",
        "1. An item\n\n    of two paragraphs",
        "As follows::\n\n    x = y",
        ">>> f(1)\n    2",
    ],
)
def test_lists_sections_and_listings_stay(kept):
    assert read(kept) == kept


def test_a_block_that_stands_alone_keeps_its_lines():
    assert read("A rule:\n\n    a = b\n    c = d\n\nAnd more.") == (
        "A rule:\n\n.. code-block:: text\n\n    a = b\n    c = d\n\nAnd more."
    )


def test_norms_are_no_substitutions_and_code_is_left_alone():
    assert read("the sum of |w| and `|g|`") == "the sum of ``|w|`` and `|g|`"


def test_departures_have_a_heading():
    assert ".. rubric:: Departures from the paper" in read("X.\n\nDepartures from the paper\n\n1. One.")
