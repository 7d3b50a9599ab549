"""Figures: the numbers that bands draw, panels, photographs, and blocks drawn from themselves."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from dlbook import book
from dlbook.book import figures


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close("all")


def naive_running_mean(curve, window):
    """The equation, step by step."""
    return [sum(curve[i - window + 1 : i + 1]) / window for i in range(window - 1, len(curve))]


def drawn(axes):
    """Of the one curve: its steps and values, and the band's lowest and highest value at each step."""
    (line,), (band,) = axes.lines, axes.collections
    low, high = {}, {}
    for x, y in band.get_paths()[0].vertices:
        low[x], high[x] = min(low.get(x, y), y), max(high.get(x, y), y)
    return line.get_xdata(), line.get_ydata(), low, high


@pytest.mark.parametrize("smooth", [1, 4, 9])
def test_bands_draw_mean_lowest_and_highest_of_running_means(axes, smooth):
    curves = torch.rand(3, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    book.bands(axes, {"a": curves}, smooth=smooth)
    x, y, low, high = drawn(axes)
    naive = np.array([naive_running_mean(curve, smooth) for curve in curves.tolist()])
    assert list(x) == list(range(smooth - 1, 9))  # a point stands where its window ends
    np.testing.assert_allclose(y, naive.mean(0), rtol=1e-12)
    for number, step in enumerate(x):
        assert low[step] == pytest.approx(naive[:, number].min()) and high[step] == pytest.approx(
            naive[:, number].max()
        )


def seeded_centred(curves, window):
    """A fault: the mean of all seeds and steps before it, not of a window."""
    return curves.cumsum(-1)[..., window - 1 :] / torch.arange(window, curves.shape[-1] + 1)


def test_the_oracle_catches_another_mean(axes, monkeypatch):
    monkeypatch.setattr(figures, "running_mean", seeded_centred)
    curves = torch.rand(2, 9, dtype=torch.float64)
    book.bands(axes, {"a": curves}, smooth=4)
    naive = np.array([naive_running_mean(curve, 4) for curve in curves.tolist()])
    assert not np.allclose(drawn(axes)[1], naive.mean(0))


def test_bands_stand_where_x_says(axes):
    """Fault tried: the first places instead of the last ones, where the window's end is."""
    curves = torch.tensor([[1.0, 3.0, 5.0]])
    book.bands(axes, {"a": curves}, smooth=2, x=[45, 90, 135])
    assert axes.lines[0].get_xdata().tolist() == [90, 135]
    with pytest.raises(ValueError, match="expected 3 places in x, got 2; "):
        book.bands(axes, {"a": curves}, smooth=1, x=[45, 90])


def test_bands_have_names_styles_and_a_log_axis(axes):
    book.bands(axes, {"a": torch.rand(2, 9), "b": torch.rand(2, 9)}, smooth=2, log=True, styles={"b": "C5--"})
    assert axes.get_yscale() == "log" and [t.get_text() for t in axes.get_legend().texts] == ["a", "b"]
    assert axes.lines[1].get_linestyle() == "--" and axes.get_xlabel() == "step"


@pytest.mark.parametrize("curves", [torch.rand(9), torch.rand(2, 3), torch.rand(1, 2, 9)])
def test_bands_refuse_what_is_no_runs(axes, curves):
    with pytest.raises(ValueError, match="seeds, steps"):
        book.bands(axes, {"a": curves}, smooth=4)


def test_panels_have_their_titles():
    left, right = book.panels("plain", "residual", height=2.5, sharey=True)
    assert (left.get_title(), right.get_title()) == ("plain", "residual")
    assert left.figure.get_figheight() == 2.5 and left.get_shared_y_axes().joined(left, right)
    with pytest.raises(ValueError, match="title"):
        book.panels()
    plt.close("all")


class Block(nn.Module):
    """Two layers and a shortcut."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        return x + self.b(self.a(x).relu())


def test_a_block_is_drawn_from_itself():
    figure = book.draw(Block, (4, 6, 5), title="A block")
    assert figure.title == "A block" and figure.bars == "parameters"
    assert figure.tree.parameters == sum(p.numel() for p in Block().parameters())
    assert "shortcut" in figure.still() or "+" in figure.still()
    with pytest.raises(ValueError):
        book.draw(Block(), (4, 6, 5))  # a module, not what makes one


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8), (3, 8, 8), (8, 8, 3), (8, 8, 1), (3, 3, 3)])
def test_photos_take_every_usual_shape(shape, capsys):
    book.photos(
        [torch.rand(shape), (torch.rand(shape) * 255).byte().numpy()], ["a", "b"], alt="Two grey squares"
    )


@pytest.mark.parametrize(
    ("images", "titles", "alt", "told"),
    [
        ([], None, "Nothing at all", "one image"),
        ([torch.rand(8, 8)], None, " ", "alt"),
        ([torch.rand(8, 8)], ["a", "b"], "A square", "1 titles"),
        ([torch.rand(2, 3, 8, 8)], None, "A batch", "not a batch"),
    ],
)
def test_photos_tell_mistakes(images, titles, alt, told):
    with pytest.raises(ValueError, match=told):
        book.photos(images, titles, alt)
