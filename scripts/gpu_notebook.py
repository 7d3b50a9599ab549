"""One chapter under nbval, and its ledger as a file: `python scripts/gpu_notebook.py NAME FILE.json`."""

import json
import sys
from pathlib import Path

from chapter_cache import CACHE
from claims import gather
from test_notebooks import main as test_notebooks
from toc import ROOT


def main(name: str, file: Path) -> int:
    """Run the chapter; if it passed, write its ledger. Returns how many chapters failed."""
    failed = test_notebooks([name])
    if not failed:
        rows = {  # of a page without a ledger none
            row["name"]: f"{row['measured']} (predicted {row['predicted']})"
            for found in gather(CACHE, ROOT)
            for entry in found["entries"]
            for row in entry["rows"]
            if found["page"].rpartition("/")[2] == name
        }
        file.write_text(json.dumps({"ledger": rows}, indent=1), "utf8")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
