"""The house stays as it was planned: who imports whom, and no cycle. `test_house` has sizes, names and words.

`check_*` return what is wrong, as sentences; the tests below hold the package against them, and hold them
against faults.
"""

import ast

import pytest

from tests.syntax_trees import imports, made, modules

OUTSIDE = {"numpy", "matplotlib", "matplotlib_inline", "cycler", "IPython", "PIL"}
METHOD = {"checks", "nn", "models", "regularize", "optim", "train.method"}
ALLOWED = {  # package -> packages of dlbook that it may import, and third parties beside torch
    "checks": (set(), set()),
    "files": (set(), set()),  # writes a file whole: runs and recorded results, so train and book
    "naive": (set(), set()),
    "nn": ({"checks"}, set()),
    "models": ({"checks", "nn"}, set()),
    "classical": ({"checks", "nn"}, set()),
    "optim": ({"checks", "nn.momentum_encoder"}, set()),  # EMA is one setting of it
    "regularize": ({"checks"}, set()),
    "measure": ({"checks"}, set()),
    "browser": ({"checks"}, set()),  # any network of the package, so it knows none
    "augment": ({"checks"}, {"torchvision", "numpy", "PIL"}),
    "data": ({"checks", "augment"}, {"torchvision", "numpy", "PIL", "tqdm"}),
    "supervised": (METHOD, set()),
    "semi": (METHOD, set()),
    "selfsup": (METHOD, set()),
    "compress": (METHOD, set()),
    "nas": (METHOD, set()),  # a search may import its space: see check_arrows
    "train": (
        {"checks", "files"},
        {"tqdm", "pydantic", "omegaconf", "yaml", "torchmetrics", "wandb", "filelock"},
    ),  # wandb: if it is installed
    "probes": ({"checks", "train", "measure"}, set()),
    "recipes": (
        {
            "files",
            "checks",
            "nn",
            "models",
            "optim",
            "regularize",
            "augment",
            "data",
            "supervised",
            "semi",
            "selfsup",
            "nas",
            "compress",
            "train",
            "measure",
            "probes",
        },
        {"pydantic", "PIL", "torchvision", "optuna", "safetensors", "tqdm", "onnx", "onnxruntime"},
    ),
    "book": ({"checks", "files", "measure", "widgets"}, OUTSIDE),  # widgets: book.draw shows a Diagram
    "widgets": (
        {"checks", "measure", "browser"},
        {"numpy", "matplotlib", "PIL", "ipywidgets", "anywidget", "traitlets", "IPython"},
    ),
    "zoo": (
        {"checks", "files", "nn", "models", "book", "measure"},
        set(),
    ),  # the models as a whole: papers, costs, layers, accuracies
    "cli": (
        {"checks", "zoo", "models", "recipes", "train", "data", "book", "optim"},
        {"typer", "matplotlib", "PIL"},
    ),
    "__main__": ({"cli"}, set()),
}
# One file a paper: no file imports a sibling, but x_weights may import x.
PAPERS = {"models", "supervised", "semi", "selfsup", "compress", "nas.searches", "nas.spaces"}
ORACLES = {"timm", "lightly"}
STANDARD = set(__import__("sys").stdlib_module_names)


def arrows(trees: dict[str, ast.Module]) -> dict[str, list[tuple[int, str]]]:
    """For each module, the modules of the package that it imports, by their names in `trees`."""
    found = {}
    for name, tree in trees.items():
        targets = []
        for line, imported in imports(name, tree):
            if imported.split(".")[0] == "dlbook":
                inner = imported.removeprefix("dlbook").lstrip(".")
                while inner and inner not in trees:
                    inner = inner.rpartition(".")[0]
                targets.append((line, inner))
        found[name] = targets
    return found


def _siblings(name: str, target: str) -> bool:
    """Whether both are papers' files of one folder; the tensor names of x, x_weights, may import x."""
    folder, _, _ = name.rpartition(".")
    other, _, _ = target.rpartition(".")
    return folder == other and folder in PAPERS and name != target and not name.startswith(f"{target}_")


def check_arrows(trees: dict[str, ast.Module]) -> list[str]:
    """Imports that the plan does not allow."""
    wrong = []
    for name, targets in arrows(trees).items():
        home = name.split(".")[0]
        for line, target in targets:
            there = target.split(".")[0]
            if not name or not there or there == name or there not in ALLOWED:
                continue
            if there == home:
                if _siblings(name, target):
                    wrong.append(f"{name}:{line} imports its sibling {target}")
                elif name.startswith("nas.spaces.") and target.startswith("nas.searches"):
                    wrong.append(f"{name}:{line} imports {target}: a space knows no search")
            elif there not in ALLOWED[home][0] and target not in ALLOWED[home][0]:
                wrong.append(f"{name}:{line} imports {target}: {home} may not")
    return list(dict.fromkeys(wrong))


