"""Figures that chapters draw again and again: curves over seeds, panels side by side, photographs, a block.

Charts are SVG, which the page's dark mode inverts; photographs are PNG, which it leaves alone.

>>> running_mean(torch.tensor([[1.0, 3.0, 5.0]]), 2)
tensor([[2., 4.]])
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import display
from matplotlib.axes import Axes
from PIL import Image
from torch import Tensor, nn


def running_mean(curves: Tensor, window: int) -> Tensor:
    """Average [..., steps] over the last `window` steps: [..., steps - window + 1]."""
    return curves.unfold(-1, window, 1).mean(-1)


def bands(
    axes: Axes,
    curves: Mapping[str, Tensor],
    smooth: int = 10,
    *,
    log: bool = False,
    styles: Mapping[str, str] | None = None,
    x: Sequence[float] | None = None,
) -> None:
    """Draw each curve as its mean over the seeds, in a band from the lowest to the highest seed.

    Args:
        axes: where to draw.
        curves: name -> [seeds, steps].
        smooth: window of the running mean, in steps; 1 draws every step. A point stands at its window's end.
        log: a logarithmic axis of values.
        styles: name -> matplotlib's short form, such as "C0--"; by default a colour of the cycle for each.
        x: where the values stand, [steps]; None: at 0, 1, 2 and so on.

    Raises:
        ValueError: a curve that is no [seeds, steps], has fewer steps than the window, or another number of
            them than `x`.
    """
    for index, (name, values) in enumerate(curves.items()):
        values = torch.as_tensor(values).detach().cpu()
        if values.ndim != 2 or not 1 <= smooth <= values.shape[1]:
            raise ValueError(
                f"expected {name!r} as [seeds, steps] with {smooth} steps or more, got "
                f"{tuple(values.shape)}; book.over_seeds stacks runs, smooth=1 draws every step."
            )
        values, steps = running_mean(values.double(), smooth), _places(values.shape[1], x)[smooth - 1 :]
        style = (styles or {}).get(name, f"C{index}")
        (line,) = axes.plot(steps, values.mean(0), style, label=name)
        axes.fill_between(
            steps, values.amin(0), values.amax(0), color=line.get_color(), alpha=0.15, linewidth=0
        )
    if log:
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.legend()


def _places(number: int, x: Sequence[float] | None) -> Sequence[float]:
    if x is not None and len(x) != number:
        raise ValueError(f"expected {number} places in x, got {len(x)}; give one for each value.")
    return range(number) if x is None else x


def panels(*titles: str, height: float = 3.2, **options: Any) -> list[Axes]:
    """Make a figure with one panel for each title, side by side over the page's width; return their axes.

    Args:
        height: inches.
        options: of matplotlib's `subplots`, say sharey=True.

    Raises:
        ValueError: if there is no title.
    """
    if not titles:
        raise ValueError("expected one title a panel, got none; name what each panel shows.")
    _, axes = plt.subplots(1, len(titles), figsize=(7.2, height), squeeze=False, **options)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    return list(axes[0])


def draw(
    build: Callable[[], nn.Module],
    input_size: Sequence[int],
    *,
    title: str = "",
    opened: Sequence[str] | str = "all",
    bars: str = "parameters",
):
    """Draw a block or a network from itself: its layers, how they are joined, their shapes and costs.

    Args:
        build: makes the module, `lambda: BasicBlock(64, 64)`. It is called on the meta device: no memory.
        input_size: of one input, without the batch axis: (64, 56, 56).
        title: by default the class's name.
        opened: paths of the blocks that are open at first, or "all".
        bars: "parameters", "MACs", "activations" or "receptive field".

    Returns:
        A `dlbook.widgets.Diagram`, to stand last in a cell tagged `widget`.
    """
    from dlbook.measure import model_tree
    from dlbook.widgets import Diagram  # here: chapters that draw no block need no widgets

    return Diagram(model_tree(build, input_size), title=title, opened=opened, bars=bars)


def photos(images, titles=None, alt: str = "", *, columns: int = 6, size: float = 1.6) -> None:
    """Show photographs or image maps in a grid, as PNG (the dark page leaves PNG alone).

    Args:
        images: sequence of arrays or tensors, each [H, W], [1, H, W], [3, H, W] or [H, W, 3]; uint8, or float
            in [0, 1].
        titles: one text for each, or None.
        alt: the figure in words, for those who do not see it; the page takes it from the cell's metadata,
            notebooks take it from here.
        columns: images a row at the most.
        size: inches a side.

    Raises:
        ValueError: on an empty list, a wrong shape or number of titles, or an empty `alt`.
    """
    pictures = [_picture(image) for image in images]
    if not pictures or not alt.strip():
        raise ValueError(
            f"expected one image or more and a text in `alt`, got {len(pictures)} images and {alt!r}; "
            "say in `alt` what the images show"
        )
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"expected {len(pictures)} titles, one an image, got {len(titles)}; match them.")
    width = min(columns, len(pictures))
    height = -(-len(pictures) // width)
    figure, axes = plt.subplots(height, width, figsize=(size * width, (size + 0.25) * height), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for index, (axis, picture) in enumerate(zip(axes.flat, pictures, strict=False)):
        axis.imshow(picture, cmap="gray", vmin=0, vmax=255 if picture.dtype == np.uint8 else 1)
        axis.set_title(
            "" if titles is None else str(titles[index]), fontsize=9, color="#767676"
        )  # 4.5:1 on white, and legible on dark
    show_png(figure, alt)


def show_png(figure, alt: str) -> None:
    """Display a matplotlib figure as PNG and close it.

    Args:
        alt: the figure in words.
    """
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=144, bbox_inches="tight")
    plt.close(figure)
    # 64 colours are a fifth of the bytes, and a page has to be light
    Image.open(drawn).quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True
    )
    display(
        {"image/png": small.getvalue(), "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}}
    )


def _picture(image) -> np.ndarray:
    """[H, W] or [H, W, 3], uint8 or float in [0, 1]."""
    array = image.detach().cpu().numpy() if hasattr(image, "detach") else np.asarray(image)
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[-1] not in (1, 3):
        array = array.transpose(1, 2, 0)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[-1] != 3):
        raise ValueError(
            f"expected [H, W], [1, H, W], [3, H, W] or [H, W, 3], got {tuple(array.shape)}; "
            "pass one image, not a batch."
        )
    return array if array.dtype == np.uint8 else array.astype(np.float32).clip(0, 1)
