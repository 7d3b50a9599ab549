"""A change of the site's own files (styles, host of the figures, this extension) makes every page new.

Sphinx looks at the pages' sources only: after a change of a style sheet it would write nothing, and the pages
would keep asking for the old one.
"""

import hashlib
from pathlib import Path

OWN_FILES = ("_static", "_ext")


def fingerprint(source):
    """Hash every file under `_static/` and `_ext/` below the folder `source`, and the chapters' run times."""
    times = Path(source) / "chapters" / "run_times.json"
    digest = hashlib.sha256(times.read_bytes() if times.is_file() else b"")
    for folder in OWN_FILES:
        for file in sorted((Path(source) / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(source)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def outdated_by_own_files(app, env, added, changed, removed):
    """Every page, if the site's own files have changed since the last build."""
    now, before = fingerprint(app.srcdir), getattr(env, "dlbook_fingerprint", None)
    env.dlbook_fingerprint = now
    return [] if before == now else sorted(env.found_docs - added)


def connect(app):
    """Listen to Sphinx."""
    app.connect("env-get-outdated", outdated_by_own_files)
