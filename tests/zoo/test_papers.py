"""Every family has its paper, every paper its entry in references.bib, every reported accuracy its row and
its source.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dlbook import zoo
from dlbook.models import FAMILIES, variants
from dlbook.zoo.papers import PAPERS
from dlbook.zoo.reported import FILE, reported

ROOT = Path(__file__).resolve().parents[2]
ENTRY = re.compile(r"^@\w+\{([^,\s]+),(.*?)^\}", re.MULTILINE | re.DOTALL)
BIBLIOGRAPHY = dict(ENTRY.findall((ROOT / "references.bib").read_text("utf8")))
HEADER = "row,top1,setting,citation,where\n"


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


@pytest.mark.parametrize(
    "name, size",
    [
        ("lenet5", (1, 32, 32)),
        ("lenet5_modern", (1, 28, 28)),
        ("alexnet", (3, 227, 227)),
        ("resnet56_cifar", (3, 32, 32)),
        ("efficientnet_b7", (3, 600, 600)),
        ("vgg16", (3, 224, 224)),
    ],
)
def test_input_sizes(name, size):
    assert zoo.input_size(name) == size


def test_reported_accuracies_name_rows_and_sources():
    lines = reported()
    assert {line.row for line in lines} <= set(variants())
    assert {line.citation for line in lines} <= set(BIBLIOGRAPHY)


@pytest.mark.parametrize(
    "text, message",
    [
        ("row,top1\nresnet50,1\n", "expected the columns"),
        (HEADER + "resnet50,many,1 crop,he2016deep,Table 4\n", "line 2: top1 must be"),
        (HEADER + "resnet50,100.5,1 crop,he2016deep,Table 4\n", "between 0 and 100"),
        (HEADER + "resnet50,77,1 crop,he2016deep,\n", "every column"),
        (
            HEADER + "resnet50,77,1 crop,he2016deep,Table 4\n" * 2,
            "line 3: 'resnet50' with this setting stands twice",
        ),
    ],
)
def test_a_bad_file_is_told_by_line(tmp_path, text, message):
    (tmp_path / "bad.csv").write_text(text, encoding="utf8")
    with pytest.raises(ValueError, match=message):
        reported(tmp_path / "bad.csv")


def test_the_file_is_part_of_the_package():
    assert FILE.is_file() and FILE.parent == Path(zoo.__file__).parent
