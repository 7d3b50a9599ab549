"""`dlbook models` and `dlbook summary`: the tables of the notebooks, the same as JSON, and bad arguments."""

import json
import subprocess
import sys

import pytest

from dlbook import zoo
from dlbook.cli.zoo import parse_size


def test_models_prints_the_table_of_the_notebooks(run):
    assert run("models", "--family", "lenet") == (0, repr(zoo.models("lenet")), "")
    assert run("models") == (0, repr(zoo.models()), "")


def test_models_as_json(run):
    listed = json.loads(run("models", "--family", "nin", "--json")[1])
    assert [(row["name"], row["parameters"], row["input"]) for row in listed] == [
        ("nin_cifar", 966_986, [3, 32, 32])
    ]
    assert listed[0]["year"] == 2013 and listed[0]["citation"] == zoo.PAPERS["nin"].key


def test_summary_prints_the_table_of_the_notebooks(run):
    assert run("summary", "resnet18", "--size", "3x64x96", "--depth", "1")[:2] == (
        0,
        repr(zoo.summary("resnet18", (3, 64, 96), 1)),
    )


@pytest.mark.parametrize(("fault", "seen"), [("", "False"), ("dlbook.book.draw; ", "True")])
def test_summary_does_without_matplotlib(fault, seen):
    code = f"""
import sys
import dlbook.book
{fault}
from dlbook.cli.zoo import summary
summary("lenet5")
print("matplotlib" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == seen


def test_summary_as_json(run):
    assert json.loads(run("summary", "lenet5", "--json")[1]) == json.loads(json.dumps(zoo.describe("lenet5")))


@pytest.mark.parametrize(
    "words, told",
    [
        (("summary", "resnt50"), "did you mean resnet50"),
        (("models", "--family", "resent"), "did you mean resnet"),
        (("summary", "resnet18", "--size", "3x7"), "expected --size to be"),
        (("summary", "lenet5", "--size", "28"), "32 x 32"),
        (("summary", "resnet18", "--depth", "0"), "expected depth"),
        (("summary",), "Missing argument"),
        (("trian",), "No such command"),
    ],
)
def test_bad_arguments_end_with_code_2(run, words, told):
    code, out, err = run(*words)
    assert (code, out) == (2, "") and told in err and "Traceback" not in err


@pytest.mark.parametrize(
    "text, size", [("224", 224), ("3x224x256", (3, 224, 256)), ("1×28×28", (1, 28, 28)), (None, None)]
)
def test_sizes(text, size):
    assert parse_size(text) == size


def test_models_by_a_pattern_in_an_order(run):
    code, out, _ = run("models", "vgg1?", "--sort", "macs")
    assert code == 0 and [line.split()[0] for line in out.splitlines()[2:]] == [
        "vgg11",
        "vgg13",
        "vgg16",
        "vgg19",
    ]
    assert [row["name"] for row in json.loads(run("models", "lite", "--json")[1])] == ["efficientnet_lite0"]
    assert "did you mean resnet50" in run("models", "resent50")[2]
