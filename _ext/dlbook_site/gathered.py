"""What one page shows of all the others: kept while they are read, in the order of the book's contents.

A part of the extension calls `keep` for each page that it reads, and asks `by_part` when it writes the page
that gathers. That page is written again whenever what is gathered changes.
"""

import hashlib

from docutils import nodes


def keep(env, store, docname, found):
    """Keep what a page gives to `store`: a list of tuples of texts and nodes."""
    for node in (part for item in found for part in item if isinstance(part, nodes.Node)):
        for inside in node.findall():
            inside._document = None  # else the whole page would be kept with it
    pages = env.__dict__.setdefault("dlbook_gathered", {}).setdefault(store, {})
    pages[docname] = found
    if not found:
        del pages[docname]


def kept(env, store):
    """All pages of a store: docname -> list."""
    return getattr(env, "dlbook_gathered", {}).get(store, {})


def by_part(env, store):
    """The pages of a store that have something, as the contents have them: [(part, [(docname, list)])]."""
    pages = kept(env, store)
    trees = env.external_site_map.root.subtrees
    parts = [
        (tree.caption or "", [(page, pages[page]) for page in tree.files() if pages.get(page)])
        for tree in trees
    ]
    return [(caption, found) for caption, found in parts if found]


def mark(env, docname, store):
    """Say that a page shows what is gathered in `store`."""
    env.metadata[docname][f"gathers-{store}"] = True


def gathers(env, docname, store):
    """Whether a page shows what is gathered in `store`."""
    return bool(env.metadata.get(docname, {}).get(f"gathers-{store}"))


def purge(app, env, docname):
    """Forget what a page gave, before it is read again or when it is gone."""
    for pages in getattr(env, "dlbook_gathered", {}).values():
        pages.pop(docname, None)


def merge(app, env, docnames, other):
    """Take over what another process has read."""
    for store, pages in getattr(other, "dlbook_gathered", {}).items():
        for docname in docnames:
            if docname in pages:
                keep(env, store, docname, pages[docname])


def changed(app, env):
    """The pages that gather, if what they show is not what they showed at the last build."""
    stores = getattr(env, "dlbook_gathered", {})
    now = {name: fingerprint(pages) for name, pages in stores.items()}
    before, env.dlbook_gathered_before = getattr(env, "dlbook_gathered_before", {}), now
    new = [name for name in now if before.get(name) != now[name]]
    return sorted({page for page in env.metadata for name in new if gathers(env, page, name)})


def fingerprint(pages):
    """A hash of a store; nodes enter it by the text they are shown as."""
    shown = lambda part: part.pformat() if isinstance(part, nodes.Node) else repr(part)
    rows = sorted((page, [[*map(shown, item)] for item in found]) for page, found in pages.items())
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def connect(app):
    """Listen to Sphinx."""
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", changed)
