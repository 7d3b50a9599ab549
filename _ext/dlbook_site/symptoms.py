"""The directive `{symptoms}`: the bugs of every chapter, sorted by what one sees.

A bug's first paragraph begins with **Symptom: what one sees.** in one of the forms that the directive lists
(the linter holds chapters to them). Each form becomes a heading, with the bugs that show it.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from . import gathered
from .rendering import link_to

STORE = "symptoms"
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
        gathered.mark(self.env, self.env.docname, STORE)
        return made


def bugs_of(doctree):
    """The bugs of a page, in its order: [(what one sees, title, place, the symptom as a paragraph)].

    A paragraph counts that begins with the strong words "Symptom: ...", in a section of its own.
    """
    found = []
    for paragraph in doctree.findall(nodes.paragraph):
        parts = [child for child in paragraph.children if child.astext()]
        label = LABEL.fullmatch(parts[0].astext()) if parts and isinstance(parts[0], nodes.strong) else None
        if label and isinstance(paragraph.parent, nodes.section):
            seen = tuple(form.strip().lower() for form in label[1].split(";"))
            told = nodes.paragraph("", "", *(node.deepcopy() for node in parts[1:]))
            found.append((seen, paragraph.parent[0].astext(), paragraph.parent["ids"][0], told))
    return found


def collect(app, doctree):
    """Keep the bugs of a page that was read."""
    gathered.keep(app.env, STORE, app.env.docname, bugs_of(doctree))


def bugs(env):
    """All bugs in the book's order: [(docname, bug)]."""
    parts = gathered.by_part(env, STORE)
    return [(page, bug) for _, pages in parts for page, found in pages for bug in found]


def list_sections(app, env):
    """Let the list of the page's sections have the symptoms that a chapter has, and no others."""
    known = {form for _, (seen, *_) in bugs(env) for form in seen}
    for page in (page for page in env.metadata if gathered.gathers(env, page, STORE)):
        top = nodes.bullet_list()
        for section in env.get_doctree(page).findall(nodes.section):
            if section.get("symptom") in known:
                link = nodes.reference("", section[0].astext(), internal=True, refuri=page)
                link["anchorname"] = f"#{section['ids'][0]}"
                top += nodes.list_item("", addnodes.compact_paragraph("", "", link))
        env.tocs[page][0][1:] = [top]
    return []


def fill(app, doctree, docname):
    """Write each symptom's list, and leave out the symptoms that no chapter has yet."""
    for section in [section for section in doctree.findall(nodes.section) if section.get("symptom")]:
        rows = [(page, bug) for page, bug in bugs(app.env) if section["symptom"] in bug[0]]
        if rows:
            section += nodes.bullet_list("", *(item(app, docname, page, bug) for page, bug in rows))
        else:
            section.parent.remove(section)


def item(app, here, page, bug):
    """A line of the list: the bug's name with a link, its chapter, and the symptom in the chapter's words."""
    _, title, place, told = bug
    link = link_to(app.builder, here, page, place, [nodes.strong("", title)])
    number = app.env.toc_secnumbers.get(page, {}).get("") or ()
    chapter = "".join([*(f"{part}. " for part in number), app.env.titles[page].astext()])
    told = told.deepcopy()
    for unresolved in list(told.findall(addnodes.pending_xref)):
        unresolved.replace_self(unresolved.children)  # one link a line is enough: the one to the bug
    return nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(f" · {chapter}")), told)


def connect(app):
    """Register the directive."""
    app.add_directive("symptoms", Symptoms)
    app.connect("doctree-read", collect)
    app.connect("env-updated", list_sections)
    app.connect("doctree-resolved", fill, priority=400)
