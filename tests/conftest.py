"""What all tests share: helpers are importable, torch uses one thread as two workers run side by side, and
one Chromium.
"""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, started once a worker: Playwright allows one loop in a process."""
    from browser import CHROMIUM, require_chromium  # beside this file
    from playwright.sync_api import sync_playwright

    require_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
