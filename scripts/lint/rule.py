"""What a rule of the linter is: a pure function from a chapter to its findings, known by a name.

>>> from lint.text import parse
>>> @rule("no-words", everywhere=True)
... def no_words(chapter):
...     '''A page has words.'''
...     if not chapter.text.strip():
...         yield 1, "the page is empty", "write it"
>>> [str(finding) for finding in RULES.pop("no-words").findings(parse(""))]
['chapters/part/chapter.md:1: [no-words] the page is empty; write it.']
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lint.text import Chapter

Told = Iterator[tuple[int, str, str]]  # line, what is wrong, how to fix it


@dataclass(frozen=True)
class Violation:
    """One thing to fix. A warning does not fail the linter."""

    rule: str
    path: Path
    line: int
    message: str
    fix: str
    warning: bool = False

    def __str__(self) -> str:
        kind = "warning " if self.warning else ""
        return f"{self.path}:{self.line}: {kind}[{self.rule}] {self.message}; {self.fix}."


@dataclass(frozen=True)
class Rule:
    """A rule. everywhere: also for pages that are no chapters (cover, preface); warning: it only warns."""

    name: str
    check: Callable[[Chapter], Told]
    everywhere: bool
    warning: bool

    def findings(self, chapter: Chapter) -> list[Violation]:
        """What the rule finds in a chapter."""
        return [
            Violation(self.name, chapter.path, line, message, fix, self.warning)
            for line, message, fix in self.check(chapter)
        ]


RULES: dict[str, Rule] = {}


def rule(name: str, *, everywhere: bool = False, warning: bool = False) -> Callable:
    """Enter the decorated function, `chapter -> iterator of (line, what is wrong, how to fix it)`, as the
    rule `name`.
    """

    def enter(check: Callable[[Chapter], Told]) -> Callable[[Chapter], Told]:
        if name in RULES:
            raise ValueError(f"there are two rules {name!r}; name one otherwise.")
        RULES[name] = Rule(name, check, everywhere, warning)
        return check

    return enter
