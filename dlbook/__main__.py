"""`python -m dlbook` is the command `dlbook`."""

from dlbook.cli import main

if __name__ == "__main__":
    main()
