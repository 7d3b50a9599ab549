"""Definitions: one sentence in the margin where a term is first used, and the glossary that is made of them.

A chapter writes ``{define}`` below the paragraph that first uses a term, and marks the term there, as any
later chapter may, with Sphinx's own role ``{term}``. The sentence stands beside the paragraph where there is
room; elsewhere `_static/cards.mjs` shows it at the term. ``{definitions}`` lists them all, by the alphabet,
each with a link to its place.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from .search import in_words

LOGGER = logging.getLogger(__name__)


class Definition(nodes.Element):
    """A definition beside its paragraph."""


class Definitions(nodes.General, nodes.Element):
    """The place of the glossary, until all pages have been read."""


def visit_definition(self, node):
    """Begin the note."""
    self.body.append(self.starttag(node, "div", CLASS="term-note", role="note"))


def depart_definition(self, node):
    """End the note."""
    self.body.append("</div>\n")


def place_of(term):
    """A term's place on its page and in the glossary.

    >>> place_of("Batch normalisation")
    'term-batch-normalisation'
    """
    return f"term-{nodes.make_id(term)}"


def words(node):
    """A definition as plain words, for a title."""
    if isinstance(node, nodes.math):
        return in_words(node.astext())
    return node.astext() if not node.children else "".join(map(words, node.children))


def alone(node):
    """A copy that does not keep its page, which is large."""
    made = node.deepcopy()
    for part in made.findall():
        part._document = None
    return made


def known(env):
    """The definitions of the book: term in small letters -> {"term", "page", "nodes"}."""
    if not hasattr(env, "dlbook_definitions"):
        env.dlbook_definitions = {}
    return env.dlbook_definitions


class Define(SphinxDirective):
    """The definition of the term that is the directive's argument, in one sentence."""

    required_arguments, final_argument_whitespace, has_content = 1, True, True

    def run(self):
        term, inside = self.arguments[0].strip(), nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, inside)
        sentence = inside.children[0].children if inside.children else []
        earlier = known(self.env).get(term.lower())
        if earlier and earlier["page"] != self.env.docname:
            message = "the term %r is defined in %s already; refer to it with {term}"
            LOGGER.warning(message, term, earlier["page"], location=self.get_location())
        known(self.env)[term.lower()] = {
            "term": term,
            "page": self.env.docname,
            "nodes": [alone(child) for child in sentence],
        }
        head = nodes.strong("", term, classes=["defined"])
        note = Definition("", nodes.paragraph("", "", head, nodes.Text(" "), *sentence), ids=[place_of(term)])
        return [note]


class Glossary(SphinxDirective):
    """Where the glossary will stand."""

    def run(self):
        self.env.dlbook_glossary = self.env.docname
        return [Definitions()]


class MoveToParagraph(SphinxPostTransform):
    """Puts each definition before the paragraph that it belongs to, so that both begin at one height."""

    default_priority = 140
    formats = ("html",)

    def run(self, **kwargs):
        """See the class."""
        for note in list(self.document.findall(Definition)):
            parent, at = note.parent, note.parent.index(note)
            paragraph = at - 1
            while paragraph >= 0 and isinstance(parent[paragraph], Definition):
                paragraph -= 1  # of the same paragraph, and not yet moved
            if paragraph >= 0 and not isinstance(parent[paragraph], nodes.title):
                parent.remove(note)
                parent.insert(paragraph, note)


def resolve(app, env, node, contnode):
    """Lead ``{term}`` to the definition: on its own page to the note, elsewhere into the glossary."""
    if node.get("refdomain") != "std" or node.get("reftype") != "term":
        return None
    found = known(env).get(node["reftarget"].lower())
    if not found:
        return None
    page = (
        found["page"] if found["page"] == node["refdoc"] else getattr(env, "dlbook_glossary", found["page"])
    )
    address = "" if page == node["refdoc"] else app.builder.get_relative_uri(node["refdoc"], page)
    title = f"{found['term']}: {''.join(map(words, found['nodes']))}"
    link = nodes.reference(
        "", "", internal=True, refuri=f"{address}#{place_of(found['term'])}", reftitle=title
    )
    link["classes"].append("term")
    link += [child.deepcopy() for child in contnode.children] or [nodes.Text(contnode.astext())]
    return link


def fill(app, doctree, docname):
    """Write the glossary where it belongs."""
    for place in list(doctree.findall(Definitions)):
        entries = sorted(known(app.env).items())
        place.replace_self(
            nodes.definition_list("", *(entry(app, docname, e) for _, e in entries), classes=["glossary"])
        )


def entry(app, docname, found):
    """One term, its definition, and the chapter that defines it."""
    place = place_of(found["term"])
    address = f"{app.builder.get_relative_uri(docname, found['page'])}#{place}"
    chapter = nodes.reference("", app.env.titles[found["page"]].astext(), refuri=address, internal=True)
    sentence = [child.deepcopy() for child in found["nodes"]]
    where = nodes.inline("", "", nodes.Text(" In "), chapter, nodes.Text("."), classes=["glossary-place"])
    told = nodes.definition("", nodes.paragraph("", "", *sentence, where))
    return nodes.definition_list_item("", nodes.term("", found["term"], ids=[place]), told)


def forget(app, env, docname):
    """Drop the definitions of a page that is read again."""
    for term in [term for term, found in known(env).items() if found["page"] == docname]:
        del known(env)[term]


def merge(app, env, docnames, other):
    """Take over what another process has read."""
    known(env).update({term: found for term, found in known(other).items() if found["page"] in docnames})
    if hasattr(other, "dlbook_glossary"):
        env.dlbook_glossary = other.dlbook_glossary


def outdated(app, env):
    """All pages, if a definition has changed: any may show it."""
    now = {term: (found["page"], "".join(map(words, found["nodes"]))) for term, found in known(env).items()}
    before, env.dlbook_definitions_written = getattr(env, "dlbook_definitions_written", now), now
    return sorted(env.found_docs) if before != now else []


def connect(app):
    """Register both directives, the note, and what resolves terms."""
    app.add_node(Definition, html=(visit_definition, depart_definition))
    app.add_node(Definitions)
    app.add_directive("define", Define)
    app.add_directive("definitions", Glossary)
    app.add_post_transform(MoveToParagraph)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", outdated)
    app.connect("missing-reference", resolve)
    app.connect("doctree-resolved", fill, priority=100)
