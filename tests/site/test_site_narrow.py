"""Every page on a telephone, light and dark: as in a wide window, and nothing may push the page sideways."""

import pytest

from tests.site.site_visit import visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_at_400_px(browser, address, path, scheme):
    found = visit(browser, address, path, width=400, scheme=scheme)
    assert not found.report(), f"{path}, {scheme}, 400 px\n{found.report()}"
