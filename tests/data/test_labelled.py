"""In-memory sets and the choice of labels.

Seeded faults that the checks must catch: a choice that is not stratified, with repetition, deaf to its seed,
    not nested.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from dlbook.data import LabelledImages, labelled_indices, mnist5k

SETS = st.lists(st.integers(0, 4), min_size=1, max_size=60).map(torch.tensor)


def check_choice(choose, labels, per_class, seed):
    """All that `labelled_indices` promises, from the definition."""
    chosen = choose(labels, per_class, seed)
    classes = sorted(set(labels.tolist()))
    assert chosen.dtype == torch.int64
    assert labels[chosen].tolist() == [label for label in classes for _ in range(per_class)], (
        "not stratified, class by class"
    )
    assert len(set(chosen.tolist())) == len(chosen), "repeated"
    assert chosen.tolist() == choose(labels, per_class, seed).tolist(), "not determined by the seed"
    for fewer in range(1, per_class):
        assert set(choose(labels, fewer, seed).tolist()) <= set(chosen.tolist()), "not nested"


def check_seed(choose):
    labels = mnist5k("train").labels
    choices = {tuple(choose(labels, 4, seed).tolist()) for seed in range(5)}
    assert len(choices) == 5, "the seed changes nothing"


@settings(max_examples=60)
@given(labels=SETS, seed=st.integers(0, 2**31), data=st.data())
def test_choice(labels, seed, data):
    smallest = int(torch.bincount(labels)[labels.unique()].min())
    check_choice(labelled_indices, labels, data.draw(st.integers(1, smallest)), seed)


def test_choice_depends_on_the_seed():
    check_seed(labelled_indices)


def check_classes_are_unrelated(choose):
    """Classes of equal size that lie one after the other: their members are not chosen at equal places."""
    labels = torch.arange(5).repeat_interleave(40)
    equal = 0
    for seed in range(20):
        places = choose(labels, 3, seed).reshape(5, 3) % 40
        equal += sum((places[a] == places[b]).all() for a in range(5) for b in range(a))
    assert equal == 0  # by chance: 200 pairs, each equal once in 59,280 times


def check_generator(choose):
    """torch's own generator is neither asked nor moved."""
    labels, state = torch.arange(4).repeat(9), torch.get_rng_state()
    first = choose(labels, 3, 0)
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(99)
    assert torch.equal(first, choose(labels, 3, 0))
    torch.set_rng_state(state)


def test_choice_has_its_own_generator_and_each_class_its_own_draws():
    check_classes_are_unrelated(labelled_indices)
    check_generator(labelled_indices)


def seeded_for_each_class(labels, per_class, seed):
    members = [(labels == label).nonzero().flatten() for label in labels.unique()]
    draw = lambda part: torch.randperm(len(part), generator=torch.Generator().manual_seed(seed))
    return torch.cat([part[draw(part)[:per_class]] for part in members])


def seeds_torch(labels, per_class, seed):
    torch.manual_seed(seed)
    return global_state(labels, per_class, seed)


@pytest.mark.parametrize(
    ("fault", "check"),
    [(seeded_for_each_class, check_classes_are_unrelated), (seeds_torch, check_generator)],
)
def test_a_wrong_generator_is_caught(fault, check):
    with pytest.raises(AssertionError):
        check(fault)


