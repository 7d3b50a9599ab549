"""The command `dlbook`. It only wraps functions of the package: what it prints, a notebook gets from the same
functions.

Each command is a function in a file of this folder, entered in `app.COMMANDS`.
"""

from dlbook.cli.app import app, main

__all__ = ["app", "main"]
