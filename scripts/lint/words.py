"""What is prose in a block of MyST: the words left when code, mathematics, roles, addresses and comments are
taken out.

>>> bare("The loss falls by 3.5 % in `0.1 s`, see $x=0.5$ and {glue:text}`a-b` (https://a.org/1.2).")
'The loss falls by 3.5 % in  , see   and   ( '
>>> len(words_of("Two words, $x$."))
2
"""

import re

_OUT = (
    re.compile(r"(?<!\\)\$(?!\s)[^$]+(?<!\s)\$"),  # inline mathematics
    re.compile(r"\{[\w:.-]+\}`[^`]*`"),  # a role
    re.compile(r"(`+)(?:(?!\1).)+\1", flags=re.S),  # code
    re.compile(r"<!--.*?-->", flags=re.S),
    re.compile(r"<[a-zA-Z/][^>]*>"),  # a tag, or an address in angle brackets
    re.compile(r"(?<=\])\([^)\s]*(\s+\"[^\"]*\")?\)"),  # the address of a link
    re.compile(r"\b(?:https?://|doi:|arXiv:)\S+", flags=re.I),
)
_WORD = re.compile(r"[^\W\d_][\w'’-]*")


def bare(text: str) -> str:
    """`text` with a space for all that is not words."""
    for form in _OUT:
        text = form.sub(" ", text)
    return text


def words_of(text: str) -> list[str]:
    """The words of a piece of prose."""
    return _WORD.findall(bare(text))