def check_third_parties(trees: dict[str, ast.Module]) -> list[str]:
    """Imports from outside that the plan does not allow; oracles are for tests only, and naive has torch and
    math alone.
    """
    wrong = []
    for name, tree in trees.items():
        home = name.split(".")[0]
        allowed = (
            {"torch", "math", "dlbook"}
            if home == "naive"
            else (STANDARD | {"torch", "dlbook"} | ALLOWED.get(home, (set(), set()))[1])
        )
        for line, imported in imports(name, tree):
            if (
                imported.split(".")[0] not in allowed
                or imported.startswith("torchvision.models")
                or imported.split(".")[0] in ORACLES
            ):
                wrong.append(f"{name}:{line} imports {imported}")
    return wrong


def check_cycles(trees: dict[str, ast.Module]) -> list[str]:
    """Modules that import each other in a ring. A package's __init__ re-exports, so its own files do not
    count as its ring.
    """
    graph = {
        name: {t for _, t in targets if t != name and not name.startswith(f"{t}.")}
        for name, targets in arrows(trees).items()
    }
    done: set[str] = set()
    wrong = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            wrong.append(" -> ".join([*path[path.index(name) :], name]))
        elif name not in done:
            for target in sorted(graph.get(name, ())):
                visit(target, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())
    return wrong


def test_arrows():
    assert check_arrows(modules()) == []


def test_third_parties():
    assert check_third_parties(modules()) == []


def test_no_cycle():
    assert check_cycles(modules()) == []


def test_every_package_is_in_the_plan():
    assert {name.split(".")[0] for name in modules()} - {""} - {"_bundled"} <= set(ALLOWED)


def test_book_is_light():
    """Importing `dlbook.book` loads nothing that Colab lacks, and no model."""
    import subprocess
    import sys

    code = (
        "import sys, dlbook.book; print([m for m in ('yaml', 'nbformat', 'jupytext', 'myst_nb', "
        "'torchvision', 'dlbook.models') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


BAD_ARROWS = {
    "nn imports a model": made(nn__conv="from dlbook.models.resnet import resnet", models__resnet=""),
    "a model imports its sibling": made(
        models__resnext="from dlbook.models import resnet", models__resnet="", models=""
    ),
    "a sibling whose name begins alike": made(
        models__resnet="from dlbook.models import resnext", models__resnext="", models=""
    ),
    "a relative sibling": made(
        models__resnext="from .resnet import Bottleneck", models__resnet="", models=""
    ),
    "the trainer imports a method": made(
        train__trainer="def f():\n    import dlbook.semi.fixmatch", semi__fixmatch="", semi=""
    ),
    "a method imports the trainer": made(
        semi__fixmatch="from dlbook.train.trainer import Trainer", train__trainer="", train=""
    ),
    "a search imports its sibling": made(
        nas__searches__darts="from dlbook.nas.searches import random",
        nas__searches__random="",
        nas__searches="",
    ),
    "a space imports a search": made(
        nas__spaces__cell="from dlbook.nas.searches import darts", nas__searches__darts="", nas__searches=""
    ),
    "the package imports a naive form": made(
        nn__conv="from dlbook.naive import conv", naive__conv="", naive=""
    ),
    "a recipe imports a naive form": made(recipes__a="import dlbook.naive.conv", naive__conv="", naive=""),
    "naive imports the package": made(naive__conv="from dlbook.nn import conv", nn__conv="", nn=""),
    "the ledger imports a model": made(book__ledger="import dlbook.models", models=""),
}


@pytest.mark.parametrize("fault", BAD_ARROWS)
def test_the_checker_catches_a_bad_arrow(fault):
    assert len(check_arrows(BAD_ARROWS[fault])) == 1


def test_the_checker_lets_the_plan_pass():
    trees = made(
        models__lite="",
        models__lite_weights="from dlbook.models.lite import build, VARIANTS",
        nn__conv="import torch",
        models__resnet="from dlbook.nn import conv",
        nn="from dlbook.nn import conv",
        models="from dlbook.models import resnet",
        train__method="",
        train="",
        semi__fixmatch="from dlbook.train.method import Method\nfrom dlbook.models import resnet",
        semi="",
        nas__searches__darts="from dlbook.nas.spaces import cell",
        nas__spaces__cell="",
        nas__spaces="",
        probes__linear="from dlbook.train.trainer import Trainer",
        train__trainer="",
        probes="",
    )
    assert check_arrows(trees) == [] and check_cycles(trees) == [] and check_third_parties(trees) == []


def test_the_checker_catches_a_cycle():
    trees = made(
        nn__a="from dlbook.nn import b",
        nn__b="from dlbook.nn.c import f",
        nn__c="def f():\n    from dlbook.nn import a",
        nn="",
    )
    assert check_cycles(trees) == ["nn.a -> nn.b -> nn.c -> nn.a"]


@pytest.mark.parametrize(
    "code",
    [
        "import timm",
        "from torchvision.models import resnet50",
        "from torchvision import models",
        "import pandas",
    ],
)
def test_the_checker_catches_a_third_party(code):
    assert len(check_third_parties(made(models__resnet=code))) == 1


@pytest.mark.parametrize("code", ["import numpy", "from collections.abc import Iterator", "import itertools"])
def test_the_checker_catches_what_naive_may_not_import(code):
    assert len(check_third_parties(made(naive__conv=code))) == 1
    assert check_third_parties(made(naive__conv="import math\nfrom torch import Tensor")) == []
