"""What runs in the page. Here: where Chromium is, and what its absence means: a skipped test at a reader's, a
failed one in CI.
"""

import os
from pathlib import Path

import pytest

CHROMIUM = "/usr/bin/chromium"


def absent(sentence: str) -> None:
    """Fail in CI, skip on a reader's machine, with the same sentence."""
    required = os.environ.get("CI") or os.environ.get("DLBOOK_REQUIRE_BROWSER") == "1"
    (pytest.fail if required else pytest.skip)(sentence)


def require_chromium() -> None:
    """Skip or fail the test that asks, where there is no Chromium."""
    if not Path(CHROMIUM).exists():
        absent(f"Chromium is not installed at {CHROMIUM}, so nothing was tried in a browser.")
