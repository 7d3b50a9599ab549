"""The still picture of Unit: the window's products and their sum, the steps of the other operations."""

import pytest

from tests.widgets.unit_checks import by_torch, unit


def written(value):
    return f"{value:.3f}".replace("-", "−")


def test_a_convolution_shows_its_products_and_their_sum():
    figure = unit(start={"operation": "convolution", "kernel": "uneven"}, cell=(3, 5))
    still = figure.still()
    assert still.count(f"sum of the 9 products: {written(by_torch(figure)[3, 5])}<") == 2  # wide and narrow
    assert still.count("× 5<") == still.count("× −4<") == 2
    assert still.count("<image") == 4


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"operation": "max pooling", "window": 2}, "largest of 4: "),
        ({"operation": "average pooling", "window": 2}, "sum of the 4 products: "),
        ({"operation": "batch norm"}, "γ · that + β = "),
    ],
)
def test_each_operation_tells_the_value_of_its_cell(start, words):
    figure = unit(start=start, cell=(4, 7))
    assert figure.still().count(words + written(by_torch(figure)[4, 7])) == 2


def test_an_attention_names_the_patches_that_weigh_most():
    still = unit(start={"operation": "attention", "sharpness": 16}, cell=(1, 1)).still()
    assert still.count("weights of the framed patch") == 2 and "row 2, column 2: " in still
