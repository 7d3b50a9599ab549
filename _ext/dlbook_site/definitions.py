"""Definitions: one sentence in the margin where a term is first used, and the glossary that is made of them.

A chapter writes ``{define}`` below the paragraph that first uses a term, and marks the term there, as any
later chapter may, with Sphinx's own role ``{term}``. The sentence stands beside the paragraph where there is
room; elsewhere `_static/cards.mjs` shows it at the term. ``{definitions}`` lists them all, by the alphabet,
each with a link to its place.
"""

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from . import gathered
from .rendering import link_to
from .search import in_words

LOGGER = logging.getLogger(__name__)
STORE, GLOSSARY = "definitions", "glossary"  # what pages give, and which page lists all


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


def known(env):
    """The definitions of the book: term in small letters -> (term, page, sentence)."""
    pages = gathered.kept(env, STORE)
    return {term.lower(): (term, page, sentence) for page, found in pages.items() for term, sentence in found}


def glossary_of(env):
    """The page that lists all definitions, or None."""
    return next((page for page in env.metadata if gathered.gathers(env, page, GLOSSARY)), None)


class Define(SphinxDirective):
    """The definition of the term that is the directive's argument, in one sentence."""

    required_arguments, final_argument_whitespace, has_content = 1, True, True

    def run(self):
        term, inside = self.arguments[0].strip(), nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, inside)
        sentence = inside.children[0].children if inside.children else []
        head = nodes.strong("", term, classes=["defined"])
        told = nodes.paragraph("", "", head, nodes.Text(" "), *sentence)
        return [Definition("", told, ids=[place_of(term)], term=term)]


class Glossary(SphinxDirective):
    """Where the glossary will stand."""

    def run(self):
        for store in (STORE, GLOSSARY):
            gathered.mark(self.env, self.env.docname, store)
        return [Definitions()]


class GatherDefinitions(SphinxTransform):
    """Keep the definitions of a page, and mark a page that shows some."""

    default_priority = 860

    def apply(self, **kwargs):
        """See the class."""
        notes = self.document.findall(Definition)
        found = [(note["term"], nodes.inline("", "", *note.deepcopy()[0][2:])) for note in notes]
        gathered.keep(self.env, STORE, self.env.docname, found)
        if any(link.get("reftype") == "term" for link in self.document.findall(addnodes.pending_xref)):
            gathered.mark(self.env, self.env.docname, STORE)


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
    (term, page, sentence), own = found, node["refdoc"]
    page = page if page == own else glossary_of(env) or page
    address = "" if page == own else app.builder.get_relative_uri(own, page)
    title = f"{term}: {words(sentence)}"
    link = nodes.reference("", "", internal=True, refuri=f"{address}#{place_of(term)}", reftitle=title)
    link["classes"].append("term")
    link += [child.deepcopy() for child in contnode.children] or [nodes.Text(contnode.astext())]
    return link


def fill(app, doctree, docname):
    """Write the glossary where it belongs."""
    for place in list(doctree.findall(Definitions)):
        found = [known(app.env)[term] for term in sorted(known(app.env))]
        entries = [entry(app, docname, *one) for one in found]
        place.replace_self(nodes.definition_list("", *entries, classes=["glossary"]))


def entry(app, docname, term, page, sentence):
    """One term, its definition, and the chapter that defines it."""
    chapter = link_to(app.builder, docname, page, place_of(term), app.env.titles[page].astext())
    where = nodes.inline("", "", nodes.Text(" In "), chapter, nodes.Text("."), classes=["glossary-place"])
    told = nodes.definition("", nodes.paragraph("", "", *sentence.deepcopy().children, where))
    return nodes.definition_list_item("", nodes.term("", term, ids=[place_of(term)]), told)


def once(app, env):
    """Warn where two pages define one term."""
    first = {}
    for page, found in sorted(gathered.kept(env, STORE).items()):
        for term, _ in found:
            if first.setdefault(term.lower(), page) != page:
                message = "the term %r is defined in %s already; refer to it with {term}"
                LOGGER.warning(message, term, first[term.lower()], location=page)


def connect(app):
    """Register both directives, the note, and what resolves terms."""
    app.add_node(Definition, html=(visit_definition, depart_definition))
    app.add_node(Definitions)
    app.add_directive("define", Define)
    app.add_directive("definitions", Glossary)
    app.add_post_transform(MoveToParagraph)
    app.add_transform(GatherDefinitions)
    app.connect("env-check-consistency", once)
    app.connect("missing-reference", resolve)
    app.connect("doctree-resolved", fill, priority=100)
