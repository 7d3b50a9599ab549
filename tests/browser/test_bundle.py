"""The text of the engine: small enough, without comments, and the same program as its files."""

import gzip
import re

import pytest

from dlbook.browser import bundle
from dlbook.browser.bundle import engine_sources, engine_text, joined, without_modules
from tests.browser.engine_runs import in_node

LIMIT = 8000  # bytes, compressed


def test_the_engine_is_small():
    assert len(gzip.compress(engine_text().encode(), 9)) <= LIMIT


def test_it_has_no_comment_no_import_and_depends_on_nothing():
    text = engine_text()
    assert "//" not in text and not re.search(r"\b(import|require|fetch)\b", text)


def test_texts_in_quotes_stay_as_they_are():
    text = engine_text(
        'export const say = () => "a, b  // c";  // d\nexport const plus = (a, b) => a + +b;\n'
    )
    assert "'a, b  // c'" in text and "a + +b" in text and "// d" not in text
    assert text.endswith("return {say,plus};\n};\n")


def test_squeezing_changes_no_answer():
    plain = f"const engine = () => {{ {without_modules(engine_sources())} return {{ generator }}; }};"
    plain = plain.replace(
        "return { generator }", "return { " + engine_text().rsplit("return {", 1)[1].split("}")[0] + " }"
    )
    both = in_node({"operations": True, "losses": True}, [engine_text(), plain])
    assert both[0] == both[1] and "error" not in both[0]


@pytest.mark.parametrize("word", ["import", "export"])
def test_joined_files_are_one_module(word, tmp_path):
    (tmp_path / "a.js").write_text("// says\nexport const a = 1;\n", "utf8")
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\n\n  export class B {}\nuse(a);\n', "utf8")
    text = joined([tmp_path / "a.js", tmp_path / "b.js"])
    assert text == "const a = 1;\nexport class B {}\nuse(a);" or word not in text


def test_what_nothing_needs_is_left_out():
    text = "const a = 1, f = 4;\nconst b = () => a;\nfunction c() {\n  const d = 2;\n  return d;\n}\nlet e = 3;\n"
    assert bundle.without_unused(text, ["b"]) == "const a = 1, f = 4;\nconst b = () => a;\n"
    assert bundle.without_unused(text, ["f", "e"]) == "const a = 1, f = 4;\nlet e = 3;\n"


def test_squeezing_keeps_texts():
    text = 'const a = { b: "c , d", e: `f ${ 1 } , g` };  // a word\nconst h = "it\'s" + a.b - -1 + a / 2;\n'
    assert bundle.squeezed(text) == "const a={b:'c , d',e:`f ${ 1 } , g`};const h=\"it's\"+a.b - -1+a/2;"


def test_a_smaller_engine_has_what_is_wanted():
    whole, small = bundle.engine_text(), bundle.engine_text(wanted=["conv2d"])
    assert len(small) < len(whole) / 2 and "return {conv2d};" in small and "function conv2d" in small
