"""What all tests share: helpers are importable, torch uses one thread as two workers run side by side
(another number if OMP_NUM_THREADS names one), no example of hypothesis has a limit by the clock, and one
Chromium.
"""

import os
import signal

import pytest
import torch
from hypothesis import settings

from tests.time_left import mix, require_time

# Debian's Python has a sitecustomize of its own, and a search for doctests would import this one beside it.
collect_ignore = ["notebooks/offline"]
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or 1))
settings.register_profile("a busy machine", deadline=None)  # 200 ms by the clock otherwise
settings.load_profile("a busy machine")
# Where a shell started the tests in the background, Ctrl-C is ignored, by the commands that they start too.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """In a run that has a limit, each day begins with other pages."""
    mix(items)


def pytest_runtest_setup(item):
    """And what has no time left is said to be left out."""
    require_time(item)


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, started once a worker: Playwright allows one loop in a process."""
    from playwright.sync_api import sync_playwright

    from tests.browser import CHROMIUM, require_chromium  # beside this file

    require_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
