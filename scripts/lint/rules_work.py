"""Rules on what the reader does: predictions, the bug clinic, exercises and their solutions."""

import ast
import re

from lint import python_code as python
from lint.rule import Told, rule
from lint.text import Block, Chapter
from lint.words import words_of

DIFFICULTY = re.compile(r"\((recall|apply|derive|research)\)\s*$", flags=re.I)
CHOICE = re.compile(r"^\d+\. \S", flags=re.M)
ROLE = re.compile(r"\{(?!math\b)[a-z][\w:-]*\}`|\]\(")
BLANK = re.compile(r"_{3,}")
RANGE = re.compile(r"(-?\d[\d.e-]*)(?: to -?\d[\d.e-]*)?")
ASIDE = ("comment", "target", "break")


@rule("predict")
def predict(chapter: Chapter) -> Told:
    """The reader is asked to predict, at least once; each box has a name, and choices or a blank, and the
    folded answer after it says what is right.
    """
    found = False
    for siblings in _families(chapter.blocks):
        for index, box in enumerate(siblings):
            if box.kind == "admonition" and "predict" in box.classes:
                found = True
                yield from _asked(chapter, box)
                yield from _answered(box, siblings[index + 1 :])
    if not found:
        yield (
            1,
            "the reader is never asked to predict",
            "add ```{admonition} Predict first with :class: predict",
        )


def _asked(chapter: Chapter, box: Block) -> Told:
    """What is wrong with the question of a box: its name, its choices or its blank."""
    start = f"predict-{chapter.slug}-"
    if not str(box.options.get("name", "")).startswith(start):
        yield (
            box.line,
            "the prediction has no name that begins with its chapter's",
            f"add `:name: {start}...`",
        )
    choices, blanks = len(CHOICE.findall(box.text)), len(BLANK.findall(box.text))
    if choices and not 3 <= choices <= 4:
        yield box.line, f"{choices} choices, expected 3 or 4", "offer what people really think"
    if bool(choices) == bool(blanks) or blanks > 1:
        yield (
            box.line,
            "the prediction offers neither choices nor one blank, or both",
            "write a numbered list of choices, or `____` where a number is to be entered",
        )


def _answered(box: Block, after: list[Block]) -> Told:
    """What is wrong with the answer of a box, which is the next of the blocks that follow it."""
    answer = next((block for block in after if block.kind not in ASIDE), None)
    if answer is None or answer.kind != "answer":
        yield box.line, "the prediction has no folded answer after it", "add ```{answer} and what is right"
        return
    choices = len(CHOICE.findall(box.text))
    if choices and answer.argument not in map(str, range(1, choices + 1)):
        yield (
            answer.line,
            f"the answer names '{answer.argument}', which is not one of {choices} choices",
            "write the number of the one that is right",
        )
    elif not choices and not RANGE.fullmatch(answer.argument):
        yield (
            answer.line,
            f"the answer accepts '{answer.argument}', which is no number",
            "write a number, or two: `low to high`",
        )
    if not answer.text.strip():
        yield answer.line, "the answer says nothing", "say why it is so"


@rule("review-cards")
def review_cards(chapter: Chapter) -> Told:
    """The section 'Review cards' has 6 to 12 cards, each with a name, one question, and an answer of fewer
    than 40 words that needs nothing else of the chapter.
    """
    cards, section = chapter.all("review-card"), chapter.section("Review cards")
    if section and not 6 <= len(cards) <= 12:
        yield section[0].line, f"{len(cards)} review cards, expected 6 to 12", "keep what is worth years"
    inside = {id(block) for block in section[1]} if section else set()
    for card in cards:
        if id(card) not in inside:
            yield card.line, "a review card outside its section", "move it to `## Review cards`"
        for wrong, fix in _faults_of(card, f"card-{chapter.slug}-"):
            yield card.line, f"the card {wrong}", fix


def _faults_of(card: Block, start: str) -> list[tuple[str, str]]:
    """What is wrong with one card: (what, how to fix it)."""
    found, count = [], len(words_of(card.text))
    if not str(card.options.get("name", "")).startswith(start):
        found.append(("has no name that begins with its chapter's", f"add `:name: {start}...`"))
    if card.argument.count("?") != 1 or not card.argument.endswith("?"):
        found.append(("does not ask one question", "end the question with the only question mark"))
    if "`" in card.argument:
        found.append(("has a backtick in its question, which ends the fence", "write it without"))
    if not card.text.strip() or count >= 40:
        found.append((f"answers in {count} words, expected 1 to 39", "say one fact"))
    if ROLE.search(card.argument + card.text):
        found.append(("refers to its chapter, which is not there in the review", "write out what is meant"))
    return found


