"""What the extension takes from scripts/: the list of chapters, their recorded run times, and how the linter
reads a formula.

`scripts` is no package; its folder enters the path once, here.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import run_times
import toc
from lint.rules_symbols import letters

__all__ = ["letters", "run_times", "toc"]
