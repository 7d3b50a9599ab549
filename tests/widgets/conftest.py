"""A small book with one page of figures, built once by myst-nb and served."""

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.browser import require_chromium
from tests.widgets.live import opener

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCRIPTS = ("figure_state.mjs", "host.mjs")
CONF = """
project = "Figures"
extensions = ["myst_nb"]
html_theme = "sphinx_book_theme"
html_favicon = "_static/dot.svg"
html_static_path = ["_static"]
html_js_files = [("figure_state.mjs", {"type": "module"}), ("host.mjs", {"type": "module"})]
html_theme_options = {"navbar_persistent": []}
html_context = {"default_mode": "auto"}
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_ipywidgets_js = {}
nb_mime_priority_overrides = [("html", "text/html", 5)]
"""


@pytest.fixture(scope="session")
def built_page(tmp_path_factory):
    """Folder of the built HTML."""
    require_chromium()
    source = tmp_path_factory.mktemp("book")
    shutil.copytree(
        ROOT / "_static", source / "_static", ignore=lambda d, names: [n for n in names if n not in SCRIPTS]
    )
    (source / "_static/dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', "utf8")
    (source / "conf.py").write_text(CONF, "utf8")
    shutil.copy(HERE / "page.md", source / "index.md")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", source, source / "out"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    sort_state(source / "out/index.html")
    return source / "out"


def sort_state(page):
    """Sort the keys of the figures' state, as the book's cache of executed chapters does: no figure may
    depend on their order.
    """
    start, middle, end = re.split(
        r'(?<=vnd.jupyter.widget-state\+json">)(.*?)(?=</script>)', page.read_text("utf8"), flags=re.S
    )
    page.write_text(
        start + json.dumps(json.loads(middle), sort_keys=True).replace("</", "<\\/") + end, "utf8"
    )


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def address(built_page):
    """Address of the served page."""
    handler = functools.partial(Quiet, directory=built_page)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()


@pytest.fixture
def open_page(browser, address):
    """Function that opens the page, with the options of a Playwright context; console errors fail
    the test.
    """
    contexts, errors = [], []

    def open_page(dark=False, **options):
        context = browser.new_context(color_scheme="dark" if dark else "light", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "request",
            lambda r: (
                errors.append(f"foreign request: {r.url}")
                if not r.url.startswith(("http://127.0.0.1", "data:", "blob:"))
                else None
            ),
        )
        page.on("response", lambda r: errors.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        page.goto(address)
        if options.get("java_script_enabled", True):
            page.wait_for_function("document.querySelectorAll('[data-widget=ready]').length === 6")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def open_figure(browser):
    """Function that opens one figure alone on a page; console errors fail the test."""
    contexts, errors = [], []
    yield opener(browser, errors, contexts)
    for context in contexts:
        context.close()
    assert errors == []
