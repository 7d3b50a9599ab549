"""The naive AutoAugment and RandAugment, by hand on one row of pixels. The batched form of the package is
held against them in ``tests/augment/test_policies.py``.
"""

import pytest
import torch

from dlbook.naive import policies as naive

ROW = torch.tensor([[[0.1, 0.2, 0.4, 0.8]]])
TWO = [("TranslateX", 0.7, 1.0), ("Invert", 0.2, 0.0)]


def row(*values):
    return torch.tensor([[values]])


@pytest.mark.parametrize(
    ("name", "amount", "negative", "expected"),
    [
        ("Brightness", 0.5, False, (0.15, 0.3, 0.6, 1.0)),  # 1.2 is cut off
        ("Brightness", 0.5, True, (0.05, 0.1, 0.2, 0.4)),
        ("TranslateX", 2.0, False, (0.0, 0.0, 0.1, 0.2)),
        ("TranslateX", 1.0, True, (0.2, 0.4, 0.8, 0.0)),
        ("TranslateX", 9.0, False, (0.0, 0.0, 0.0, 0.0)),
        ("Invert", 0.5, True, (0.9, 0.8, 0.6, 0.2)),  # it has no sign and no amount
    ],
)
def test_one_operation(name, amount, negative, expected):
    torch.testing.assert_close(naive.apply_operation(ROW, name, amount, negative), row(*expected))


def check_sub_policy(apply_sub_policy):
    """A draw below the probability applies an action; at it, it does not; the order is that of the table."""
    for numbers, expected in (
        ((0.69, 0.19), (1.0, 0.9, 0.8, 0.6)),
        ((0.7, 0.19), (0.9, 0.8, 0.6, 0.2)),
        ((0.69, 0.2), (0.0, 0.1, 0.2, 0.4)),
        ((0.7, 0.2), (0.1, 0.2, 0.4, 0.8)),
    ):
        done = apply_sub_policy(ROW, TWO, [(number, False) for number in numbers])
        torch.testing.assert_close(done, row(*expected))


def test_a_sub_policy():
    check_sub_policy(naive.apply_sub_policy)


def backwards(image, sub_policy, draws):
    return naive.apply_sub_policy(image, sub_policy[::-1], draws[::-1])


def at_the_probability_too(image, sub_policy, draws):
    for (name, probability, amount), (number, negative) in zip(sub_policy, draws, strict=True):
        if number <= probability:
            image = naive.apply_operation(image, name, amount, negative)
    return image


@pytest.mark.parametrize("wrong", [backwards, at_the_probability_too])
def test_a_wrong_sub_policy_is_caught(wrong):
    with pytest.raises(AssertionError):
        check_sub_policy(wrong)


def test_a_sub_policy_needs_a_draw_for_each_action():
    with pytest.raises(ValueError):
        naive.apply_sub_policy(ROW, TWO, [(0.5, False)])


def test_what_randaugment_drew_is_done_in_its_order():
    amounts = {"Brightness": 1.0, "TranslateX": 1.0, "Invert": 0.0}
    drawn = [("Invert", False), ("TranslateX", True), ("Brightness", True)]
    torch.testing.assert_close(naive.apply_drawn(ROW, drawn[:2], amounts), row(0.8, 0.6, 0.2, 0.0))
    torch.testing.assert_close(naive.apply_drawn(ROW, drawn, amounts), row(0.0, 0.0, 0.0, 0.0))
    torch.testing.assert_close(naive.apply_drawn(ROW, drawn[::-1], amounts), row(1.0, 1.0, 1.0, 1.0))
