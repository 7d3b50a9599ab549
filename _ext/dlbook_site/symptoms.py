"""The directive `{symptoms}`: the bugs of every chapter, sorted by what one sees.

A bug's first paragraph begins with **Symptom: what one sees.** in one of the forms that the directive lists
(the linter holds chapters to them). Each form becomes a heading, with the bugs that show it.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

LABEL = re.compile(r"Symptom: (.+)\.")


class Symptoms(SphinxDirective):
    """One form of symptom a line; where it is found, a section with a list of its bugs."""

    has_content = True

    def run(self):
        made = []
        for form in map(str.strip, self.content):
            section = nodes.section("", nodes.title("", form), ids=[nodes.make_id(f"symptom {form}")])
            section["symptom"] = form.lower()
            section["classes"].append("symptom")
            made.append(section)
        self.env.metadata[self.env.docname]["symptoms"] = True
        return made


def bugs_of(doctree):
    """The bugs of a page, in its order: [{"seen": [form], "title", "place", "symptom": nodes}].

    A paragraph counts that begins with the strong words "Symptom: ...", in a section of its own.
    """
    found = []
    for paragraph in doctree.findall(nodes.paragraph):
        parts = [child for child in paragraph.children if child.astext()]
        first = parts[0] if parts else None
        label = LABEL.fullmatch(first.astext()) if isinstance(first, nodes.strong) else None
        if label and isinstance(paragraph.parent, nodes.section):
            section = paragraph.parent
            found.append(
                {
                    "seen": [form.strip().lower() for form in label[1].split(";")],
                    "title": section[0].astext(),
                    "place": section["ids"][0],
                    "symptom": [node.deepcopy() for node in parts[1:]],
                }
            )
    return found


def collect(app, doctree):
    """Keep the bugs of a page that was read."""
    app.env.dlbook_bugs[app.env.docname] = bugs_of(doctree)


def forget(app, env, docname):
    """Drop the bugs of a page that is read again."""
    env.dlbook_bugs.pop(docname, None)


def merge(app, env, docnames, other):
    """Take the bugs that another process has read."""
    env.dlbook_bugs |= {name: other.dlbook_bugs[name] for name in docnames if name in other.dlbook_bugs}


def prepare(app, env, docnames):
    """Give the environment its room, also one that an older version kept."""
    if not hasattr(env, "dlbook_bugs"):
        env.dlbook_bugs = {}


def read_again(app, env, added, changed, removed):
    """The page of symptoms follows from all others."""
    anything = added | changed | removed
    return [page for page, metadata in env.metadata.items() if anything and metadata.get("symptoms")]


def leave_out(app, env):
    """Drop the symptoms that no chapter has yet from the list of the page's sections."""
    known = {form for bugs in env.dlbook_bugs.values() for bug in bugs for form in bug["seen"]}
    for page in (page for page, metadata in env.metadata.items() if metadata.get("symptoms")):
        for entry in list(env.tocs[page].findall(nodes.list_item)):
            if entry.parent is not env.tocs[page] and entry[0].astext().lower() not in known:
                entry.parent.remove(entry)
    return []


def fill(app, doctree, docname):
    """Write each symptom's list, and leave out the symptoms that no chapter has yet."""
    if not app.env.metadata.get(docname, {}).get("symptoms"):
        return
    for section in [s for s in doctree.findall(nodes.section) if s.get("symptom")]:
        rows = [
            (page, bug)
            for page in in_order(app.env)
            for bug in app.env.dlbook_bugs.get(page, [])
            if section["symptom"] in bug["seen"]
        ]
        if not rows:
            section.parent.remove(section)
            continue
        section += nodes.bullet_list("", *(item(app, docname, page, bug) for page, bug in rows))


def in_order(env):
    """The pages in the book's order."""
    order = [env.config.root_doc]
    for page in order:
        order += [child for child in env.toctree_includes.get(page, []) if child not in order]
    return order


def item(app, here, page, bug):
    """A line of the list: the bug's name with a link, its chapter, and the symptom in the chapter's words."""
    address = app.builder.get_relative_uri(here, page) + "#" + bug["place"]
    link = nodes.reference("", "", nodes.strong("", bug["title"]), refuri=address, internal=True)
    number = app.env.toc_secnumbers.get(page, {}).get("") or ()
    chapter = "".join([*(f"{part}. " for part in number), app.env.titles[page].astext()])
    name = nodes.paragraph("", "", link, nodes.Text(f" · {chapter}"))
    told = nodes.paragraph("", "", *(node.deepcopy() for node in bug["symptom"]))
    for unresolved in list(told.findall(addnodes.pending_xref)):
        unresolved.replace_self(unresolved.children)  # one link a line is enough: the one to the bug
    return nodes.list_item("", name, told)


def connect(app):
    """Register the directive."""
    app.add_directive("symptoms", Symptoms)
    app.connect("env-before-read-docs", prepare)
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", lambda app, env, docname: prepare(app, env, []) or forget(app, env, docname))
    app.connect("env-merge-info", merge)
    app.connect("env-get-outdated", read_again)
    app.connect("env-updated", leave_out)
    app.connect("doctree-resolved", fill, priority=400)