def not_stratified(labels, per_class, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(len(labels), generator=generator)[: per_class * len(labels.unique())]


def with_repetition(labels, per_class, seed):
    generator = torch.Generator().manual_seed(seed)
    members = [(labels == label).nonzero().flatten() for label in labels.unique()]
    return torch.cat([part[torch.randint(len(part), (per_class,), generator=generator)] for part in members])


def deaf_to_the_seed(labels, per_class, seed):
    return labelled_indices(labels, per_class, 0)


def not_nested(labels, per_class, seed):
    return labelled_indices(labels, per_class, seed + per_class)


def global_state(labels, per_class, seed):
    members = [(labels == label).nonzero().flatten() for label in labels.unique()]
    return torch.cat([part[torch.randperm(len(part))[:per_class]] for part in members])


@pytest.mark.parametrize(
    "fault", [not_stratified, with_repetition, deaf_to_the_seed, not_nested, global_state]
)
def test_seeded_choice_fault_is_caught(fault):
    with pytest.raises(AssertionError):
        check_seed(fault)
        check_choice(fault, mnist5k("train").labels, 25, 3)


def test_choice_is_fair():
    """Each of 10 members of a class is chosen about equally often: 4 of 10, 2,000 times; six standard
    deviations.
    """
    counts = torch.zeros(10)
    for seed in range(2000):
        counts[labelled_indices(torch.zeros(10, dtype=torch.long), 4, seed)] += 1
    assert ((counts - 800).abs() < 6 * (2000 * 0.4 * 0.6) ** 0.5).all()


@pytest.mark.parametrize(
    "labels, per_class, message",
    [
        ([0, 1], 2, "at most 1, the examples of class 0, got 2"),
        ([0, 1], 0, "expected per_class to be at least 1"),
        ([], 1, "N >= 1"),
        ([0.5], 1, "expected integers"),
        ([[0]], 1, "expected integers"),
        ([True, False], 1, r"expected integers \[N\] with N >= 1, got bool \[2\]"),
    ],
)
def test_choice_refuses(labels, per_class, message):
    with pytest.raises(ValueError, match=message):
        labelled_indices(torch.tensor(labels), per_class)


def small():
    return LabelledImages(
        torch.rand(6, 3, 4, 4), torch.tensor([0, 1, 0, 1, 0, 1]), ("a", "b"), {"x": torch.arange(6.0)}
    )


def test_indexing_subset_and_loader():
    data = small()
    image, label = data[2]
    assert image.shape == (3, 4, 4) and label.shape == () and label == 0
    images, labels = data[torch.tensor([1, 3])]
    assert images.shape == (2, 3, 4, 4) and labels.tolist() == [1, 1]
    for indices in ([5, 0], torch.tensor([5, 0]), range(5, -1, -5)):
        part = data.subset(indices)
        assert (
            part.labels.tolist() == [1, 0]
            and part.factors["x"].tolist() == [5, 0]
            and part.classes == data.classes
        )
        assert torch.equal(part.images[0], data.images[5])
    assert len(data.subset(data.labels == 1)) == 3
    with pytest.raises(
        ValueError, match=r"expected a mask of 6 values, one an image, got \[2\]; give one for"
    ):
        data.subset([True, False])
    assert data.counts() == {"a": 3, "b": 3} and data.subset([]).counts() == {"a": 0, "b": 0}
    batches = list(DataLoader(data, batch_size=4))
    assert torch.equal(batches[0][0], data.images[:4]) and batches[1][1].dtype == torch.int64


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"images": torch.zeros(6, 3, 4, 4, dtype=torch.uint8)},
            r"images: expected float32 \[N, C, H, W\], got uint8 \[6, 3, 4, 4\]",
        ),
        ({"images": torch.zeros(6, 4, 4)}, "images: expected"),
        ({"labels": torch.zeros(5, dtype=torch.long)}, r"labels: expected int64 \[6\]"),
        ({"labels": torch.zeros(6)}, "labels: expected int64"),
        ({"labels": torch.full((6,), 2)}, "from 0 to 1 for 2 classes, got 2 to 2"),
        ({"factors": {"x": torch.zeros(5)}}, "expected 6 values, one an image, got 5"),
    ],
)
def test_construction_refuses(change, message):
    data = small()
    fields = {
        "images": data.images,
        "labels": data.labels,
        "classes": data.classes,
        "factors": data.factors,
    } | change
    with pytest.raises(ValueError, match=message):
        LabelledImages(**fields)
