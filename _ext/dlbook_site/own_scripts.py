"""What the extension takes from scripts/: the list of chapters, and how the linter reads a formula.

`scripts` is no package; its folder enters the path once, here.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import toc
from lint.rules_symbols import letters

__all__ = ["letters", "toc"]
