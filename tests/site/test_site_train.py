"""A reader trains a network on a page of the built site: it learns, and the page stays light.

Seeded faults, tried: a page that loads the digits before it is asked, and a training whose steps do not move the
weights, are seen.
"""

import re

import pytest

from tests.site.site_visit import SETTLE, watch

pytestmark = pytest.mark.browser
PAGE, FIGURE = "chapters/architectures/resnet.html", ".dlw-train"
DIGITS = "/_static/digits.js"
WITH_DIGITS = 1_000_000  # bytes, compressed: the page, all that it loads, and the digits
SLOW = 120_000  # milliseconds: a busy machine


@pytest.fixture(scope="module")
def trained(browser, address, site):
    """What a visit saw: files before the press and after the training, and what the figure said."""
    if not (site / PAGE).is_file():
        pytest.skip("this site was built without the ResNet chapter")
    seen = {"console": [], "foreign": [], "missing": [], "bytes": []}
    page = browser.new_context().new_page()
    watch(page, address, seen)
    page.goto(f"{address}/{PAGE}", wait_until="load")
    page.evaluate(SETTLE)
    figure = page.locator(FIGURE)
    figure.scroll_into_view_if_needed()
    before, said = [path for _, path in seen["bytes"]], []
    for press, until in (("one step further", r"^Step 1 of "), ("Go on", r"^Step (\d+) of \1:")):
        figure.get_by_role("button", name=press).click()
        words = figure.locator(".dlw-verdict").filter(has_text=re.compile(until))
        words.wait_for(timeout=SLOW)
        said.append(words.inner_text())
    figure.locator(".dlw-outcome").wait_for(timeout=SLOW)
    said.append(figure.locator(".dlw-outcome").inner_text())
    page.context.close()
    return {"before": before, "said": said, **seen}


def loss_and_accuracy(words):
    """Loss, and per cent of the batch that was right."""
    return tuple(map(float, re.search(r"loss ([\d.]+), (\d+) %", words).groups()))


def test_without_pressing_no_digit_is_loaded(trained):
    assert trained["before"] and DIGITS not in trained["before"]
    assert DIGITS in [path for _, path in trained["bytes"]]


def test_the_loss_falls_and_the_accuracy_rises(trained):
    (first_loss, first_right), (last_loss, last_right) = map(loss_and_accuracy, trained["said"][:2])
    assert last_loss < first_loss - 1 and last_right > first_right + 30
    assert float(re.search(r"(\d+) % of the test digits", trained["said"][1])[1]) > 50


def test_the_page_trains_as_torch_did(trained):
    assert float(re.search(r"within ([\d.]+) %", trained["said"][2])[1]) < 1


def test_the_page_with_the_digits_stays_within_its_budget(trained):
    assert sum(size for size, _ in trained["bytes"]) <= WITH_DIGITS


def test_nothing_is_missing_or_foreign(trained):
    assert not trained["console"] and not trained["foreign"] and not trained["missing"]
