"""The built site, a server for it, and one Chromium for all tests of a worker."""

import os
import sys
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import sync_playwright
from site_html import pages
from site_server import Server

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
SITE = Path(os.environ.get("DLBOOK_SITE") or ROOT / "_build/html").resolve()
sys.path.insert(0, str(ROOT / "_ext"))


def must_run():
    """Whether a missing browser or site is a failure."""
    return bool(os.environ.get("CI")) or os.environ.get("DLBOOK_REQUIRE_BROWSER") == "1"


def absent(sentence):
    """Fail in CI, skip on a reader's machine, with the same sentence."""
    (pytest.fail if must_run() else pytest.skip)(sentence)


def pytest_generate_tests(metafunc):
    """One test a page, for tests that take `path`; one that says what is missing where there is no site."""
    if "path" in metafunc.fixturenames:
        metafunc.parametrize("path", pages(SITE) or ["(no site)"])


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


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, started once."""
    if not Path(CHROMIUM).exists():
        absent(f"Chromium is not installed at {CHROMIUM}, so the pages were not tried in a browser.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def address(site):
    """Address of the served site, without a slash at the end."""
    with Server(site) as server:
        yield server.address
