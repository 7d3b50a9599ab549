"""Generated notebooks hold plain Markdown: no directive, no role, and the numbers of the run in the prose."""

from pathlib import Path

import pytest
from plain_markdown import PublishedPage, plain

PAGE = PublishedPage(
    url="https://x.github.io/y/chapters/part/topic.html", folder=Path("."), numbers={"accuracy": "95.3 %"}
)

CASES = {
    "math": ("```{math}\n:label: eq-a\nx^2\n```", "$$\nx^2\n$$"),
    "note": ("```{note}\nMind.\n```", "> **Note**\n>\n> Mind."),
    "admonition": (
        "```{admonition} At a glance\n:class: glance\n- a\n- b\n```",
        "> **At a glance**\n>\n> - a\n> - b",
    ),
    "nested": ("````{dropdown} Answer\n```{math}\ny\n```\n````", "> **Answer**\n>\n> $$\n> y\n> $$"),
    "prediction": (
        "```{admonition} Predict first\n:class: predict\n:name: predict-a-b\n\nWhich?\n\n1. one\n2. two\n"
        "```\n\n```{answer} 2\nTwo.\n```",
        "> **Predict first**\n>\n> Which?\n>\n> 1. one\n> 2. two\n\n"
        "<details><summary>Answer</summary>\n\nTwo.\n\n</details>",
    ),
    "card": (
        "```{review-card} Which $x$?\n:name: card-a-b\n\nThis one.\n```",
        "<details><summary>Which $x$?</summary>\n\nThis one.\n\n</details>",
    ),
    "colons": (":::{tip}\nTry.\n:::", "> **Tip**\n>\n> Try."),
    "exercise": (
        "```{exercise} Shapes (recall)\n:label: ex-1\nWhy?\n```",
        "> **Exercise: Shapes (recall)**\n>\n> Why?",
    ),
    "solution": ("```{solution-start} ex-1\n:class: dropdown\n```", "**Solution**"),
    "solution end": ("```{solution-end}\n```", ""),
    "list table": (
        "```{list-table} Costs\n:header-rows: 1\n* - a\n  - b\n* - 1\n  - 2\n```",
        "**Costs**\n\n| a | b |\n| --- | --- |\n| 1 | 2 |",
    ),
    "number": ("It is {glue:text}`accuracy`.", "It is 95.3 %."),
    "unknown number": ("It is {glue:text}`other`.", "It is (see the chapter on the web)."),
    "cite": (
        "As shown {cite:p}`he2016deep`.",
        "As shown [he2016deep](https://x.github.io/y/chapters/part/topic.html).",
    ),
    "ref with text": (
        "See {ref}`the block <sec-block>`.",
        "See [the block](https://x.github.io/y/chapters/part/topic.html).",
    ),
    "term": ("The {term}`logits <logit>` of a {term}`batch`.", "The *logits* of a *batch*."),
    "definition": ("```{define} logit\nA number.\n```", "> **logit**\n>\n> A number."),
    "target": ("(sec-block)=\n## Block", "## Block"),
    "comment": ("% number: a definition\nText", "Text"),
    "link": (
        "[next](../training/schedules.md#warm-up)",
        "[next](https://x.github.io/y/chapters/part/../training/schedules.html#warm-up)",
    ),
    "code stays": ("```python\nx = {1}\n```", "```python\nx = {1}\n```"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_construct(name):
    source, expected = CASES[name]
    assert plain(source, PAGE) == expected
