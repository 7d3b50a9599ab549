"""What "Predict first" becomes on the page: choices or a number to enter, how sure one is, a marked guess.

In the source it is a box with a question and an answer below it. A notebook, a printed page and a browser
without scripts show them as they stand:

    ```{admonition} Predict first          ```{admonition} Predict first
    :class: predict                        :class: predict
    :name: predict-topic-depth             :name: predict-topic-share

    Which net is better?                   Which share is right? ____ %
                                           ```
    1. the deep one
    2. the shallow one                     ```{answer} 20 to 30
    3. neither                             A quarter.
    ```                                    ```

    ```{answer} 2
    The shallow one.
    ```

`_static/predict.mjs` marks the guess. The directive `{predictions}` lists every question of the book, and
`_static/predictions.mjs` puts beside each what this reader has guessed.
"""

import html
import re

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx_design.dropdown import DropdownDirective

from . import gathered
from .rendering import link_to, writing

LOG = logging.getLogger(__name__)
STORE = "predictions"
BLANK = re.compile(r"_{3,}")
NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
RANGE = re.compile(rf"(?P<low>{NUMBER})(?:\s+to\s+(?P<high>{NUMBER}))?")
SURE = ("guess", "A guess"), ("fairly", "Fairly sure"), ("certain", "Certain")


class Prediction(nodes.Element):
    """A box and its answer. right: the number of the right choice, or ""; low, high: the numbers accepted."""


class Choices(nodes.Element):
    """The choices of a box."""


class Choice(nodes.Element):
    """One of them. group: the box; number: from 1."""


class Blank(nodes.Element):
    """Where a number is entered."""


class Sureness(nodes.Element):
    """The three steps of how sure one is, and the place of the verdict. name: the box."""


def visit_prediction(self, node):
    """Begin the box, with what its script has to know."""
    data = "".join(f' data-{key}="{html.escape(node[key])}"' for key in ("right", "low", "high") if node[key])
    self.body.append(f'<div class="predict-box" data-name="{node["name"]}"{data}>\n')


def visit_choices(self, node):
    """Begin the list; a group of radio buttons has a name."""
    self.body.append(
        '<fieldset class="predict-choices"><legend class="visually-hidden">Your guess</legend><ol>\n'
    )


def visit_choice(self, node):
    """Begin a choice: without a script its button is not shown."""
    name, number = node["group"], node["number"]
    self.body.append(
        f'<li><label><input type="radio" name="{name}" value="{number}" autocomplete="off">'
        '<span class="predict-words">'
    )


def visit_blank(self, node):
    """Write the blank, and the field that a script shows in its place."""
    self.body.append(
        '<span class="predict-blank">____</span><input class="predict-number" type="text" '
        'inputmode="decimal" autocomplete="off" aria-label="Your number">'
    )
    raise nodes.SkipNode


def visit_sureness(self, node):
    """Write the three buttons; a press on one is the guess."""
    buttons = "".join(f'<button type="button" value="{value}">{words}</button>' for value, words in SURE)
    label = f"{node['name']}-sure"
    self.body.append(
        f'<div class="predict-sure" role="group" aria-labelledby="{label}">'
        f'<span id="{label}">How sure are you?</span>{buttons}</div>'
        '<p class="predict-note" role="status"></p><div class="predict-verdict" tabindex="-1" hidden></div>\n'
    )
    raise nodes.SkipNode


class Answer(DropdownDirective):
    """A folded answer; its argument is the number of the right choice, or the number or numbers accepted."""

    required_arguments, optional_arguments = 1, 0

    def run_with_defaults(self):
        right, self.arguments = self.arguments[0].strip(), ["Answer"]
        (container,) = super().run_with_defaults()
        container["answer"] = right
        return [container]


def accepted(text):
    """The lowest and the highest number that an answer accepts, as they are written; None for no such text.

    >>> accepted("9 to 13"), accepted("0"), accepted("1e-3 to 0.5"), accepted("many")
    (('9', '13'), ('0', '0'), ('1e-3', '0.5'), None)
    """
    found = RANGE.fullmatch(text)
    if not found or float(found["low"]) > float(found["high"] or found["low"]):
        return None
    return found["low"], found["high"] or found["low"]


class MakePredictions(SphinxTransform):
    """Put each box of the class predict together with the answer after it, and let it be answered."""

    default_priority = 860

    def apply(self, **kwargs):
        found = []
        for box in list(self.document.findall(nodes.admonition)):
            if "predict" not in box["classes"]:
                continue
            try:
                made = prediction(box)
            except ValueError as error:
                LOG.warning("%s", error, location=box)
                continue
            found.append((made["name"], question(box)))
        gathered.keep(self.env, STORE, self.env.docname, found)


