"""One visit of a page in Chromium, and everything that may be wrong with what the reader gets there."""

from dataclasses import dataclass, field
from pathlib import Path

import axe_playwright_python

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf8")
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BUDGET = 800 * 1024  # bytes of a page with everything that it loads, compressed
WIDE_WINDOW, TELEPHONE = 1400, 400  # pixels
RESIZED = 600  # ms; the theme waits 300 before it makes what scrolls now reachable by keyboard
LOCAL = ("data:", "blob:", "about:")

SETTLE = """async () => {
  for (const image of document.images) image.loading = "eager";
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => image.complete || new Promise((done) => { image.onload = image.onerror = done; })));
  for (let tries = 0; tries < 50 && document.querySelector('[data-widget="loading"]'); tries++) await new Promise((done) => setTimeout(done, 100));
}"""

MATH = """() => [...document.querySelectorAll("span.math, div.math")].flatMap((formula) => {
  if (!formula.querySelector("mjx-container")) return ["not rendered: " + formula.textContent.trim().slice(0, 60)];
  const error = formula.querySelector("mjx-merror, [data-mjx-error]");
  return error ? ["TeX error: " + (error.getAttribute("data-mjx-error") ?? error.title ?? error.textContent) ] : [];
})"""

WIDE = """() => {
  const excess = document.documentElement.scrollWidth - window.innerWidth;
  if (excess <= 0) return [];
  const scrolls = (node) => node && node !== document.body && (getComputedStyle(node).overflowX !== "visible" || scrolls(node.parentElement));
  const culprits = [...document.querySelectorAll("main *")].filter((node) => node.getBoundingClientRect().right > window.innerWidth + 1 && !scrolls(node.parentElement));
  return [`the page is ${excess} px too wide: ` + culprits.slice(0, 3).map((node) => node.outerHTML.slice(0, 80)).join(" | ")];
}"""

CUT = """() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  return [...document.querySelectorAll("caption")].filter((caption) => caption.offsetWidth > caption.closest("table").parentElement.clientWidth + 1)
    .map((caption) => "a caption is cut: " + caption.textContent.trim().slice(0, 60));
}"""

# The theme lets the keyboard reach what scrolls, a moment after the last change of the page.
REACHED = """async () => {
  const left = () => [...document.querySelectorAll("pre[tabindex='-1']")].some((block) => block.scrollWidth > block.clientWidth);
  for (let tries = 0; tries < 50 && left(); tries++) await new Promise((done) => setTimeout(done, 100));
}"""

RUN_AXE = """(rules) => axe.run(document, {runOnly: rules, preload: false, resultTypes: ["violations"]}).then((result) => result.violations.map((v) =>
  `${v.impact} ${v.id} x${v.nodes.length}: ` + v.nodes.slice(0, 2).map((n) => n.target.join(" ") + " :: " + n.html.slice(0, 120)).join(" | ")))"""


@dataclass
class Visit:
    """What a visit found: faults by check, each a sentence, and the bytes that travelled."""

    faults: dict = field(default_factory=dict)
    bytes: int = 0
    largest: list = field(default_factory=list)

    def report(self):
        """All faults, one a line."""
        return "\n".join(f"[{check}] {fault}" for check, found in self.faults.items() for fault in found)


def watch(page, address, seen):
    """Note console errors, uncaught errors, foreign requests, failed requests and bytes in `seen`."""
    page.on(
        "console", lambda message: seen["console"].append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: seen["console"].append(f"uncaught: {error}"))

    def request(request):
        if not request.url.startswith((address, *LOCAL)):
            seen["foreign"].append(request.url)

    def response(response):
        if response.url.startswith(address):
            seen["bytes"].append(
                (int(response.headers.get("content-length", 0)), response.url.removeprefix(address))
            )
            if response.status >= 400:
                seen["missing"].append(f"{response.status} {response.url}")

    page.on("request", request)
    page.on("response", response)


def visit(browser, address, path, scheme="light", axe_width=1400, budget=BUDGET):
    """Open a page as a reader does, wait until it is still, and look at it from all sides: in the window where
    axe, which takes longest, looks at it, too; and, since colours make nothing wider, in the other one where the page is light.
    """
    widths = [axe_width, *({WIDE_WINDOW, TELEPHONE} - {axe_width} if scheme == "light" else ())]
    context = browser.new_context(viewport={"width": axe_width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    seen = {"console": [], "foreign": [], "missing": [], "bytes": []}
    watch(page, address, seen)
    try:
        page.goto(f"{address}/{path}", wait_until="load")
        page.evaluate(SETTLE)
        found = Visit(
            bytes=sum(size for size, _ in seen["bytes"]), largest=sorted(seen["bytes"], reverse=True)[:6]
        )
        found.faults = {name: seen[name] for name in ("console", "foreign", "missing")}
        found.faults["math"] = page.evaluate(MATH)
        found.faults["theme"] = wrong_theme(page, scheme)
        found.faults["weight"] = overweight(found, budget)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(RESIZED)
            found.faults[f"width {width}"] = page.evaluate(WIDE)
            if width == axe_width:
                page.evaluate(REACHED)
                page.evaluate(AXE)
                found.faults["axe"] = page.evaluate(RUN_AXE, AXE_RULES)
            found.faults[f"captions {width}"] = page.evaluate(CUT)  # the last, for it opens what is folded
    finally:
        context.close()
    return found


def overweight(found, budget):
    """A sentence if the page and all that it loads take more than the budget."""
    if found.bytes <= budget:
        return []
    largest = ", ".join(f"{path} {size // 1024}" for size, path in found.largest)
    return [f"{found.bytes / 1024:.0f} KiB, at most {budget / 1024:.0f}; largest: {largest}"]


def wrong_theme(page, scheme):
    """A sentence if the page does not follow the reader's system."""
    shown = page.evaluate("document.documentElement.dataset.theme")
    return [] if shown == scheme else [f"the reader's system asks for {scheme}, the page shows {shown}"]
