"""The map on the cover: each page of the book is a link in its part, and other lines are still to come."""

import re
from pathlib import Path

import pytest
import test_notebooks as runner
import toc
import yaml

ROOT = Path(__file__).resolve().parents[2]
COVER = (ROOT / "index.md").read_text("utf8")
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))


def faults_of(cover: str) -> list[str]:
    """What the map says otherwise than `_toc.yml`: missing or foreign pages, another part, a page "to come"
    that stands.
    """
    (body,) = re.findall(r"\{div\} book-map\n(.*?)\n::::", cover, flags=re.S)
    parts, to_come = {}, []
    for line in body.splitlines():
        if part := re.match(r"- \*\*(.+)\*\*$", line):
            here = parts.setdefault(part[1], [])
        elif link := re.match(r"  - \[.+\]\((.+)\.md\)$", line):
            here.append(link[1])
        elif title := re.match(r"  - \*(.+)\*$", line):
            to_come.append(title[1])
        else:
            return [f"cannot read the line {line!r}"]
    titles = {page.read_text("utf8").split("\n# ", 1)[-1].split("\n")[0] for page in toc.pages(ROOT)}
    found = [f"'{title}' stands and is marked as to come" for title in to_come if title in titles]
    for part in TOC["parts"]:
        pages = [chapter["file"] for chapter in part["chapters"]]
        if pages != parts.get(part["caption"], []):
            found.append(f"{part['caption']}: {parts.get(part['caption'])} on the map, {pages} in the book")
    known = {part["caption"] for part in TOC["parts"]}
    return found + [f"{part} is no part of the book" for part in parts if parts[part] and part not in known]


def test_the_map_is_the_table_of_contents():
    assert faults_of(COVER) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  - [Activations](chapters/convolution/activations.md)\n", ""),
        ("[Activations](chapters/convolution/activations.md)", "*Activations*"),
        ("  - *Open problems*", "  - [Open problems](chapters/practice/open-problems.md)"),
        ("- **Training**", "- **Learning**"),
        ("  - *Open problems*", "  - Open problems"),
    ],
)
def test_the_map_can_be_wrong(old, new):
    assert old in COVER and faults_of(COVER.replace(old, new))


def test_the_limit_that_the_cover_and_the_preface_name_is_the_one_of_the_tests():
    for page in (COVER, (ROOT / "chapters" / "front" / "preface.md").read_text("utf8")):
        (seconds,) = re.findall(r"(\d+) seconds of\s+processor time", page)
        assert int(seconds) == runner.SECONDS
