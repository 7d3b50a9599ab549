"""One figure alone on a page, started by the site's own host: quicker than a built book."""

import importlib
import json
from pathlib import Path

HOST = (Path(__file__).parents[2] / "_static/host.mjs").read_text("utf8")
VIEW = "application/vnd.jupyter.widget-state+json"


def page_of(figure, theme="light"):
    """HTML of a page that holds one figure: its still picture, its state, and the host."""
    state = {figure.model_id: {"state": figure.get_state()}}
    text = json.dumps({"state": state}, sort_keys=True).replace("</", "<\\/")
    ground, ink = ("#161a22", "#dcdfe5") if theme == "dark" else ("#fff", "#1f2328")
    colours = f"--pst-color-background:{ground};--pst-color-text-base:{ink};--pst-color-text-muted:{ink}"
    return (
        f'<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf8"><title>A figure</title>'
        f'<meta name="viewport" content="width=device-width"><body style="background:{ground};{colours}"><main>'
        f'<h1 style="position:absolute;clip-path:inset(50%)">A figure</h1>'
        f"{figure._repr_mimebundle_()[0]['text/html']}</main>"
        "<script>addEventListener('dlbook:figure', (event) => { window.model = event.detail.model; });</script>"
        f'<script type="{VIEW}">{text}</script><script>{HOST}</script></body></html>'
    )


def opener(browser, errors, contexts):
    """Function that opens a figure in a fresh context, and waits until it is alive."""

    def open_figure(figure, dark=False, first=None, **options):
        context = browser.new_context(**{"reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if first:  # what the page has before the figure begins
            page.evaluate(first)
        page.set_content(page_of(figure, "dark" if dark else "light"))
        if options.get("java_script_enabled", True):
            page.wait_for_selector("[data-widget=ready]")
        return page

    return open_figure


def check_legible(page, width):
    """Nothing makes the page wider than its window, and no word on the stage is smaller than 12 pixels."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".dlw-stage text").first.wait_for(state="attached")  # it is drawn when its width is known
    sizes = page.locator(".dlw-stage text").evaluate_all(
        "all => all.map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)"
    )
    assert min(sizes) >= 12


def swipe(page, start, end, steps=8):
    """Move one finger over the page, from a place to another."""
    finger = page.context.new_cdp_session(page)
    send = lambda kind, *at: finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(at)})
    send("touchStart", {"x": start[0], "y": start[1]})
    for i in range(1, steps + 1):
        x, y = (a + (b - a) * i / steps for a, b in zip(start, end, strict=True))
        send("touchMove", {"x": x, "y": y})
        page.wait_for_timeout(20)
    send("touchEnd")


def check_apart(page):
    """No two words on the stage lie on each other."""
    page.locator(".dlw-stage text").first.wait_for(state="attached")
    boxes = page.locator(".dlw-stage text").evaluate_all(
        "all => all.filter(t => t.textContent.trim()).map(t => [t.textContent, t.getBoundingClientRect().toJSON()])"
    )
    over = [
        (one, other)
        for i, (one, a) in enumerate(boxes)
        for other, b in boxes[:i]
        if min(a["right"], b["right"]) - max(a["left"], b["left"]) > 2
        and min(a["bottom"], b["bottom"]) - max(a["top"], b["top"]) > 1
    ]
    assert not over


def check_whole(page):
    """No word on the stage is cut by its edge."""
    page.locator(".dlw-stage text").first.wait_for(state="attached")
    cut = page.locator(".dlw-stage text").evaluate_all(
        """all => all.filter(t => { const a = t.getBoundingClientRect(), b = t.closest('.dlw-stage').getBoundingClientRect();
          return a.width && (a.left < b.left || a.right > b.right); }).map(t => t.textContent)"""
    )
    assert not cut


def check_axe(page):
    """axe finds no fault in the figure."""
    axe = importlib.import_module("axe_playwright_python.sync_playwright")
    results = axe.Axe().run(page, context=".dlbook-widget", options={"preload": False})
    assert results.violations_count == 0, results.generate_report()


def check_paper(page):
    """On paper the stage is white, and there is no button. The page stays as it is printed."""
    page.emulate_media(media="print")
    grounds = page.locator(".dlw-stage").evaluate_all(
        "all => all.map((stage) => getComputedStyle(stage).backgroundColor)"
    )
    assert set(grounds) == {"rgb(255, 255, 255)"}
    assert page.locator("button:visible").count() == 0
