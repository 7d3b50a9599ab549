"""Text for whatever reads it: a terminal of any encoding, a pipe, a file.

>>> json_text({"größe": 1})
'{"größe": 1}'
"""

import json
import sys
from typing import Any, TextIO

__all__ = ["accept_all_text", "json_text"]


def accept_all_text(*streams: TextIO) -> None:
    """Let streams write a letter that their encoding lacks as \\xd7, instead of ending the command."""
    for stream in streams:
        if hasattr(stream, "reconfigure"):  # not every stand-in for a terminal has it
            stream.reconfigure(errors="backslashreplace")


def json_text(value: Any, indent: int | None = None) -> str:
    """Write JSON that stdout can take: letters as they are in UTF-8, as \\u00d7 in other encodings.

    Args:
        value: of lists, dicts, text and numbers.
        indent: spaces of each level; None writes one line.
    """
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    return json.dumps(value, ensure_ascii=encoding not in ("", "utf8"), indent=indent)
