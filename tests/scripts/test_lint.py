"""Each rule of the linter fires on its own fault, and on no other; the template passes all."""

import subprocess
import sys

import lint
import pytest
from lint.rule import RULES

from tests.scripts.lint_faults import (
    BIB,
    CHAPTER,
    FAULTS,
    FRONT,
    LAST,
    ROOT,
    SENTENCE,
    TEMPLATE,
    also,
    spoilt,
)


@pytest.fixture
def book(tmp_path):
    """A folder like the repository's, with a bibliography; a function that lints a text placed there."""
    (tmp_path / "references.bib").write_text(BIB)
    page = tmp_path / "chapters" / "part" / "template.md"
    page.parent.mkdir(parents=True)
    (tmp_path / "chapters" / "front").mkdir()
    for name in ("notation.md", "symptoms.md"):
        (tmp_path / "chapters" / "front" / name).write_text((FRONT / name).read_text("utf8"))

    def run(text):
        page.write_text(text, "utf8")
        return lint.findings(lint.read(page))

    run.page = page
    return run


def test_the_template_passes(book):
    assert [str(finding) for finding in book(CHAPTER)] == []


def test_the_template_as_it_is_lacks_but_words():
    found = lint.findings(lint.read(ROOT / "chapters" / "_template.md"))
    assert {finding.rule for finding in found} <= {"length"}


@pytest.mark.parametrize(
    ("rule", "old", "new"), FAULTS, ids=[f"{i}-{rule}" for i, (rule, _, _) in enumerate(FAULTS)]
)
def test_a_fault_sets_off_its_rule_alone(book, rule, old, new):
    assert old in CHAPTER
    found = book(spoilt(rule, old, new))
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
        "It took {run-time}`template`.",
        "% number: a round figure of everyday life\nA page is read in 5 minutes.",
    ],
)
def test_numbers_that_are_not_measured_may_stand(book, sentence):
    assert book(CHAPTER.replace(SENTENCE, also(sentence))) == []


def test_drawing_inside_a_function_is_no_figure(book):
    text = CHAPTER.replace("kept = x.clone()", "def draw():\n    plt.plot([1])\n\n\nkept = x.clone()")
    assert book(text) == []


def test_right_guesses_are_no_panel(book):
    text = CHAPTER.replace(
        'caption: "Twenty plain', 'caption: "Right guesses, and a left branch: twenty plain'
    )
    assert text != CHAPTER and not book(text)


def test_figures_outside_the_file_are_found_across_the_book(book):
    other = book.page.with_name("other.md")
    other.write_text("# Other\n\n(sec-other)=\n## There\n", "utf8")
    from lint.rules_prose import _labels_of_book

    _labels_of_book.cache_clear()
    assert book(CHAPTER.replace(SENTENCE, also("See {ref}`there <sec-other>`."))) == []


def test_a_term_is_defined_once_in_the_book(book):
    from lint.rules_terms import _defined

    other = book.page.with_name("other.md")
    for term, rules in (("residual layer", {"definitions"}), ("other layer", set())):
        other.write_text(f"# Other\n\n```{{define}} {term}\nA layer.\n```\n", "utf8")
        _defined.cache_clear()
        assert {finding.rule for finding in book(CHAPTER)} == rules
    assert book(CHAPTER.replace(SENTENCE, also("A {term}`other layer` helps."))) == []


def test_front_pages_are_held_to_the_general_rules_only(book):
    page = book.page.parent.parent / "front" / "preface.md"
    page.write_text(
        "---\nmyst: {html_meta: {description: How to read the book.}}\n---\n\n# Preface\n\nIt "
        "takes 3.5 hours.\n"
    )
    assert lint.findings(lint.read(page)) == []


def test_a_letter_has_one_meaning_on_the_notation_page(book):
    page = book.page.parent.parent / "front" / "notation.md"
    row = "| $I$ | the identity matrix |\n"
    text = page.read_text("utf8")
    assert row in text
    page.write_text(text.replace(row, row + "| $x$, $I$ | an image |\n"), "utf8")
    told = [finding.message for finding in lint.findings(lint.read(page))]
    assert len(told) == 2 and told[1] == "I has two meanings, 'the identity matrix' and 'an image'"


def test_a_finding_names_file_line_and_fix(book):
    found = book(CHAPTER.replace(SENTENCE, also("A sum\nhelps by 3.5 points.")))
    line = CHAPTER.splitlines().index(SENTENCE) + 3
    assert str(found[0]).startswith(f"{book.page}:{line}: [numbers] the number '3.5' is typed into prose; ")


def test_without_a_file_the_whole_book_is_read(capsys, monkeypatch):
    cover, chapter, *_, template = lint.linted()
    assert cover.name == "index.md" and chapter.parent.parent.name == "chapters"
    assert template == ROOT / "chapters" / "_template.md"
    monkeypatch.setattr(lint, "linted", lambda: [cover, chapter, template])
    assert lint.main([]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("3 pages")


def test_the_command_exits_1_on_a_finding_and_0_on_a_warning(book):
    def command():
        command = [sys.executable, str(ROOT / "scripts" / "lint_chapters.py"), str(book.page)]
        return subprocess.run(command, capture_output=True, text=True)

    book(CHAPTER.replace(LAST, ""))
    failed = command()
    assert failed.returncode == 1 and "[objectives] 2 objectives" in failed.stdout
    book(TEMPLATE)
    warned = command()
    assert warned.returncode == 0 and "warning [length]" in warned.stdout
    assert lint.main(["nowhere.md"]) == 1
