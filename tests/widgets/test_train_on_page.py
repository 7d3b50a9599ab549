"""Train in a real Chromium: it trains as torch does, in a worker, also on a page opened as a file; keys, words, axe.

Seeded faults, tried: a batch of the page in another order, and a worker that is refused and has no stand-in, are
seen.
"""

import base64
import re
import zlib

import pytest

from tests.widgets.live import check_axe, check_legible, check_paper, page_of
from tests.widgets.train_checks import made, script

pytestmark = pytest.mark.browser
SLOW = 60_000  # milliseconds: a busy machine


@pytest.fixture(scope="module")
def figure():
    return made()


@pytest.fixture
def opened(open_figure, figure):
    """Function that opens the figure on a page which has the digits already."""

    def open_it(**options):
        page = open_figure(figure, **options)
        page.evaluate(script().replace("\n", ""))
        return page

    return open_it


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def train(page):
    """Press, and wait for the end."""
    page.get_by_role("button", name="Train").click()
    page.locator(".dlw-outcome").wait_for(timeout=SLOW)
    return page.locator(".dlw-outcome").inner_text()


def choose(page, name):
    page.get_by_role("radio", name=re.compile(rf"^(✓ ?)?{name}$")).check(force=True)


def within(text):
    return float(re.search(r"within ([\d.e−]+) %", text)[1].replace("−", "-"))


@pytest.mark.parametrize("name", ["nothing", "no shortcut", "labels", "sigmoid", "flat"])
def test_it_trains_as_torch_did_and_the_guess_is_marked(opened, figure, name):
    page = opened()
    choose(page, name)
    choose(page, figure.answer(name))
    told = train(page)
    assert told.startswith(f"Your guess was right. The loss {figure.answer(name)}.") and within(told) <= 0.1
    assert verdict(page).startswith("Step 8 of 8: loss ") and "of the test digits" in verdict(page)


def test_a_wrong_guess_is_said_and_reset_begins_anew(opened, figure):
    page = opened()
    choose(page, next(c for c in figure.spec["choices"] if c != figure.answer("nothing")))
    assert train(page).startswith("You said “")
    page.get_by_role("button", name="back to the start").click()
    assert "Nothing is trained yet" in verdict(page) and page.locator(".dlw-outcome").is_hidden()
    assert train(page).startswith("You made no guess. ")


def test_steps_by_keyboard_and_numbers_by_layer(opened):
    page = opened()
    page.get_by_role("button", name="one step further").press("Enter")
    page.wait_for_function(
        "document.querySelector('.dlw-verdict').textContent.startsWith('Step 1 ')", timeout=SLOW
    )
    page.get_by_text("The numbers, layer by layer").click()
    page.get_by_role("rowheader", name="layer2.0.conv2").wait_for()
    assert page.locator("tbody tr").count() == 6
    page.get_by_role("button", name="one step further").press("Enter")
    page.wait_for_function(
        "document.querySelector('.dlw-verdict').textContent.startsWith('Step 2 ')", timeout=SLOW
    )
    assert page.get_by_role("button", name="Go on").count() == 1


def on_disk(browser, figure, folder, digits):
    """The figure on a page that was opened as a file, beside the file of digits; None: there is none."""
    (folder / "_static").mkdir()
    if digits:
        (folder / "_static/digits.js").write_text(digits, "utf8")
    html = page_of(figure).replace("<html ", '<html data-content_root="./" ')
    (folder / "a.html").write_text(html, "utf8")
    page = browser.new_page()
    page.goto((folder / "a.html").as_uri())
    page.wait_for_selector("[data-widget=ready]")
    return page


def test_it_runs_on_a_page_that_was_opened_as_a_file(browser, figure, tmp_path):
    page = on_disk(browser, figure, tmp_path, script())
    try:
        assert page.evaluate("globalThis.dlbookDigits === undefined")  # nothing is loaded before the press
        assert within(train(page)) <= 0.1
        assert len(page.workers) == 1
    finally:
        page.close()


def test_without_workers_it_trains_on_the_page(opened):
    page = opened()
    page.evaluate("globalThis.Worker = class { constructor() { throw new Error('refused'); } }; 0")
    assert within(train(page)) <= 0.1


def test_without_its_file_it_says_what_is_missing(browser, figure, tmp_path):
    page = on_disk(browser, figure, tmp_path, None)
    try:
        page.get_by_role("button", name="Train").click()
        page.get_by_text(
            "The digits could not be loaded. They are the file _static/digits.js"
        ).first.wait_for()
    finally:
        page.close()


def altered():
    """The file of digits with one pixel changed, as a script."""
    start, data, end = script().split('"')
    data = bytearray(zlib.decompress(base64.b64decode(data)))
    data[1000] ^= 1
    return f'{start}"{base64.b64encode(zlib.compress(bytes(data))).decode()}"{end}'


@pytest.mark.parametrize(
    "text", [altered(), 'globalThis.dlbookDigits="eJwDAAAAAAE=";'], ids=["pixel", "nothing"]
)
def test_other_digits_are_refused(browser, figure, tmp_path, text):
    page = on_disk(browser, figure, tmp_path, text)
    try:
        page.get_by_role("button", name="Train").click()
        page.get_by_text("are not those that this figure was made with").first.wait_for()
    finally:
        page.close()


@pytest.mark.parametrize("width", [1200, 390, 320])
def test_it_fits_and_its_words_are_legible(opened, width):
    page = opened(viewport={"width": width, "height": 900})
    check_legible(page, width)
    boxes = page.locator(".dlw button:visible, .dlw .dlw-radio").evaluate_all(
        "all => all.map(b => Math.min(b.getBoundingClientRect().width, b.getBoundingClientRect().height))"
    )
    assert min(boxes) >= 24


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(opened, dark):
    page = opened(dark=dark)
    train(page)
    check_axe(page)


def test_paper_is_white_without_buttons(opened):
    check_paper(opened())
