"""The zoo and its models as tables that display themselves in a notebook and print themselves in a terminal.

>>> print(models("convnet"))
The zoo: 1 model, counted for one image of the size it was made for
model           paper                            year  parameters       MACs  input
convnet_digits  own, after Ioffe & Szegedy 2015  2015      29,434  1,213,120  1×28×28
"""

from collections.abc import Iterable, Sequence
from typing import Any

from dlbook.book.tables import Table, table
from dlbook.measure.costs import Counts, LayerCosts
from dlbook.zoo.counting import checked_size, counts
from dlbook.zoo.rows import TITLE, Entry, entries, paper_of, require_name

MODEL_COLUMNS = ("model", "paper", "year", "parameters", "MACs", "input")
LAYER_COLUMNS = ("layer", "type", "output", "parameters", "MACs", "receptive field")


def times(shape: Iterable[int]) -> str:
    """Return a shape as text: 64×56×56."""
    return "×".join(map(str, shape))


def models(family: str | None = None, found: Iterable[Entry] | None = None) -> Table:
    """Return the whole zoo, or one family of it: paper, year, parameters and multiply-accumulates at the
    input named last.

    Args:
        found: other entries, to be shown instead.

    Raises:
        ValueError: for an unknown family.
    """
    found = list(entries(family) if found is None else found)
    rows = [
        (e.name, e.paper.short, str(e.paper.year), e.parameters, e.macs, times(e.input_size)) for e in found
    ]
    return table(rows, MODEL_COLUMNS, TITLE.format(len(rows), "s" * (len(rows) != 1)))


def summary(name: str, size: int | Sequence[int] | None = None, depth: int | None = None) -> Table:
    """Return the layers of a model in order, with output shape, parameters, multiply-accumulates and
    receptive field, then the total.

    Args:
        size: side of the images, (C, H, W), or None for the row's own.
        depth: how many levels of modules to open, at least 1; what lies deeper is summed up in the module
            that holds it; None opens all.

    Raises:
        ValueError: for an unknown name, a size that the model does not take, or a depth below 1.
    """
    size, found, layers = _layers(name, size, depth)
    rows = [
        (layer.name, layer.type, times(layer.shape), layer.parameters, layer.macs, layer.rf)
        for layer in layers
    ]
    last = ("total", "", "", found.parameters, found.macs, found.receptive_field)
    return table(
        [*rows, last], LAYER_COLUMNS, f"{name} ({paper_of(name).short}) for one image of {times(size)}"
    )


def describe(name: str, size: int | Sequence[int] | None = None, depth: int | None = None) -> dict[str, Any]:
    """What `summary` shows, as plain data for JSON. Arguments and errors are the same."""
    size, found, layers = _layers(name, size, depth)
    paper = paper_of(name)
    return {
        "name": name,
        "paper": paper.title,
        "year": paper.year,
        "citation": paper.key,
        "arxiv": paper.arxiv,
        "input": list(size),
        "parameters": found.parameters,
        "trainable": found.trainable,
        "macs": found.macs,
        "activations": found.activations,
        "receptive_field": found.receptive_field,
        "layers": [
            {
                "name": layer.name,
                "type": layer.type,
                "output": list(layer.shape),
                "parameters": layer.parameters,
                "macs": layer.macs,
                "receptive_field": layer.rf,
            }
            for layer in layers
        ],
    }


def _layers(
    name: str, size: int | Sequence[int] | None, depth: int | None
) -> tuple[tuple[int, int, int], Counts, list[LayerCosts]]:
    size = checked_size(require_name(name), size)
    if depth is not None and (not isinstance(depth, int) or isinstance(depth, bool) or depth < 1):
        raise ValueError(f"expected depth to be a whole number >= 1, got {depth!r}; None opens everything")
    found = counts(name, size)
    return size, found, list(found.layers) if depth is None else folded(found, depth)


def folded(found: Counts, depth: int) -> list[LayerCosts]:
    """Return the layers of a model, those below `depth` levels summed up in the module that holds them."""
    groups: dict[str, list[LayerCosts]] = {}
    for layer in found.layers:
        groups.setdefault(".".join(layer.name.split(".")[:depth]), []).append(layer)
    rows = []
    for prefix, layers in groups.items():
        kind, shape = found.outputs.get(prefix, (layers[-1].type, None))
        fields = [layer.rf for layer in layers if layer.rf is not None]
        widest = max(fields, key=lambda rf: rf if isinstance(rf, int) else max(rf), default=None)
        total = sum(layer.parameters for layer in layers), sum(layer.macs for layer in layers)
        rows.append(LayerCosts(prefix, kind, shape or layers[-1].shape, *total, widest))
    return rows
