"""`make book`: execute what changed, gather the claims, build the HTML with warnings as errors."""

import subprocess
import sys
import time
from pathlib import Path

from execute import BUILD, CACHE, execute
from make_notebooks import make_notebooks
from toc import ROOT


def run(*command: str) -> None:
    """Run one step, or stop with its own output above."""
    if subprocess.run(command, cwd=ROOT).returncode:
        sys.exit(f"\nThe book was not built: '{' '.join(command[:3])}' failed, see above.")


def build() -> None:
    """Build the site into _build/html and say where it is."""
    start = time.monotonic()
    if failed := execute():
        sys.exit(f"\nThe book was not built: {failed} chapter(s) failed, see above.")
    make_notebooks(BUILD / "notebooks")  # the pages' downloads
    run(sys.executable, "-m", "dlbook.book.claims", str(BUILD / "claims.json"), str(CACHE))
    run(str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "-W", "--keep-going", "--quiet")
    index = BUILD / "html" / "index.html"
    print(f"\nThe book is in {index.parent} ({time.monotonic() - start:.0f} s).")
    print(f"Open {index.as_uri()} in a browser, or run 'make serve' and open http://localhost:8000/")


if __name__ == "__main__":
    build()
