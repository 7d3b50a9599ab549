"""The short name that a figure has in the address, on its own page."""

import pytest
from dlbook_site.figures import short


@pytest.mark.parametrize(
    ("name", "page", "expected"),
    [
        ("fig-activations-explorer", "activations", "explorer"),
        ("fig-deep-learning-digits", "deep-learning", "digits"),
        ("fig-demo-two-panels", "index", "two-panels"),
    ],
)
def test_a_figure_has_a_short_name_on_its_own_page(name, page, expected):
    assert short(name, page) == expected
