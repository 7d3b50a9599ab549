"""The time that a run of everything has left for tests in a browser. Where it is over, the others are left
out, and the summary counts them: a slow machine asks fewer pages, not none, and the run ends. Each day begins
with other pages.
"""

import hashlib
import os
import time

import pytest

UNTIL = "DLBOOK_BROWSER_UNTIL"  # seconds since 1970; scripts/run_tests.py sets both
ORDER = "DLBOOK_BROWSER_ORDER"  # such as "2026-11-29"


def subject(item):
    """What a test looks at: the page, or its own file."""
    given = getattr(item, "callspec", None)
    return given.params.get("path") if given and "path" in given.params else item.nodeid.split("::")[0]


def mix(items):
    """Where time is limited, the day's order of what is looked at; the tests of a page or file together."""
    if day := os.environ.get(ORDER):
        items.sort(key=lambda item: hashlib.sha256(f"{day} {subject(item)}".encode()).digest())


def require_time(item):
    """Leave a test in a browser out when the time is over."""
    if item.get_closest_marker("browser") and time.time() > float(os.environ.get(UNTIL) or "inf"):
        pytest.skip("the time for tests in a browser was over (`make pages figures` asks all)")
