"""The linter of chapters: `python scripts/lint_chapters.py chapters/part/topic.md ...`.

Without a file it reads the book's pages with code, and the template. Prints each finding as file:line, the
rule, what is wrong and how to fix it; exits 1 if there is one that is no warning. `--rules` lists the rules.
Pages that are no chapters (the cover, `chapters/front/`) are held to the general ones alone. They stand in
rules_frame (parts and their order), rules_form (one way to write), rules_prose (numbers, references),
rules_symbols (one letter, one meaning), rules_terms (definitions),
rules_code (what cells do) and rules_work (predictions, bugs, exercises).
"""

import sys
from pathlib import Path

from toc import linted

from lint import (  # noqa: F401  they enter rules
    rules_code,
    rules_form,
    rules_frame,
    rules_prose,
    rules_symbols,
    rules_terms,
    rules_work,
)
from lint.rule import RULES, Violation
from lint.text import Chapter, read


def is_chapter(path: Path) -> bool:
    """Whether a page is a chapter: `chapters/<part>/<topic>.md`, the part not "front"; or the template."""
    parts = path.resolve().parts
    return ("chapters" in parts[:-2] and parts[-2] != "front") or parts[-2:] == ("chapters", "_template.md")


def findings(chapter: Chapter) -> list[Violation]:
    """All findings on one page, in the order of its lines."""
    rules = [rule for rule in RULES.values() if rule.everywhere or is_chapter(chapter.path)]
    return sorted(
        (found for rule in rules for found in rule.findings(chapter)), key=lambda f: (f.line, f.rule)
    )


def main(arguments: list[str]) -> int:
    """Lint the files named, or the whole book; return the exit code."""
    if arguments == ["--rules"]:
        for rule in RULES.values():
            words = " ".join(rule.check.__doc__.split())
            print(f"{rule.name:<16}{'every page' if rule.everywhere else 'chapters':<12}{words}")
        return 0
    paths = [Path(argument) for argument in arguments] or linted()
    if missing := [str(path) for path in paths if not path.is_file()]:
        print(f"there is no file {', '.join(missing)}", file=sys.stderr)
        return 1
    found = [finding for path in paths for finding in findings(read(path))]
    for finding in found:
        print(finding)
    errors = sum(not finding.warning for finding in found)
    print(f"{len(paths)} pages, {errors} findings, {len(found) - errors} warnings")
    return int(errors > 0)
