"""A chapter that did not run to its end says so on its page, in a box below its title.

`make book` writes what happened to `_build/failures.json`: `{"chapters/x.md": {"where", "error", "alone"}}`.
"""

import json
import re
from pathlib import Path

TITLE = re.compile(r"^# .*$", re.M)
BOX = """

`````{{admonition}} This chapter did not run to its end on this machine
:class: error dlbook-failed
{where} stopped, so the results below it are missing, and so are numbers in the text. The error was:

````text
{error}
````

To see the error whole, run the chapter alone: `{alone}`
`````
"""


def read_failures(file):
    """What the last build says of each chapter that failed; {} if there is no such file."""
    return json.loads(file.read_text("utf8")) if file.is_file() else {}


def with_box(text, failure):
    """The text of a page with the box below its title."""
    where = failure["where"][0].upper() + failure["where"][1:]
    box = BOX.format(where=where, error=failure["error"].strip(), alone=failure["alone"])
    return TITLE.sub(lambda title: title[0] + box, text, count=1)


def tell(app, docname, source):
    """Put the box into the source of a page whose chapter failed."""
    failure = read_failures(Path(app.srcdir, app.config.failures_file)).get(f"{docname}.md")
    if failure:
        source[0] = with_box(source[0], failure)


def connect(app):
    """Listen to Sphinx."""
    app.add_config_value("failures_file", "_build/failures.json", "")
    app.connect("source-read", tell)
