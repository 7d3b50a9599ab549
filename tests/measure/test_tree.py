"""The tree of every row of the zoo against what `count` counts, and odd networks whose weights are easily
lost.
"""

from collections import Counter

import pytest
import torch
from torch import nn

from dlbook import models
from dlbook.measure import count, model_tree
from dlbook.measure import trace as model_trace
from dlbook.measure.tree import TreeBlock, fold
from dlbook.widgets import STATE_LIMIT, Diagram
from dlbook.widgets.diagram import MEASURES
from tests.measure.small_networks import Net, conv, rows

COSTS = ("parameters", "macs", "activations")
SIDES = (224, 227, 299, 32, 28)


def copies(block, times=1):
    """Every block below `block`, with how often it stands in the network."""
    for child in block.children:
        yield child, times * child.repeat
        yield from copies(child, times * child.repeat)


def check_sums(tree):
    """Blocks whose figures are not the sum of what they hold."""
    return [
        f"{block.name} {cost}"
        for block in tree.walk()
        for cost in COSTS
        if block.children
        and getattr(block, cost) != sum(child.repeat * getattr(child, cost) for child in block.children)
    ]


def check_totals(tree, counts):
    """Where the tree and `count` differ: totals, receptive field, and what each convolution and linear layer
    costs.
    """
    wrong = [cost for cost in COSTS if getattr(tree, cost) != getattr(counts, cost)]
    wrong += ["rf"] if tree.rf != counts.receptive_field else []
    layers = Counter(
        (layer.type, layer.shape[-1:], layer.macs)
        for layer in counts.layers
        if layer.type in ("Conv2d", "Linear") and layer.shape
    )
    shown = Counter()
    for block, times in copies(tree):
        if block.type in ("Conv2d", "Linear") and block.shape and "earlier" not in block.note:
            shown[block.type, block.shape[-1:], block.macs] += times
    return wrong + sorted(map(str, (layers - shown) + (shown - layers)))


def check_rows(tree):
    """Blocks that take rows that do not stand above them."""
    return [
        f"{block.name}: {child.inputs}"
        for block in tree.walk()
        for row, child in enumerate(block.children)
        if not all(-1 <= taken < row for taken in child.inputs)
    ]


def drawn(name):
    """A row of the zoo on meta, the size of the input that it takes, without the batch, and its tree."""
    with torch.device("meta"):
        model = models.create(name).eval()
    channels = getattr(model, "in_channels", 3)
    side = getattr(getattr(model, "config", None), "resolution", getattr(model, "resolution", None))
    side = side[0] if isinstance(side, (tuple, list)) else side
    for size in filter(None, (side, 32 if "cifar" in name else None, *SIDES)):
        try:
            return model, (channels, size, size), model_tree(lambda: model, (channels, size, size))
        except ValueError:
            continue
    raise AssertionError(f"no size of {SIDES} fits {name}")


@pytest.mark.parametrize("name", models.variants())
def test_every_row_of_the_zoo_is_drawn_and_counts_what_count_counts(name):
    model, size, tree = drawn(name)
    counts = count(lambda: model, size)
    assert check_sums(tree) == [] and check_rows(tree) == []
    assert check_totals(tree, counts) == []
    figure = Diagram(tree, opened="all")
    assert figure.state_size() <= STATE_LIMIT
    assert f"{counts.parameters:,}" in figure.still() and f"{counts.macs:,}" in figure.still()


def joins(tree):
    """How many rows of each kind of join the network has."""
    found = Counter()
    for block, times in copies(tree):
        if block.join:
            found[block.join] += times
    return dict(found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", {"+ shortcut": 8}),
        ("resnet50", {"+ shortcut": 16}),
        ("resnet152", {"+ shortcut": 50}),
        ("resnet20_cifar", {"+ shortcut": 9}),
        ("plain18", {}),
        ("vgg16", {}),
        ("efficientnet_b0", {"+ shortcut": 9, "× gate": 16}),
        ("efficientnet_lite0", {"+ shortcut": 9}),
    ],
)
def test_the_joins_of_the_zoo_are_those_of_the_papers(name, expected):
    assert joins(drawn(name)[2]) == expected


def test_equal_neighbours_are_folded_in_a_row_and_side_by_side():
    branch = lambda: nn.ModuleList(conv() for _ in range(3))
    chain = model_tree(lambda: nn.Sequential(conv(), conv(), nn.ReLU(), conv()), (4, 8, 8)).children
    assert [(row.name, row.repeat, row.inputs) for row in chain] == [
        ("0–1", 2, (-1,)),
        ("2", 1, (0,)),
        ("3", 1, (1,)),
    ]
    assert (chain[0].rf_first, chain[0].rf) == (3, 5)
    parallel = rows(lambda m, x: torch.cat([b(x) for b in m.branches], 1), branches=branch)
    assert [(row.name, row.repeat, row.parallel, row.inputs) for row in parallel] == [
        ("branches.0–2", 3, True, (-1,)),
        ("", 1, False, (0,)),
    ]


def aux(m, x):
    return m.b(m.a(x)) if not m.training else m.b(m.a(x)) + m.head(x)


