"""The built site, and a server for it."""

import os
import sys
from pathlib import Path

import pytest
import yaml

from tests.browser import absent
from tests.site.site_html import looked_at
from tests.site.site_server import Server

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("DLBOOK_SITE") or ROOT / "_build/html").resolve()
sys.path.insert(0, str(ROOT / "_ext"))


def pytest_generate_tests(metafunc):
    """One test a page, for tests that take `path`; one that says what is missing where there is no site."""
    if "path" in metafunc.fixturenames:
        metafunc.parametrize("path", looked_at(SITE) or ["(no site)"])


@pytest.fixture(scope="session")
def site():
    """Folder of the built site."""
    if not (SITE / "index.html").is_file():
        absent(f"There is no site in {SITE}: run `make book` first.")
    return SITE


@pytest.fixture(scope="session")
def settings():
    """`_config.yml`."""
    return yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))


@pytest.fixture
def wide_page(browser):
    """An empty page of Chromium in a wide window."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def address(site):
    """Address of the served site, without a slash at the end."""
    with Server(site) as server:
        yield server.address