def _families(blocks: list[Block]) -> list[list[Block]]:
    """`blocks`, and the children of each, and theirs."""
    return [blocks] + [family for block in blocks if block.children for family in _families(block.children)]


@rule("bug-clinic")
def bug_clinic(chapter: Chapter) -> Told:
    """The bug clinic has two bugs or more, each with its symptom, a check that runs, and the fix."""
    found = chapter.section("Bug clinic")
    if not found:
        return
    heading, blocks = found
    starts = [
        i for i, block in enumerate(blocks) if block.kind == "heading" and block.level == heading.level + 1
    ]
    if len(starts) < 2:
        yield (
            heading.line,
            f"{len(starts)} bugs in the clinic, expected two or more",
            "give each a heading of its own, one level below",
        )
    for start, end in zip(starts, [*starts[1:], len(blocks)], strict=True):
        bug = blocks[start:end]
        words = " ".join(block.text for block in bug if block.kind != "code-cell").lower()
        missing = [
            part
            for part, form in (("the symptom", "symptom"), ("the fix", r"\bmend|\bfix|\bcure|\bremed"))
            if not re.search(form, words)
        ]
        missing += [] if any(block.kind == "code-cell" for block in bug) else ["a check that runs"]
        if missing:
            yield (
                bug[0].line,
                f"the bug lacks {' and '.join(missing)}",
                "say **Symptom**, run the check in a cell, say **Fix**",
            )


def _exercises(chapter: Chapter) -> list[Block]:
    return chapter.all("exercise", "exercise-start")


@rule("exercises")
def exercises(chapter: Chapter) -> Told:
    """There are three exercises or more, of two difficulties or more, each with a label and its difficulty in
    the title.
    """
    found = _exercises(chapter)
    kinds = set()
    for exercise in found:
        match = DIFFICULTY.search(exercise.argument)
        if match:
            kinds.add(match[1].lower())
        else:
            yield (
                exercise.line,
                "the exercise does not say how hard it is",
                "end its title with (recall), (apply), (derive) or (research)",
            )
        if not exercise.options.get("label"):
            yield exercise.line, "the exercise has no label", "add `:label: ex-<slug>-n`"
    if len(found) < 3 or (
        len(kinds) < 2 and len(found) == sum(bool(DIFFICULTY.search(e.argument)) for e in found)
    ):
        yield (
            1,
            f"{len(found)} exercises of {len(kinds)} difficulties, expected 3 or more of 2 or more",
            "range from recall to research",
        )


def _solutions(chapter: Chapter) -> list[tuple[Block, list[Block], bool]]:
    """Each solution: where it begins, its blocks, whether it ends."""
    found = [(block, block.children, True) for block in chapter.all("solution")]
    for index, block in enumerate(chapter.blocks):
        if block.kind == "solution-start":
            rest = chapter.blocks[index + 1 :]
            end = next(
                (i for i, other in enumerate(rest) if other.kind in ("solution-end", "solution-start")),
                len(rest),
            )
            found.append((block, rest[:end], end < len(rest) and rest[end].kind == "solution-end"))
    return found


@rule("solutions")
def solutions(chapter: Chapter) -> Told:
    """Every exercise has a solution, folded, that ends and runs an assert; each solution has its exercise."""
    labels = {str(exercise.options.get("label", "")): exercise for exercise in _exercises(chapter)}
    solved = set()
    for start, blocks, ended in _solutions(chapter):
        solved.add(start.argument)
        if start.argument not in labels:
            yield (
                start.line,
                f"a solution of '{start.argument}', which is no exercise here",
                "correct the label",
            )
        if not ended:
            yield start.line, "the solution does not end", "add ```{solution-end}"
        if "dropdown" not in start.classes:
            yield start.line, "the solution is not folded away", "add `:class: dropdown`"
        if not any(_asserts(block) for block in blocks):
            yield start.line, "the solution runs no assert", "add a code cell that asserts the result"
    for label, exercise in labels.items():
        if label and label not in solved:
            yield (
                exercise.line,
                f"the exercise '{label}' has no solution",
                "add ```{solution-start} with its label",
            )


def _asserts(block: Block) -> bool:
    if block.kind != "code-cell" or "skip-execution" in block.tags:
        return False
    module = python.tree(block.text)
    return any(isinstance(node, ast.Assert) for node in ast.walk(module)) or any(
        "assert_" in name for name, _ in python.calls(module)
    )
