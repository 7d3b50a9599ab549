"""Each rule of the linter fires on its own fault, and on no other; the good chapter passes all."""

import subprocess
import sys

import lint
import pytest
from lint.rule import RULES

from tests.scripts.good_chapter import CHAPTER

BIB = "@inproceedings{he2016deep,\n title={Deep residual learning}\n}\n"
CELL = "```{code-cell} ipython3\n"
SOLUTION = (
    "```{solution-start} ex-good-3\n:class: dropdown\n```\n```{code-cell} ipython3\nassert 3 == "
    "3\n```\n```{solution-end}\n```\n"
)

# rule, what is replaced, by what: the spoilt chapter has to set off that rule alone.
FAULTS = [
    ("front-matter", "format_name: myst", "format_name: markdown"),
    ("front-matter", "  name: python3\n", "  name: julia\n"),
    (
        "description",
        "    description: Why very deep plain networks train badly, and what a shortcut changes.",
        "    description: short",
    ),
    ("description", "Why very deep", "Why $L$ very deep"),
    ("headings", "### The shortcut is left out", "### The shortcut is left out\n\n##### Too deep"),
    ("headings", "## The idea", "# The idea"),
    ("opening", "Deep plain networks train badly. This chapter fixes them.\n", ""),
    ("objectives", "- say when to use it.\n", ""),
    ("objectives", ":class: objectives\n", ""),
    ("glance", ":class: glance\n", ""),
    ("glance", "**Data**", "**Digits**"),
    ("sections", "## What people get wrong", "## Misconceptions"),
    ("further-reading", "{cite:t}`he2016deep`, Table 4.", "The paper."),
    ("decision-table", "| situation | choice |\n|---|---|\n| deep | residual |", "Always."),
    ("length", "The shortcut carries the signal past", "It is past"),
    ("equations", "A sum helps.", "A sum helps.\n\n$$\na = b\n$$"),
    ("equations", "A sum helps.", "```{math}\na = b\n```"),
    ("citations", "{cite:t}`he2016deep`", "{cite:t}`he2016wrong`"),
    ("citations", 'citation="he2016deep"', 'citation="he2016wrong"'),
    ("references", "By {eq}`eq-good-block`", "By {eq}`eq-good-lost`"),
    ("references", "{numref}`fig-good-line`", "{numref}`Figure %s <fig-good-lost>`"),
    ("labels", "## Summary", "(eq-good-block)=\n## Summary"),
    ("images", "A sum helps.", "A sum helps. ![plot.png](plot.png)"),
    ("images", "A sum helps.", "```{figure} plot.svg\n:name: fig-good-two\nA caption.\n```"),
    ("foreign", "A sum helps.", "![A line that goes up](https://example.org/line.svg)"),
    ("foreign", "A sum helps.", '<script src="//example.org/a.js"></script>'),
    ("absolute-path", "book.insert(", "path = '/home/me/data'\nbook.insert("),
    ("python", "assert 1 + 1 == 2", "assert 1 +"),
    ("begin", "book.begin(seed=0)", "torch.manual_seed(0)"),
    (
        "run-time",
        'book.insert_run_time("good-seconds")\n',
        "None\n```\n\n" + CELL + 'book.insert_run_time("good-seconds")\n```\n\n' + CELL + "pass\n",
    ),
    ("inserted", "{glue:text}`good-error`", "{glue:text}`good-errors`"),
    (
        "inserted",
        'book.insert("good-error", 0.25)',
        'book.insert("good-error", 0.25)\nbook.insert("good-error", 0.5)',
    ),
    ("figures", 'image: {alt: "A straight line through the origin"}', 'image: {alt: "figure.svg"}'),
    ("figures", 'caption: "The identity, which a shortcut computes."', 'caption: ""'),
    ("figures", "assert 2 == 2", "def draw():\n    plt.plot([1])\nassert 2 == 2\ndraw()"),
    ("widgets", "assert 2 == 2", "from ipywidgets import interact\nassert 2 == 2"),
    ("widgets", "assert 2 == 2", "assert 2 == 2\nCurves(title='a')"),
    ("ledger", 'book.Ledger("good")', 'book.Ledger("bad")'),
    ("ledger", "ledger.show()\n", ""),
    ("ledger", 'ledger.check("weights", predicted=6, measured=6)\n', ""),
    ("ledger-names", 'ledger.cite("error"', 'ledger.cite("weights"'),
    ("source", "book.source(book.device)", "book.device()"),
    ("reference-check", "torch.testing.assert_close(F.relu(torch.ones(1)), torch.ones(1))", "x = 1"),
    ("predict", ":class: predict\n", ""),
    ("predict", "```{dropdown} Answer", "```{note}"),
    ("bug-clinic", "### The stride is on the wrong layer\n\n", ""),
    ("bug-clinic", "**Symptom.** The cost is too small.", "The cost is too small."),
    ("bug-clinic", CELL + "assert 2 + 1 == 3\n```\n", ""),
    ("exercises", "Count (apply)", "Count"),
    (
        "exercises",
        "```{exercise} Derive the gradient (derive)\n:label: ex-good-3\nDerive it.\n```\n\n" + SOLUTION,
        "",
    ),
    ("solutions", SOLUTION, ""),
    ("solutions", "assert 3 == 3", "print(3)"),
    ("solutions", "```{solution-start} ex-good-3\n:class: dropdown\n", "```{solution-start} ex-good-3\n"),
    ("numbers", "A sum helps.", "A sum helps by 3.5 points."),
    ("numbers", "A sum helps.", "A sum halves the error, to 24 %."),
    ("numbers", "A sum helps.", "A sum takes 12 seconds."),
    ("numbers", "A sum helps.", "A sum is 3 times faster."),
    ("numbers", "| deep | residual |", "| deep | residual, 91.2 |"),
]


