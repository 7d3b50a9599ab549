"""The first cell of every chapter: seeds, threads, determinism, the clock, and how figures look.

Charts are transparent SVG, so that the page's dark mode can invert them; photographs are PNG, which it leaves
alone.
"""

import io
import os
import random

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from IPython import get_ipython
from IPython.display import display
from matplotlib_inline.backend_inline import set_matplotlib_formats

from dlbook.book.budget import scale_name
from dlbook.book.inserts import start_clock

# After Okabe and Ito's colour-blind-safe set, darkened where white paper asks for it: 3:1 against both pages,
# light and dark.
CYCLE = ("#0072b2", "#c75000", "#00805f", "#b3589a", "#2b8fc4", "#9a7a00", "#4d4d4d")
INK = "#1f2328"
STYLE = {
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.grid": True,
    "grid.color": "#8a8f96",
    "grid.alpha": 0.25,
    "grid.linewidth": 0.8,
    "figure.figsize": (7.2, 3.6),
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.transparent": True,
    "figure.constrained_layout.use": True,
    "font.size": 10.5,
    "image.cmap": "cividis",
    "image.interpolation": "nearest",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "dlbook",  # the same bytes at every run
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def begin(seed: int = 0) -> None:
    """Seed `random`, numpy and torch, set the threads from `OMP_NUM_THREADS`, ask torch for determinism,
    dress the figures, start the chapter's clock. For the first code cell.

    Raises: ValueError if the seed is negative, or `DLBOOK_SCALE` or `OMP_NUM_THREADS` holds what it cannot
        mean.
    """
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"expected a seed from 0 to 2**32 - 1, got {seed!r}; begin(seed=0).")
    scale_name()
    start_clock()
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(_threads())
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    figure_style()


def figure_style() -> None:
    """Set matplotlib to the book's style, and a running notebook's charts to SVG."""
    matplotlib.rcParams.update(STYLE)
    if get_ipython() is not None:
        set_matplotlib_formats("svg", metadata={"Date": None, "Creator": None})


def photos(images, titles=None, alt: str = "", *, columns: int = 6, size: float = 1.6) -> None:
    """Show photographs or image maps in a grid, as PNG (the dark page leaves PNG alone).

    images: sequence of arrays or tensors, each [H, W], [1, H, W], [3, H, W] or [H, W, 3]; uint8, or float in
        [0, 1].
    titles: one text for each, or None. alt: the figure in words, for those who do not see it; the page takes
    it from the cell's metadata, notebooks take it from here. columns: images a row at the most. size: inches
    a side.
    Raises: ValueError on an empty list, a wrong shape or number of titles, or an empty `alt`.
    """
    pictures = [_picture(image) for image in images]
    if not pictures or not alt.strip():
        raise ValueError(
            "photos needs one image at least and a text in `alt`; say in `alt` what the images show."
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
    """Display a matplotlib figure as PNG and close it. alt: the figure in words."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    display(
        {"image/png": buffer.getvalue(), "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}}
    )


def _threads() -> int:
    asked = os.environ.get("OMP_NUM_THREADS") or str(torch.get_num_threads())
    if not asked.isdigit() or int(asked) < 1:
        raise ValueError(
            f"OMP_NUM_THREADS is {asked!r}; expected a whole number from 1; export OMP_NUM_THREADS=1."
        )
    return int(asked)


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
