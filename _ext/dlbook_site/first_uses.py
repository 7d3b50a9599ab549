"""On the notation page each symbol leads to the section that uses it first, in the book's order."""

from docutils import nodes

from . import gathered
from .own_scripts import letters
from .rendering import link_to
from .search import is_section

STORE = "symbols"
NOTATION = "chapters/front/notation"
HEADING = "Symbols"


def sections(doctree):
    """(section, formula) of every formula of a page, in its order."""
    for formula in doctree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block)):
        section = formula
        while section is not None and not is_section(section):  # not the inside of an exercise
            section = section.parent
        if section is not None:
            yield section, formula.astext()


def uses_of(doctree):
    """Letter -> place of the section of a page that uses it first."""
    found = {}
    for section, tex in sections(doctree):
        for letter in letters(tex):
            found.setdefault(letter, section["ids"][0])
    return found


def collect(app, doctree):
    """Keep the letters of a chapter that was read; the other pages explain themselves."""
    if app.env.docname != NOTATION:
        front = app.env.docname.startswith("chapters/front/") or app.env.docname == app.config.root_doc
        found = {} if front else uses_of(doctree)
        gathered.keep(app.env, STORE, app.env.docname, list(found.items()))
    else:
        gathered.mark(app.env, NOTATION, STORE)


def first_uses(env):
    """Letter -> (page, place) of its first use in the book."""
    found = {}
    for _, pages in gathered.by_part(env, STORE):
        for page, used in pages:
            for letter, place in used:
                found.setdefault(letter, (page, place))
    return found


def fill(app, doctree, docname):
    """Put a link behind the meaning of each symbol that a chapter uses."""
    if docname != NOTATION:
        return
    known = first_uses(app.env)
    section = next(s for s in doctree.findall(nodes.section) if s[0].astext() == HEADING)
    for row in section.findall(nodes.row):
        symbol, meaning = row[0], row[1]
        own = [x for math in symbol.findall(nodes.math) for x in letters(math.astext())]
        place = next((known[letter] for letter in own if letter in known), None)
        if place and not isinstance(row.parent, nodes.thead):
            meaning[-1] += [nodes.Text(" · "), link(app, docname, *place)]


def link(app, here, page, place):
    """A link to a section, under its number and the word that says why."""
    number = app.env.toc_secnumbers.get(page, {}).get(f"#{place}") or app.env.toc_secnumbers[page][""]
    words = f"first in {'.'.join(map(str, number))}"
    return link_to(app.builder, here, page, place, words, classes=["first-use"])


def connect(app):
    """Listen to Sphinx."""
    app.connect("doctree-read", collect)
    app.connect("doctree-resolved", fill, priority=400)
