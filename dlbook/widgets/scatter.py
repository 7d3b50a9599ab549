"""Points over axes that the reader chooses, with a legend that switches groups, and a read-out of the point
that is picked.

>>> figure = Scatter(title="Three nets", description="Size against accuracy.",
...                  axes=[Axis("size", log=True), Axis("accuracy", unit="%")],
...                  points=[Point("a", "small", {"size": 1, "accuracy": 60}),
...                          Point("b", "large", {"size": 10, "accuracy": 70}),
...                          Point("c", "large", {"size": 20})])
>>> figure.values, [point["name"] for point in figure.drawn()]
({'across': 'size', 'up': 'accuracy'}, ['a', 'b'])
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import traitlets

from dlbook.widgets import encode, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text
from dlbook.widgets.scatter_still import draw_scatter


@dataclass(frozen=True)
class Axis:
    """Describe one axis: its name, whether it is logarithmic, the unit of its numbers, which end is better.

    Args:
        better: "low" or "high" on both chosen axes draws the staircase of points that no other beats.
    """

    name: str
    log: bool = False
    unit: str = ""
    better: str = ""


@dataclass(frozen=True)
class Point:
    """Describe one point.

    Args:
        values: number by the name of the axis; an axis may be missing.
        note: a sentence for the read-out.
    """

    name: str
    group: str
    values: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


class Scatter(Figure):
    """Points over two of several axes.

    Args:
        title: heading.
        description: what the figure shows, for readers who cannot see it.
        axes: two or more :class:`Axis` with different names.
        points: list of :class:`Point` with different names; one that lacks a value of a chosen axis is not
            drawn.
        start: {"across": name of an axis, "up": name of an axis}; default: the first two.
        selected: name of the point that is picked at the start; "": none.

    Attributes:
        values, visible, selected: the chosen axes, the groups that are drawn, the point that is picked.
        points: all entries, as dicts of name, group (its number), values and note.

    Raises:
        ValueError: an unknown or repeated name, a value that no logarithm takes, or more than 60 KiB of
            state.
    """

    tabled = True
    _esm = module_text("controls.js", "numbers.js", "plot.js", "scatter.js")
    _css = style_text("figure.css", "numbers.css", "scatter.css")

    visible = traitlets.List(traitlets.Unicode()).tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)

    def __init__(self, *, axes, points, title="", description="", start=None, selected=""):
        names = [axis.name for axis in axes]
        if len(names) < 2 or len(set(names)) < len(names):
            raise ValueError(
                f"axes: expected two or more with different names, got {names}; rename or add some"
            )
        if not points or len({point.name for point in points}) < len(points):
            repeated = sorted({p.name for p in points if [q.name for q in points].count(p.name) > 1})
            raise ValueError(
                f"points: expected one or more with different names, got {len(points)}; repeated: {repeated}"
            )
        groups = list(dict.fromkeys(point.group for point in points))
        spec = {
            "parameters": grid.checked({"across": names, "up": names}),
            "groups": groups,
            "axes": {
                axis.name: {"log": bool(axis.log), "unit": axis.unit, "better": axis.better} for axis in axes
            },
            "points": "",
        }
        self.points = [_entry(point, axes, groups) for point in points]
        spec["points"] = encode.deflated_json(self.points)
        values = grid.settings(spec["parameters"], {"across": names[0], "up": names[1], **(start or {})})
        sizes = {
            group: len(encode.deflated_json([p for p in self.points if groups[p["group"]] == group]))
            for group in groups
        }
        super().__init__(title, description, spec, sizes, values=values, visible=groups, selected=selected)

    @traitlets.validate("visible")
    def _check_visible(self, proposal):
        unknown = set(proposal["value"]) - set(self.spec["groups"])
        if unknown:
            raise ValueError(
                f"visible: expected names of groups, got {sorted(unknown)}; the groups are "
                f"{self.spec['groups']}"
            )
        return [group for group in self.spec["groups"] if group in proposal["value"]]

    @traitlets.validate("selected")
    def _check_selected(self, proposal):
        if proposal["value"] and proposal["value"] not in {point["name"] for point in self.points}:
            raise ValueError(
                f"selected: expected the name of a point, got {proposal['value']!r}; give such a name, "
                "or '' for none"
            )
        return proposal["value"]

    def how_to_shrink(self, spec):
        return f"give fewer points (there are {len(self.points)}), shorter notes, or make two figures"

    def drawn(self):
        """The entries that have a value on both chosen axes, whatever group is switched off."""
        across, up = self.values["across"], self.values["up"]
        return [point for point in self.points if across in point["values"] and up in point["values"]]

    def height(self, inside):
        return reserve.scatter(self, inside)

    def still(self):
        return draw_scatter(self)


def _entry(point, axes, groups):
    """Return the JSON of one point, its values checked and rounded to seven figures.

    The page shows four: rounded to five first, 2.34949 would be 2.35 there.
    """
    known = {axis.name: axis for axis in axes}
    values = {}
    for name, value in point.values.items():
        if name not in known:
            raise ValueError(
                f"point {point.name!r}: expected names of axes, got {name!r}; the axes are {list(known)}"
            )
        value = float(value)
        if not math.isfinite(value) or (known[name].log and value <= 0):
            kind = "positive, finite" if known[name].log else "finite"
            raise ValueError(
                f"point {point.name!r}: expected a {kind} number on the axis {name!r}, got {value}; "
                "leave it out instead"
            )
        rounded = float(f"{value:.7g}")
        values[name] = int(rounded) if rounded == int(rounded) else rounded
    return {
        "name": str(point.name),
        "group": groups.index(point.group),
        "values": values,
        "note": str(point.note),
    }
