"""Our docstrings as reStructuredText, which Sphinx's autodoc reads."""

import re

HEADING = "Departures from the paper"
NORM = re.compile(r"(?<![\w`])\|[^|`\n]+\|(?!`)")
LIST = re.compile(r"(\d+\.|-) ")


def first_sentence(text):
    """The first sentence of a docstring, on one line.

    >>> first_sentence("Reads a file, such as a.b, whole.\\nThen more. And more.")
    'Reads a file, such as a.b, whole.'
    """
    paragraph = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=[\w)\]`]{2}\.) (?=[A-Z*])", paragraph)[0].rstrip(":;")


def quoted(line):
    """A line of prose with what reStructuredText would misread as code: |w| is no substitution here.

    >>> quoted("the norm |w|_1 of `|g|`")
    'the norm ``|w|``\\\\ _1 of `|g|`'
    """
    return NORM.sub(
        lambda found: f"``{found[0]}``" + ("\\ " if line[found.end() :][:1].strip() else ""), line
    )


def as_rst(app, what, name, obj, options, lines):
    """Change the lines of a docstring in place.

    An indented block that stands alone is pseudo-code or a table, and keeps its lines; the heading of the
    departures is a heading.
    """
    made = []
    for number, line in enumerate(lines):
        before = lines[number - 1] if number else ""
        if line.strip() == HEADING:
            made.append(f".. rubric:: {HEADING}")
        elif indented(line) and not before.strip() and stands_alone(lines, number):
            made += [".. code-block:: text", "", line]
        else:
            made.append(line if indented(line) else quoted(line))
    lines[:] = made


def indented(line):
    """Whether a line begins with four spaces."""
    return line.startswith("    ")


def stands_alone(lines, number):
    """Whether the block that begins at a line, is no part of a list, section or doctest."""
    above = [line for line in lines[:number] if line.strip() and not line.startswith(" ")]
    last = above[-1] if above else ""
    return not LIST.match(last) and not re.fullmatch(r"[A-Z]\w+:", last) and not last.endswith("::")
