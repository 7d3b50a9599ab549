"""The Python side of the diagram: what travels to the page, paths, limits, errors, the still list."""

import base64
import json
import zlib
from types import SimpleNamespace

import pytest
import torchvision
from torch import nn

from dlbook.measure import model_tree
from dlbook.widgets import STATE_LIMIT, Diagram
from dlbook.widgets.diagram import MEASURES


def block(name="", type="Net", *children, **changes):
    own = {
        "detail": "",
        "kind": "",
        "input_shape": (3, 8, 8),
        "shape": (8, 8, 8),
        "parameters": 10,
        "macs": 640,
        "activations": 5,
        "rf": 3,
        "rf_first": 3,
        "inputs": (-1,),
        "join": "",
        "note": "",
        "repeat": 1,
        "parallel": False,
    }
    return SimpleNamespace(name=name, type=type, children=children, **{**own, **changes})


def small():
    return block(
        "",
        "Net",
        block("stem", "Conv2d", detail="3×3"),
        block(
            "body",
            "Sequential",
            block(
                "0–2",
                "Block",
                block("conv", "Conv2d"),
                block("", "+ shortcut", join="+ shortcut", inputs=(0, -1)),
                repeat=3,
            ),
            block("3", "ReLU", rf=None),
            inputs=(0,),
        ),
    )


def travelled(figure):
    """The rows as the page reads them, after its JSON has been sorted."""
    spec = json.loads(json.dumps(figure.get_state()["spec"], sort_keys=True))
    return json.loads(zlib.decompress(base64.b64decode(spec["tree"])))


def test_the_rows_travel_in_order():
    root = travelled(Diagram(small()))
    assert root[:9] == ["", "Net", "", "", [3, 8, 8], [8, 8, 8], 10, 640, 5]
    stem, body = root[-1]
    assert (stem[0], stem[2], body[0], body[14]) == ("stem", "3×3", "body", [0])
    blocks, relu = body[-1]
    assert (blocks[11], blocks[-1][1][13], blocks[-1][1][14], relu[9]) == (3, "+ shortcut", [0, -1], [])
    assert all(len(row) == 17 for row in (root, stem, body, blocks, relu))


def test_nothing_depends_on_the_order_of_keys():
    state = Diagram(small()).get_state()
    assert [key for key in ("spec", "values") if isinstance(state[key], dict)] == ["spec", "values"]
    assert sorted(state["spec"]) == ["measures", "tree"] and state["values"] == {}
    assert state["spec"]["measures"] == list(MEASURES)


def test_paths_can_be_opened_from_python():
    figure = Diagram(small())
    assert figure.paths == ["1", "1.0"] and figure.opened == []
    figure.opened = ["1.0", "1"]
    assert figure.opened == ["1", "1.0"]
    assert Diagram(small(), opened="all").opened == ["1", "1.0"]
    figure.bars = "receptive field"
    with pytest.raises(ValueError, match=r"path of a block.*'0'; there are 1, 1\.0"):
        figure.opened = ["0"]
    with pytest.raises(ValueError, match="bars to be one of parameters, MACs"):
        figure.bars = "FLOPs"
    assert (figure.opened, figure.bars) == (["1", "1.0"], "receptive field")


def test_title_and_description_come_from_the_tree_unless_given():
    figure = Diagram(small())
    assert (figure.title, figure.description) == (
        "Net",
        "Net for an input of 3×8×8: 10 parameters, 640 MACs, 2 blocks from the input above to the "
        "output below.",
    )
    figure = Diagram(small(), title="Mine", description="Other words.")
    assert (figure.title, figure.description) == ("Mine", "Other words.")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Diagram(nn.Linear(1, 1)), "measure.model_tree.*Linear"),
        (lambda: Diagram({"name": "net"}), "measure.model_tree.*dict"),
        (
            lambda: Diagram(block("", "Net", SimpleNamespace(name="half"))),
            "measure.model_tree.*no attribute 'type'",
        ),
        (lambda: Diagram(block("", "ReLU")), "network with parts.*ReLU"),
        (lambda: Diagram(small(), opened=["7"]), "path of a block.*'7'"),
        (lambda: Diagram(small(), bars="time"), "'time'"),
    ],
)
def test_the_diagram_explains_what_is_wrong(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_too_large_a_tree_is_refused_and_the_largest_block_named():
    import random

    noise = random.Random(0)
    layers = [
        block(f"layer{i}", "Conv2d", parameters=noise.randrange(10**12), macs=noise.randrange(10**15))
        for i in range(2500)
    ]
    with pytest.raises(
        ValueError, match="at most 60 KiB of state.*largest: 'body Sequential'.*the tree of one of its blocks"
    ):
        Diagram(block("", "Net", block("body", "Sequential", *layers), block("head", "Linear")))


LARGEST = {
    "resnet152": 224,
    "densenet201": 224,
    "vit_h_14": 224,
    "efficientnet_b7": 600,
    "googlenet": 224,
    "swin_v2_b": 256,
    "regnet_y_128gf": 384,
}


@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_networks_stay_far_below_the_limit(name):
    options = {"init_weights": False} if name == "googlenet" else {}
    tree = model_tree(lambda: getattr(torchvision.models, name)(**options), (3, LARGEST[name], LARGEST[name]))
    figure = Diagram(tree, opened="all")
    assert figure.state_size() < STATE_LIMIT * 0.8
    assert figure.still().count("<li>") <= 120


def test_the_still_list_says_what_the_figure_says():
    still = Diagram(small(), title="<Net>").still()
    assert "&lt;Net&gt;" in still and "<Net>" not in still
    assert still.count("<li>") == 6 and still.count("<details>") == 2 and still.count("<summary>") == 2
    assert "<strong>0–2</strong> Block × 3 · + shortcut · 8×8×8 · 30 parameters · 1,920 MACs" in still
    data, _ = Diagram(small())._repr_mimebundle_()
    assert "Net for an input of 3×8×8" in data["text/plain"] and "<details>" in data["text/html"]


def test_module_text_is_one_module():
    assert "import " not in str(Diagram._esm) and str(Diagram._esm).count("export ") == 1
    assert "</script" not in str(Diagram._esm) and "<!--" not in str(Diagram._esm)