ODD = {  # networks whose weights are easily counted twice or not at all
    "a shared layer": lambda: Net(lambda m, x: m.a(m.a(x)), a=conv()),
    "a head for training only": lambda: Net(aux, a=conv(), b=conv(), head=nn.Sequential(conv(), conv(8))),
    "a token": lambda: Net(
        lambda m, x: torch.cat([m.token.expand(1, -1, 8, 8), m.a(x)], 1),
        a=conv(),
        token=nn.Parameter(torch.zeros(1, 2, 1, 1)),
    ),
    "a weight that is never used": lambda: Net(
        lambda m, x: m.a(x), a=nn.Sequential(conv(), nn.ReLU()), extra=nn.Parameter(torch.zeros(7))
    ),
    "attention": lambda: Net(
        lambda m, x: m.mha(*[x.flatten(2).transpose(1, 2)] * 3, need_weights=False)[0] + 1,
        mha=nn.MultiheadAttention(4, 2, batch_first=True),
    ),
    "written-out attention": lambda: Net(
        lambda m, x: m.a(x).flatten(2) @ m.b(x).flatten(2).transpose(1, 2), a=conv(), b=conv()
    ),
    "three equal blocks": lambda: nn.Sequential(conv(), conv(), conv(), nn.Conv2d(4, 4, 3)),
    "a keyword": lambda: Net(lambda m, x: m.b(input=m.a(input=x)), a=conv(), b=conv(5)),
}


IDLE_WEIGHTS = {ODD["a head for training only"]: 3 * 144, ODD["a weight that is never used"]: 7}


@pytest.mark.parametrize("name", ODD)
def test_no_weight_is_lost_or_counted_twice(name):
    tree, counts = model_tree(ODD[name], (4, 8, 8)), count(ODD[name], (4, 8, 8))
    assert check_sums(tree) == [] and check_rows(tree) == []
    assert [cost for cost in COSTS if getattr(tree, cost) != getattr(counts, cost)] == []


def test_what_does_not_run_says_so():
    tree = model_tree(ODD["a head for training only"], (4, 8, 8))
    assert [(row.name, row.parameters, row.macs, row.note) for row in tree.children][-1] == (
        "head",
        3 * 144,
        0,
        "does not run in evaluation",
    )
    shared = model_tree(ODD["a shared layer"], (4, 8, 8)).children
    assert [(row.parameters, row.note) for row in shared] == [
        (144, ""),
        (0, "uses the weights of an earlier call"),
    ]


def test_mistakes_are_told():
    with pytest.raises(ValueError, match="lambda"):
        model_tree(nn.Linear(1, 1), (1,))
    with pytest.raises(ValueError, match="batch axis"):
        model_tree(lambda: nn.Sequential(nn.Linear(3, 1)), (4,))


def rename(function, **changes):
    """A method with some of its source's words changed."""
    import inspect
    import textwrap

    source = textwrap.dedent(inspect.getsource(function)).replace("super()", "super(Tracer, self)")
    for old, new in changes.values():
        assert old in source, old
        source = source.replace(old, new)
    space = dict(vars(__import__(function.__module__, fromlist=["x"])))
    exec(source, space)
    return space[function.__name__]


TRACER = model_trace.Tracer
FAULTS = {  # what goes wrong: (owner, attribute, (old words, new words))
    "weights are given out twice": (TRACER, "_account", ("unclaimed.pop(", "unclaimed.get(")),
    "weights beside the layers are lost": (
        TRACER,
        "_account",
        ("for t in inputs)", "for t in inputs if node.operations[-1] in ('convolution', 'linear'))"),
    ),
    "heads that do not run are lost": (TRACER, "unused", ("if self.unclaimed else ()", "if False else ()")),
    "the products of attention are free": (
        TRACER,
        "_account",
        ("node.macs += ", "node.macs += 0 if 'matmul' in node.operations else "),
    ),
    "a folded block counts once": (None, "_folded", ("repeat=len(run)", "repeat=1")),
    "blocks of one type are folded": (TreeBlock, "pattern", None),
    "rows keep their numbers when others are folded": (
        None,
        "_folded",
        ("place[row] for row in first.inputs", "row for row in first.inputs"),
    ),
    "every sum is a shortcut": (TRACER, "_join", ('("×" if name == "mul" else "+")', '"+ shortcut"')),
    "a shortcut that joins first is missed": (TRACER, "_join", ("rows[:2]", "(rows[0], rows[0])")),
}


def complaints():
    """All that the checks above say about the odd networks and two of the zoo."""
    told = []
    for build, size in [
        *((build, (4, 8, 8)) for build in ODD.values()),
        (lambda: models.create("resnet50"), (3, 64, 64)),
    ]:
        tree, counts = model_tree(build, size), count(build, size)
        told += (
            check_sums(tree)
            + check_rows(tree)
            + [cost for cost in COSTS if getattr(tree, cost) != getattr(counts, cost)]
        )
        idle = sum(block.parameters for block in tree.walk() if block.note == model_trace.UNUSED)
        told += [] if idle == IDLE_WEIGHTS.get(build, 0) else ["weights that run are said to be idle"]
    told += (
        []
        if joins(model_tree(lambda: models.create("resnet50"), (3, 64, 64))) == {"+ shortcut": 16}
        else ["joins"]
    )
    plain = rows(lambda m, x: m.a(x) + m.b(x), a=conv, b=lambda: conv(kernel=1))
    folded = model_tree(ODD["three equal blocks"], (4, 8, 8)).children
    return (
        told
        + ([] if plain[-1].join == "+" else ["+"])
        + ([] if [row.inputs for row in folded] == [(-1,), (0,)] else ["rows"])
    )


def test_the_checks_find_nothing_in_the_real_tree():
    assert complaints() == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_caught(name, monkeypatch):
    from dlbook.measure.tree import model_tree as function

    module = __import__(function.__module__, fromlist=["x"])
    owner, attribute, words = FAULTS[name]
    if words is None:
        monkeypatch.setattr(owner, attribute, property(lambda block: block.type))
    else:
        monkeypatch.setattr(
            owner or module, attribute, rename(getattr(owner or module, attribute), change=words)
        )
    assert complaints() != []


def test_fold_of_nothing():
    assert fold([]) == () and len(MEASURES) == 4
