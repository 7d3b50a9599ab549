"""Review cards: written at the end of a chapter, folded there, and asked again on the page *Review*.

    ```{review-card} By which number is the masked sum of losses divided?
    :name: card-fixmatch-mean

    By the number of all unlabelled images in the batch.
    ```

The question is the directive's argument, the answer its content; both may hold formulas, the answer a picture
too. What a reader's browser knows of a card is kept under its name, which stays when the words change. The
directive is not called `card`: sphinx-design has one of that name. `{review}` is the stage and all cards
(`_static/review.mjs`), `{review-deck}` the link to the deck that `anki.py` writes.
"""

import html

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from . import gathered, next_chapters
from .anki import DECK
from .rendering import writing

STORE = "cards"
ADD = "I have read this chapter: review its cards"


class Card(nodes.General, nodes.Element):
    """A question, the first child, and its answer, the second. place: whether it is one to link to."""


class Question(nodes.TextElement):
    """What a card asks."""


class Reply(nodes.General, nodes.Element):
    """What a card answers."""


class Cards(nodes.General, nodes.Element):
    """The cards of a page. page: its docname; title; chapter: whether it stands in the chapter itself."""


class ReviewCard(SphinxDirective):
    """One card."""

    required_arguments, final_argument_whitespace, has_content = 1, True, True
    option_spec = {"name": directives.unchanged_required}

    def run(self):
        if "name" not in self.options:
            raise self.error("expected :name: card-<slug>-..., got none; a card is known by its name")
        words, messages = self.state.inline_text(" ".join(self.arguments[0].split()), self.lineno)
        reply = Reply()
        self.state.nested_parse(self.content, self.content_offset, reply)
        card = Card("", Question("", "", *words), reply, name=nodes.make_id(self.options["name"]), place=True)
        self.set_source_info(card)
        return [card, *messages]


class GroupCards(SphinxTransform):
    """Put the cards of a page together, and keep them for the page that asks them."""

    default_priority = 860

    def apply(self, **kwargs):
        cards = list(self.document.findall(Card))
        found = [(card["name"], card[0].deepcopy(), card[1].deepcopy()) for card in cards]
        gathered.keep(self.env, STORE, self.env.docname, found)
        if not cards:
            return
        group = Cards(page=self.env.docname, title="", chapter=True)
        cards[0].parent.insert(cards[0].parent.index(cards[0]), group)
        for card in cards:
            card.parent.remove(card)
            group += card


def visit_cards(self, node):
    """Begin a group: in the chapter with the button that adds it, on the review with its title."""
    page, count = node["page"], len(node.children)
    if node["chapter"]:
        to = self.builder.get_relative_uri(page, "chapters/front/review")
        self.body.append(
            f'<div class="review-cards" data-page="{page}"><p class="review-add"><button type="button">{ADD}'
            f'</button> <span role="status"></span> <a href="{to}">To the review</a></p>\n'
            f"{next_chapters.place(page)}"
        )
    else:
        self.body.append(
            f'<details class="review-cards" data-page="{page}"><summary><span class="review-title">'
            f'{html.escape(node["title"])}</span> <span class="review-count">{count} cards</span></summary>\n'
        )


def depart_cards(self, node):
    """End the group."""
    self.body.append("</div>\n" if node["chapter"] else "</details>\n")


def visit_card(self, node):
    """Begin a card; it is a place only in its chapter."""
    place = f' id="{node["name"]}"' if node["place"] else ""
    self.body.append(f'<details class="review-card" data-name="{node["name"]}"{place}>')


class Stage(nodes.General, nodes.Element):
    """Where the cards are asked; all cards of the book follow, folded by chapter."""


class Review(SphinxDirective):
    """The review: its stage, and all cards."""

    def run(self):
        gathered.mark(self.env, self.env.docname, STORE)
        return [Stage()]


class Deck(SphinxDirective):
    """A link to the deck for Anki."""

    def run(self):
        root = "../" * self.env.docname.count("/")
        link = f'<a class="review-deck" href="{root}{DECK}" download>Download the deck for Anki</a>'
        return [nodes.raw("", f"<p>{link}</p>", format="html")]


class ListCards(SphinxPostTransform):
    """Write all cards below the stage when all pages have been read."""

    default_priority = 5

    def run(self, **kwargs):
        for stage in list(self.document.findall(Stage)):
            made = []
            for caption, pages in gathered.by_part(self.env, STORE):
                made.append(nodes.rubric("", caption, classes=["review-part"]))
                made += [self.cards(page, found) for page, found in pages]
            stage.replace_self([nodes.raw("", '<div class="review-stage"></div>', format="html"), *made])

    def cards(self, page, found):
        """The cards of one chapter, folded."""
        group = Cards(page=page, title=self.env.titles[page].astext(), chapter=False)
        group["classes"].append("listed-again")  # the search finds them in their chapters
        for name, question, reply in found:
            group += Card("", question.deepcopy(), reply.deepcopy(), name=name, place=False)
        return group


def add_scripts(app, pagename, templatename, context, doctree):
    """Load the scripts where there is something for them; the scheduler only where cards are asked."""
    asks = gathered.gathers(app.env, pagename, STORE)
    if asks or gathered.kept(app.env, STORE).get(pagename):
        app.add_js_file("kept.mjs", defer="defer", priority=400)
        app.add_js_file("review_chapter.mjs", defer="defer", priority=450)
    if asks:
        app.add_js_file("vendor/ts-fsrs/ts-fsrs.umd.mjs", defer="defer", priority=450)
        app.add_js_file("review.mjs", defer="defer")


def connect(app):
    """Register the directives and what is made of them."""
    for name, directive in (("review-card", ReviewCard), ("review", Review), ("review-deck", Deck)):
        app.add_directive(name, directive)
    app.add_node(Cards, html=(visit_cards, depart_cards))
    app.add_node(Card, html=(visit_card, writing("</details>\n")))
    app.add_node(Question, html=(writing("<summary>"), writing("</summary>\n")))
    app.add_node(Reply, html=(writing('<div class="review-reply">\n'), writing("</div>\n")))
    app.add_transform(GroupCards)
    app.add_post_transform(ListCards)
    app.connect("html-page-context", add_scripts)
