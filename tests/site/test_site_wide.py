"""Every page in a wide window, light and dark: errors, foreign requests, formulas, weight, accessibility."""

import pytest

from tests.site.site_visit import visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_at_1400_px(browser, address, path, scheme):
    found = visit(browser, address, path, width=1400, scheme=scheme)
    assert not found.report(), f"{path}, {scheme}, 1400 px\n{found.report()}"
