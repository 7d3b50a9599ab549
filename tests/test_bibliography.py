"""references.bib is read as the site reads it."""

from pathlib import Path

import pytest
from pybtex.database import parse_file, parse_string
from pybtex.exceptions import PybtexError

ROOT = Path(__file__).resolve().parents[1]


def test_the_bibliography_is_whole():
    """A merge that loses a brace, or brings a work twice, takes the whole site away."""
    works = parse_file(ROOT / "references.bib").entries
    assert len(works) > 200


def test_a_lost_brace_is_seen():
    text = (ROOT / "references.bib").read_text("utf8")
    with pytest.raises(PybtexError):
        parse_string(text.replace("\n}\n\n@", "\n\n@", 1), "bibtex")
