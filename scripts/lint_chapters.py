"""Lint chapters: see `lint`."""

import sys

from lint import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
