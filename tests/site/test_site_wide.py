"""Formulas and tables on a telephone: the keyboard reaches what is wider."""

import pytest

from tests.site.site_visit import SETTLE

pytestmark = pytest.mark.browser

FIRST_WIDE = """() => {
  const formula = [...document.querySelectorAll('article div.math mjx-container')].find((e) => e.scrollWidth > e.clientWidth + 1);
  formula?.focus();
  return Boolean(formula);
}"""
STATE = "() => [document.activeElement.dataset.more, document.activeElement.scrollLeft]"


@pytest.fixture
def telephone(browser):
    """A page on a telephone of 390 pixels."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    yield context.new_page()
    context.close()


def test_a_wide_formula_scrolls_by_keyboard_and_its_fade_moves(telephone, address):
    telephone.goto(f"{address}/chapters/convolution/activations.html")
    telephone.evaluate(SETTLE)
    assert telephone.evaluate(FIRST_WIDE), "this chapter has a formula that is wider than a telephone"
    assert telephone.evaluate(STATE) == ["right", 0]
    telephone.keyboard.press("ArrowRight")
    telephone.wait_for_timeout(300)
    assert telephone.evaluate(STATE)[1] > 0
    telephone.evaluate("document.activeElement.scrollLeft = 1e5")
    telephone.wait_for_timeout(100)
    assert telephone.evaluate(STATE)[0] == "left"


def test_a_ledger_on_a_telephone_is_read_without_scrolling_sideways(telephone, address):
    telephone.goto(f"{address}/chapters/architectures/resnet.html")
    telephone.evaluate(SETTLE)
    table = telephone.locator("table.dlbook-ledger")
    assert table.evaluate("(e) => e.parentElement.scrollWidth <= e.parentElement.clientWidth + 1")
    last = table.locator("tbody tr").first.locator("td").last
    assert last.bounding_box()["x"] + last.bounding_box()["width"] <= 390
    assert "status" in last.evaluate("(e) => getComputedStyle(e, '::before').content")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_formula_is_as_high_as_the_text_around_it(browser, address, scheme):
    """The factor stands in the style sheet, since nothing is measured while the book is built."""
    page = browser.new_context(color_scheme=scheme).new_page()
    page.goto(f"{address}/chapters/front/notation.html")
    page.evaluate(SETTLE)
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("article mjx-container")].map((formula) => {
          const own = parseFloat(getComputedStyle(formula).fontSize);
          return own / parseFloat(getComputedStyle(formula.parentElement.parentElement).fontSize);
        })"""
    )
    page.context.close()
    assert sizes and all(1.0 < size < 1.3 for size in sizes)
