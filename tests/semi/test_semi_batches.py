"""The batches are a pure function of their number, walk through everything, and never give away a hidden
label.
"""

import pytest
import torch

from dlbook.recipes.semi import Recipe, SemiBatches, train


def make(seed=0, sizes=(4, 7), labels=None):
    images = torch.rand(30, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(30) % 10 if labels is None else labels
    return SemiBatches(images, labels, torch.arange(10), sizes, seed)


def test_a_batch_is_a_pure_function_of_seed_and_number():
    one, other = make(), make()
    for number in (9, 0, 5, 9, 100):
        late, early = one(number), other(number)
        assert late.keys() == early.keys() and all(torch.equal(late[name], early[name]) for name in late)
    assert not torch.equal(make(seed=1)(0)["indices"], make(seed=0)(0)["indices"])


def test_each_pass_meets_every_image_once_in_a_new_order():
    batches = make(sizes=(4, 7))
    walk = torch.cat([batches(number)["indices"] for number in range(60)])[: 30 * 14].reshape(14, 30)
    assert all(sorted(turn.tolist()) == list(range(30)) for turn in walk)
    assert len({tuple(turn.tolist()) for turn in walk}) == 14


def test_labels_belong_to_the_labelled_images_and_views_to_the_indices():
    batches = SemiBatches(
        torch.arange(30.0).reshape(30, 1, 1, 1),
        torch.arange(30) % 10,
        torch.arange(10),
        (4, 7),
        0,
        views={"same": lambda images, generator: images},
        labelled_view=lambda images, generator: images,
    )
    for number in range(20):
        batch = batches(number)
        assert torch.equal(batch["labelled"].flatten().long() % 10, batch["labels"])
        assert torch.equal(batch["same"].flatten().long(), batch["indices"])


def test_hidden_labels_cannot_be_seen():
    """Changing every label outside the labelled ones changes no batch."""
    known = torch.arange(30) % 10
    spoiled = known.clone()
    spoiled[10:] = 99
    for number in range(10):
        one, other = make(labels=known)(number), make(labels=spoiled)(number)
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_weak_and_strong_have_random_numbers_of_their_own():
    batches = SemiBatches(
        torch.zeros(30, 1, 1, 1),
        torch.zeros(30, dtype=torch.int64),
        torch.arange(4),
        (4, 7),
        0,
        views={name: lambda images, generator: torch.rand(3, generator=generator) for name in "ab"},
    )
    seen = [batches(number)[name] for number in range(5) for name in "ab"]
    assert len({tuple(values.tolist()) for values in seen}) == 10


def test_a_batch_larger_than_the_pool():
    assert make(sizes=(25, 70))(3)["labelled"].shape[0] == 25


def test_bad_sizes():
    with pytest.raises(ValueError, match="positive"):
        make(sizes=(0, 4))


def test_the_last_look_is_at_the_end():
    with pytest.raises(ValueError, match="divisor of 600"):
        train(None, Recipe(steps=600), (None, None), every=70)
