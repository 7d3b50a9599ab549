"""Every family has its paper, and every paper its entry in references.bib."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dlbook.models import FAMILIES
from dlbook.zoo.papers import PAPERS

ROOT = Path(__file__).resolve().parents[2]
ENTRY = re.compile(r"^@\w+\{([^,\s]+),(.*?)^\}", re.MULTILINE | re.DOTALL)
BIBLIOGRAPHY = dict(ENTRY.findall((ROOT / "references.bib").read_text("utf8")))


def faults(papers) -> list[str]:
    """What is wrong with a table of papers, one sentence each."""
    found = [f"{family} has no paper" for family in FAMILIES if family not in papers]
    found += [f"{family} is no family" for family in papers if family not in FAMILIES]
    for family, paper in papers.items():
        entry = BIBLIOGRAPHY.get(paper.key)
        if entry is None:
            found.append(f"{family}: {paper.key} is not in references.bib")
            continue
        years = [int(year) for year in re.findall(r"year\s*=\s*\{(\d{4})", entry)]
        if not years or not 0 <= years[0] - paper.year <= 2:
            found.append(f"{family}: {paper.year} here, {years} in references.bib")
        if paper.arxiv and paper.arxiv not in entry:
            found.append(f"{family}: arXiv {paper.arxiv} is not in its entry of references.bib")
        if plain(paper.authors[0]) not in plain(entry):
            found.append(f"{family}: {paper.authors[0]} is no author of {paper.key}")
        if letters(paper.title) not in letters(entry):
            found.append(f"{family}: another title in references.bib")
    return found


def plain(text: str) -> str:
    return text.lower().replace("é", "e").replace("á", "a").replace("{\\'e}", "e").replace("{\\'a}", "a")


def letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", plain(text))


def test_every_family_has_its_paper_in_the_bibliography():
    assert faults(PAPERS) == []


WRONG = {
    "a family without a paper": lambda p: {k: v for k, v in p.items() if k != "resnet"},
    "a paper without a family": lambda p: p | {"resmet": p["resnet"]},
    "a key that is not there": lambda p: p | {"resnet": replace(p["resnet"], key="he2015deep")},
    "the year of another paper": lambda p: p | {"resnet": replace(p["resnet"], year=2012)},
    "another paper's arXiv number": lambda p: p | {"resnet": replace(p["resnet"], arxiv="1409.1556")},
    "another author": lambda p: p | {"resnet": replace(p["resnet"], authors=("Zhou",))},
    "another title": lambda p: p | {"resnet": replace(p["resnet"], title="Deep Learning")},
}


@pytest.mark.parametrize("fault", WRONG)
def test_the_check_catches(fault):
    assert len(set(faults(WRONG[fault](PAPERS))) - set(faults(PAPERS))) == 1