@pytest.fixture
def book(tmp_path):
    """A folder like the repository's, with a bibliography; returns a function that lints a text placed there."""
    (tmp_path / "references.bib").write_text(BIB)
    page = tmp_path / "chapters" / "part" / "good.md"
    page.parent.mkdir(parents=True)

    def run(text):
        page.write_text(text, "utf8")
        return lint.findings(lint.read(page))

    run.page = page
    return run


def test_the_good_chapter_passes(book):
    assert [str(finding) for finding in book(CHAPTER)] == []


@pytest.mark.parametrize(
    ("rule", "old", "new"), FAULTS, ids=[f"{i}-{rule}" for i, (rule, _, _) in enumerate(FAULTS)]
)
def test_a_fault_sets_off_its_rule_alone(book, rule, old, new):
    assert old in CHAPTER
    found = book(CHAPTER.replace(old, new))
    assert {finding.rule for finding in found} == {rule}, [str(finding) for finding in found]


def test_every_rule_has_a_fault():
    assert {rule for rule, _, _ in FAULTS} == set(RULES)
    assert all(rule.check.__doc__ for rule in RULES.values())


@pytest.mark.parametrize(
    "sentence",
    [
        "See Section 3.2, Table 4 and Figures 2.1 and 2.2.",
        "The rate is $0.1$ and `0.5`.",
        "The paper reports 24.7 % {cite:p}`he2016deep`.",
        "It is ResNet v1.5, see arXiv:1512.03385 and [here](https://example.org/1.5).",
        "The images are 32 × 32 pixels, of 10 classes.",
        "In 2015, 152 layers were deep.",
        "It took {glue:text}`good-seconds` s.",
        "% number: a round figure of everyday life\nA page is read in 5 minutes.",
    ],
)
def test_numbers_that_are_not_measured_may_stand(book, sentence):
    assert book(CHAPTER.replace("A sum helps.", sentence)) == []


def test_drawing_inside_a_function_is_no_figure(book):
    text = CHAPTER.replace("assert 1 + 1 == 2", "def draw():\n    plt.plot([1])\nassert 1 + 1 == 2")
    assert book(text) == []


def test_figures_outside_the_file_are_found_across_the_book(book):
    other = book.page.with_name("other.md")
    other.write_text("# Other\n\n(sec-other)=\n## There\n", "utf8")
    from lint.rules_prose import _labels_of_book

    _labels_of_book.cache_clear()
    assert book(CHAPTER.replace("A sum helps.", "See {ref}`there <sec-other>`.")) == []


def test_front_pages_are_held_to_the_general_rules_only(book):
    page = book.page.parent.parent / "front" / "preface.md"
    page.parent.mkdir()
    page.write_text(
        "---\nmyst: {html_meta: {description: How to read the book.}}\n---\n\n# Preface\n\nIt "
        "takes 3.5 hours.\n"
    )
    assert lint.findings(lint.read(page)) == []


def test_a_finding_names_file_line_and_mend(book):
    found = book(CHAPTER.replace("A sum helps.", "A sum\nhelps by 3.5 points."))
    line = CHAPTER.splitlines().index("A sum helps.") + 1
    assert str(found[0]).startswith(f"{book.page}:{line}: [numbers] the number '3.5' is typed into prose; ")


def test_the_command_exits_1_on_a_finding_and_0_on_a_warning(book):
    def command():
        return subprocess.run([sys.executable, "-m", "lint", str(book.page)], capture_output=True, text=True)

    book(CHAPTER.replace("- say when to use it.\n", ""))
    failed = command()
    assert failed.returncode == 1 and "good.md:19: [objectives] 2 objectives" in failed.stdout
    book(CHAPTER.replace("The shortcut carries the signal past", "It is past"))
    warned = command()
    assert warned.returncode == 0 and "warning [length]" in warned.stdout
    assert lint.main(["nowhere.md"]) == 1
