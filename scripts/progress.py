"""What `make book` says while it works: lasting lines, and below them one line that is written anew.

Where the output is no terminal, only the lasting lines appear.
"""

import shutil
import sys


class Progress:
    """Writes to standard output."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty()
        self._shown = ""

    def line(self, text: str) -> None:
        """Write a line that stays."""
        self.clear()
        print(text, flush=True)

    def status(self, text: str) -> None:
        """Write the line that the next one replaces; cut to the width of the terminal."""
        if self.terminal and text != self._shown:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[2K{text[:width]}", end="", flush=True)
            self._shown = text

    def clear(self) -> None:
        """Remove the line that would be replaced."""
        if self._shown:
            print("\r\x1b[2K", end="", flush=True)
            self._shown = ""


def duration(seconds: float) -> str:
    """Seconds as a reader says them.

    >>> duration(42), duration(250), duration(4000)
    ('42 s', '4 min 10 s', '1 h 6 min')
    """
    seconds = round(seconds)
    if seconds < 100:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
