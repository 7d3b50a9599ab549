"""A map of points over the steps of a training: which have a label, and which of those labels are wrong.

>>> figure = Map(title="Map", description="A label comes.", steps=[0, 10], positions=[[[0, 0]], [[1, 0]]],
...              states=[[0], [1]], anchors={"a": (1, 0)}, given=4)
>>> figure.count(0), figure.count(1)
((0, 0), (1, 0))
"""

import numpy as np

from dlbook.widgets import encode, map_still, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

STEP = "training step"


class Map(Figure):
    """Points that move over the steps of a training; each has no label, a right one, or a wrong one.

    Args:
        title, description: texts; both are needed.
        steps: ascending steps of the looks.
        positions: in [-1, 1], [looks, points, 2]; the second axis points up.
        states: 0 without a label, 1 with the right one, 2 with a wrong one; [looks, points].
        anchors: `{name of a class: its place}`.
        given: number of labels of each class that were given, drawn as stars at the anchor.
        start: step of the look that stands at first; None: the last one.

    Attributes:
        values: the step that the reader chose, by the name `STEP`; can be set from Python too.

    Raises:
        ValueError: shapes that do not fit, places outside [-1, 1], or unknown states.
    """

    tabled = True
    _esm = module_text("controls.js", "numbers.js", "stage.js", "map.js")
    _css = style_text("figure.css", "numbers.css", "stage.css", "map.css")

    def __init__(self, *, steps, positions, states, anchors, title="", description="", given=4, start=None):
        steps = [int(step) for step in steps]
        self.states = _states(states, len(steps))
        positions = encode.to_array(positions, "positions").astype(np.float64)
        if positions.shape != (*self.states.shape, 2) or not np.abs(positions).max() <= 1:
            raise ValueError(
                f"positions: expected shape {(*self.states.shape, 2)} in [-1, 1], got {positions.shape} "
                f"up to {np.abs(positions).max():g}; scale them"
            )
        if steps != sorted(set(steps)) or len(steps) < 2:
            raise ValueError(f"steps: expected two or more, ascending, got {steps}; sort them")
        self.positions = np.rint((positions + 1) * 127.5).astype(np.uint8)
        flat = np.concatenate([self.positions.reshape(-1), self.states.reshape(-1)])
        spec = {
            "parameters": grid.checked({STEP: steps}),
            "points": self.states.shape[1],
            "anchors": [[str(name), float(x), float(y)] for name, (x, y) in anchors.items()],
            "given": int(given),
            "data": encode.deflated(flat.tobytes()),
        }
        values = grid.settings(spec["parameters"], {STEP: steps[-1] if start is None else start})
        super().__init__(title, description, spec, {"points": len(spec["data"])}, values=values)

    def how_to_shrink(self, spec):
        return f"give fewer points ({spec['points']}) or fewer looks ({len(spec['parameters'][STEP])})"

    def look(self):
        """Return the number of the look that is shown."""
        return self.spec["parameters"][STEP].index(self.values[STEP])

    def count(self, look):
        """Return how many points have a label at a look, and how many of these are wrong."""
        return int((self.states[look] > 0).sum()), int((self.states[look] == 2).sum())

    def height(self, inside):
        return reserve.staged(self, inside, map_still.frame(inside)[-1], 75, 42, 0)

    def still(self):
        return map_still.draw_map(self)


def _states(states, looks):
    states = encode.to_array(states, "states")
    if states.ndim != 2 or len(states) != looks or not np.isin(states, (0, 1, 2)).all():
        raise ValueError(
            f"states: expected 0, 1 or 2 in {looks} rows, one a look, got shape {states.shape}; "
            "0 is no label, 1 a right one, 2 a wrong one"
        )
    return states.astype(np.uint8)