def prediction(box):
    """Replace a box and its answer by the two together. Raises ValueError if it cannot be answered."""
    at = box.parent.index(box) + 1
    answer = box.parent[at] if at < len(box.parent) else None
    if not isinstance(answer, nodes.Element) or "answer" not in answer:
        raise ValueError("expected an {answer} after the box of a prediction, got none; add it")
    if not box["names"]:
        raise ValueError(
            "expected a name of the box of a prediction, got none; add :name: predict-<slug>-..."
        )
    made = Prediction(name=box["ids"][0], right="", low="", high="")
    lists = list(box.findall(nodes.enumerated_list))
    blank = next((text for text in box.findall(nodes.Text) if BLANK.search(text)), None)
    if lists:
        offer(lists[0], made, answer["answer"])
    elif blank is not None:
        ask_number(blank, made, answer["answer"])
    else:
        raise ValueError(
            "expected a numbered list of choices or a blank (____) in the box, got none; add one"
        )
    box.parent.insert(at - 1, made)
    for part in (box, answer):
        part.parent.remove(part)
        made += part
    box += Sureness(name=made["name"])
    return made


def offer(choices, made, right):
    """Turn a numbered list into choices. Raises ValueError if `right` is none of their numbers."""
    if right not in map(str, range(1, len(choices) + 1)):
        raise ValueError(
            f"expected the number of one of {len(choices)} choices after {{answer}}, got {right!r}; name it"
        )
    made["right"] = right
    listed = Choices()
    for number, item in enumerate(choices.children, 1):
        words = [inline for paragraph in item.findall(nodes.paragraph) for inline in paragraph.children]
        listed += Choice("", *words, group=made["name"], number=number)
    choices.replace_self(listed)


def ask_number(text, made, right):
    """Turn the blank in a text into a field. Raises ValueError if `right` is no number and no range."""
    limits = accepted(right)
    if limits is None:
        raise ValueError(f"expected a number, or `low to high`, after {{answer}}, got {right!r}; write it")
    made["low"], made["high"] = limits
    before, after = BLANK.split(str(text), maxsplit=1)
    text.parent.replace(text, [nodes.Text(before), Blank(), nodes.Text(after)])


def question(box):
    """The first paragraph of a box up to its blank, without links of its own: in the list it is one link."""
    first = next(iter(box.findall(nodes.paragraph))).deepcopy()
    for link in [*first.findall(pending_xref), *first.findall(nodes.reference)]:
        link.replace_self(link.children)
    for blank in list(first.findall(Blank)):
        del blank.parent[blank.parent.index(blank) :]
    return first


class Listed(nodes.General, nodes.Element):
    """Where the list of all questions will stand."""


class Predictions(SphinxDirective):
    """Every question of the book, by part and chapter."""

    def run(self):
        gathered.mark(self.env, self.env.docname, STORE)
        return [Listed()]


class ListPredictions(SphinxPostTransform):
    """Write the list when all pages have been read."""

    default_priority = 5

    def run(self, **kwargs):
        for place in list(self.document.findall(Listed)):
            report = nodes.raw("", '<div class="predictions-report"></div>', format="html")
            place.replace_self([report, *(self.part(*found) for found in gathered.by_part(self.env, STORE))])

    def part(self, caption, pages):
        """The questions of one part."""
        made = nodes.container("", classes=["predictions-part", "listed-again"])
        made += nodes.rubric("", caption)
        for page, found in pages:
            made += nodes.paragraph("", "", self.link(page, "", self.env.titles[page].astext()))
            items = [nodes.list_item("", nodes.paragraph("", "", self.link(page, *row))) for row in found]
            made += nodes.bullet_list("", *items)
        return made

    def link(self, page, name, words):
        """A link to a page, or to a box on it."""
        inline = words.deepcopy().children if isinstance(words, nodes.paragraph) else words
        return link_to(self.app.builder, self.env.docname, page, name, inline)


def add_scripts(app, pagename, templatename, context, doctree):
    """Load the scripts on the pages that have something for them, and nowhere else."""
    lists = gathered.gathers(app.env, pagename, STORE)
    if lists or gathered.kept(app.env, STORE).get(pagename):
        app.add_js_file("kept.mjs", defer="defer", priority=400)
        app.add_js_file("predictions.mjs" if lists else "predict.mjs", defer="defer")


def connect(app):
    """Register the directives and what is made of them."""
    app.add_directive("answer", Answer)
    app.add_directive("predictions", Predictions)
    app.add_node(Prediction, html=(visit_prediction, writing("</div>\n")))
    app.add_node(Choices, html=(visit_choices, writing("</ol></fieldset>\n")))
    app.add_node(Choice, html=(visit_choice, writing("</span></label></li>\n")))
    app.add_node(Blank, html=(visit_blank, None))
    app.add_node(Sureness, html=(visit_sureness, None))
    app.add_transform(MakePredictions)
    app.add_post_transform(ListPredictions)
    app.connect("html-page-context", add_scripts)
