"""Every page in light and dark, wide and on a telephone: errors, foreign requests, formulas, weight, width,
accessibility.
"""

import pytest

from tests.site.site_visit import TELEPHONE, WIDE_WINDOW, visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("scheme", "axe_width"), [("light", WIDE_WINDOW), ("dark", TELEPHONE)])
def test_page(browser, address, path, scheme, axe_width):
    found = visit(browser, address, path, scheme, axe_width)
    assert not found.report(), f"{path}, {scheme}\n{found.report()}"
