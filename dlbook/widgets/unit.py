"""One unit, cell by cell: which cells of a photograph an output cell sees, and how they make its value.

>>> import numpy as np
>>> pictures = {"a": np.eye(8), "b": np.zeros((8, 8))}
>>> figure = Unit(title="Unit", description="Edges.", pictures=pictures, kernels={"edge": [[-1, 1], [-1, 1]]},
...               patch=4, start={"operation": "max pooling", "window": 2})
>>> figure.output().shape, float(figure.output()[figure.row, figure.column])
((7, 7), 1.0)
"""

import numpy as np
import traitlets

from dlbook.widgets import encode, reserve, unit_still, unit_values
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

_RANGED = ("window", "stride", "padding", "dilation", "γ", "β", "sharpness")


class Unit(Figure):
    """An output cell of a convolution, a pooling, a batch norm or an attention, on real photographs.

    The page computes every output cell from the numbers given here, as torch does; see `unit_values`.

    Args:
        title, description: texts; both are needed.
        pictures: {name: grey photograph [S, S]}, uint8, or floats in [0, 1], which are kept to 1/255. Batch
            norm takes its mean and its variance over all of them.
        kernels: {name: square of weights, up to 5 by 5}.
        operations: some of `unit_values.OPERATIONS`, in the order of the menu.
        windows, strides, paddings, dilations: ascending numbers for the sliders.
        patch: side of a patch of the attention; divides S.
        scales, shifts: values of γ and β; sharpnesses: factors of the attention's scores.
        start: starting value of parameters.
        cell: (row, column) of the output cell at the start; None: the middle.

    Attributes:
        values: what the reader chose: operation, photograph, kernel, window, stride, padding, dilation, γ, β,
            sharpness; can be set from Python too.
        row, column: of the output cell; of an attention, of the patch.

    Raises:
        ValueError: photographs or kernels that are not square, or a patch that does not divide their side.
    """

    _esm = module_text(
        "controls.js",
        "stage.js",
        "unit_values.js",
        "unit_products.js",
        "unit_window.js",
        "unit_board.js",
        "unit.js",
    )
    _css = style_text("figure.css", "stage.css", "unit_products.css", "unit.css")

    row = traitlets.Int().tag(sync=True)
    column = traitlets.Int().tag(sync=True)

    def __init__(
        self,
        *,
        pictures,
        kernels,
        title="",
        description="",
        operations=unit_values.OPERATIONS,
        windows=(2, 3, 4, 5),
        strides=(1, 2, 3),
        paddings=(0, 1, 2),
        dilations=(1, 2, 3),
        patch=6,
        scales=(0.0, 0.5, 1.0, 1.5, 2.0),
        shifts=(-1.0, -0.5, 0.0, 0.5, 1.0),
        sharpnesses=(1, 2, 4, 8, 16),
        start=None,
        cell=None,
    ):
        self._bytes = _bytes(pictures, patch)
        ranges = (windows, strides, paddings, dilations, scales, shifts, sharpnesses)
        named = {"operation": _known(operations), "photograph": list(pictures), "kernel": list(kernels)}
        parameters = grid.checked(named | dict(zip(_RANGED, ranges, strict=True)))
        spec = {
            "parameters": parameters,
            "side": self._bytes.shape[-1],
            "patch": int(patch),
            "kernels": {str(name): _kernel(name, weights) for name, weights in kernels.items()},
            "pixels": encode.deflated(self._bytes.tobytes()),
        }
        usual = {"stride": 1, "padding": 0, "dilation": 1, "γ": 1, "β": 0}
        values = grid.settings(parameters, {**usual, **(start or {})})
        cells = unit_values.geometry(spec, values)["cells"]
        row, column = (cells // 2, cells // 2) if cell is None else cell
        super().__init__(
            title, description, spec, {"pixels": len(spec["pixels"])}, values=values, row=row, column=column
        )

    @traitlets.validate("row", "column")
    def _check_place(self, proposal):
        return max(0, min(proposal["value"], self.spec["side"] - 1))

    def how_to_shrink(self, spec):
        return f"give fewer photographs ({len(spec['parameters']['photograph'])}) or smaller ones"

    def pictures(self):
        """Return the photographs as the page has them: values in [0, 1], float64, [B, S, S]."""
        return self._bytes / 255

    def geometry(self):
        """Return window, stride, padding, dilation and cells along an axis."""
        return unit_values.geometry(self.spec, self.values)

    def output(self):
        """Return what the page draws at the chosen values: [cells, cells]; of an attention [S, S]."""
        return unit_values.output(self.spec, self.pictures(), self.values)

    def place(self):
        """Return row and column of the cell; one beyond the output goes to its place in the picture."""
        cells = self.geometry()["cells"]
        inside = lambda v: v if v < cells else v * cells // self.spec["side"]
        return inside(self.row), inside(self.column)

    def height(self, inside):
        parameters = self.spec["parameters"]
        shown = [unit_values.CONTROLS[operation] for operation in parameters["operation"]]
        below = max(
            reserve.controls({name: parameters[name] for name in names}, inside, cursor=0) for names in shown
        )
        stage = 560 if inside == reserve.NARROW else 384
        return reserve.staged(self, inside, stage, 120, 0, below)

    def still(self):
        return unit_still.draw_unit(self)


def _known(operations):
    unknown = [name for name in operations if name not in unit_values.OPERATIONS]
    if unknown or not operations:
        raise ValueError(
            f"operations: expected some of {', '.join(unit_values.OPERATIONS)}, got {list(operations)}; "
            "choose among these"
        )
    return list(operations)


def _bytes(pictures, patch):
    """Return the photographs as uint8 [B, S, S]."""
    found = [encode.to_array(picture, f"picture {name!r}") for name, picture in dict(pictures).items()]
    shapes = {picture.shape for picture in found}
    if len(shapes) != 1 or any(
        len(shape) != 2 or shape[0] != shape[1] or shape[0] % patch for shape in shapes
    ):
        raise ValueError(
            f"pictures: expected grey squares of one side that patches of {patch} divide, "
            f"got {sorted(shapes)}; crop them"
        )
    for picture in found:
        if picture.dtype != np.uint8 and not 0 <= picture.min() <= picture.max() <= 1:
            raise ValueError(
                f"pictures: expected uint8 or values in [0, 1], got {picture.min():g} to "
                f"{picture.max():g}; scale"
            )
    return np.stack([p if p.dtype == np.uint8 else np.rint(p * 255).astype(np.uint8) for p in found])


def _kernel(name, weights):
    weights = encode.to_array(weights, f"kernel {name!r}").astype(np.float64)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not 1 <= len(weights) <= 5:
        raise ValueError(
            f"kernel {name!r}: expected a square of 1 to 5 weights a side, got {weights.shape}; cut it"
        )
    return [[float(f"{value:.6g}") for value in row] for row in weights]
