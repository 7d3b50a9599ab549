"""Formulas set while the book is built, and a page that needs no script for them.

Seeded faults, tried: a display set as if it stood in a line, TeX that is not unescaped, an error that passes.
"""

import re

import pytest
from dlbook_site import formulas
from sphinx.errors import ExtensionError

PAGE = """<html lang="en" data-content_root="../"><head></head><body>
<p>With <span class="math notranslate nohighlight">\\(a &lt; b\\)</span> and
<span class="math notranslate nohighlight">\\(a &lt; b\\)</span>:</p>
<div class="math notranslate nohighlight" id="equation-one">
<span class="eqno">(1)<a class="headerlink" href="#equation-one">#</a></span>\\[\\sum_i x_i\\]</div>
<pre>\\(code\\)</pre></body></html>"""


def test_all_formulas_of_a_page_are_set_and_nothing_else():
    page = formulas.typeset(PAGE)
    assert page.count("<mjx-container") == 3
    assert "\\(a" not in page and "\\[" not in page and "<pre>\\(code\\)</pre>" in page
    assert "<mo>&lt;</mo>" in page and "amp;" not in page
    assert re.search(r'#</a></span><mjx-container[^>]* display="true"', page)


def test_only_a_displayed_formula_is_displayed():
    (inline, display), _ = formulas.render([("x", False), ("x", True)])
    assert 'display="true"' not in inline and 'display="true"' in display


def test_a_mark_stays_in_the_line_of_its_formula():
    span = '<span class="math notranslate nohighlight">\\(x\\)</span>'
    page = f"<html><head></head><body><p>Take “{span}”, ({span}) and {span} here.</p></body></html>"
    texts = re.findall(
        r'<span class="with-mark">(.)<span.*?</mjx-container></span>([^<]*)</span>', formulas.typeset(page)
    )
    assert texts == [("“", "”,"), ("(", ")")]


def test_the_fonts_are_sought_at_the_root_of_the_site():
    style = formulas.typeset(PAGE).partition("<style>")[2].partition("</style>")[0]
    addresses = set(re.findall(r'url\("([^"]*)/[\w-]+\.woff"\)', style))
    assert addresses == {"../_static/mathjax"}


def test_a_page_without_formulas_stays_as_it_is():
    assert formulas.typeset("<html><head></head><p>\\(not marked\\)</p></html>").count("style") == 0


@pytest.mark.parametrize("tex", ["\\frac{1}", "\\nosuchcommand", "{"])
def test_wrong_tex_is_an_error_that_names_it(tex):
    with pytest.raises(ExtensionError, match="expected TeX") as told:
        formulas.render([("x", False), (tex, True)])
    assert repr(tex) in str(told.value)


@pytest.mark.browser
def test_formulas_stand_and_have_their_fonts_without_a_script(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page, fonts = context.new_page(), []
    page.on("response", lambda response: fonts.append(response) if "MathJax_" in response.url else None)
    page.goto(f"{address}/chapters/front/notation.html", wait_until="networkidle")
    text = page.locator("article").inner_text()
    count = page.locator("article mjx-container").count()
    assert count > 20 and "\\(" not in text and "\\mathcal" not in text
    assert fonts and all(response.status == 200 for response in fonts)
    context.close()
