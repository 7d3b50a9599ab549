"""What all tests share: helpers are importable, torch uses one thread as two workers run side by side
(another number if OMP_NUM_THREADS names one), and one Chromium.
"""

import os

import pytest
import torch

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or 1))


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
