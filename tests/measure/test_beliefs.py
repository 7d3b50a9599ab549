"""Beliefs against plain loops over the images, and their faults."""

import math

import pytest
import torch

from dlbook.measure.beliefs import Beliefs, class_ring, places_on_ring

SEEDS, LOOKS, IMAGES, THRESHOLD = 2, 3, 40, 0.6


@pytest.fixture
def beliefs():
    draw = torch.Generator().manual_seed(0)
    probs = (3 * torch.randn(SEEDS, LOOKS, IMAGES, 4, generator=draw)).softmax(-1)
    return Beliefs(*probs.max(-1), torch.randint(4, (IMAGES,), generator=draw))


def images(beliefs, seed, look):
    """(confidence, guess, label) of each image."""
    return list(
        zip(
            beliefs.confidence[seed, look].tolist(),
            beliefs.guesses[seed, look].tolist(),
            beliefs.truth.tolist(),
        )
    )


def mean(values):
    return 100 * sum(values) / len(values)


# what is measured -> a loop over (confidence, guess, label). Faults tried: > for >=, the share of all images
# for the share of those that pass, the right guesses for the wrong ones.
LOOPS = {
    "right": lambda seen: mean([g == y for _, g, y in seen]),
    "sure": lambda seen: mean([c for c, _, _ in seen]),
    "sure_of_wrong": lambda seen: mean([c for c, g, y in seen if g != y]),
    "mask_rate": lambda seen: mean([c >= THRESHOLD for c, _, _ in seen]),
    "precision": lambda seen: mean([g == y for c, g, y in seen if c >= THRESHOLD]),
    "promised": lambda seen: mean([c for c, _, _ in seen if c >= THRESHOLD]),
    "confident_mistakes": lambda seen: mean([g != y and c >= THRESHOLD for c, g, y in seen]),
    "sure_share_of_mistakes": lambda seen: mean([c >= THRESHOLD for c, g, y in seen if g != y]),
}


@pytest.mark.parametrize("name", LOOPS)
def test_each_measure_is_the_loop(beliefs, name):
    takes_threshold = name not in ("right", "sure", "sure_of_wrong")
    found = getattr(beliefs, name)(*[THRESHOLD] * takes_threshold)
    assert found.shape == (SEEDS, LOOKS)
    for seed in range(SEEDS):
        for look in range(LOOKS):
            assert math.isclose(found[seed, look], LOOPS[name](images(beliefs, seed, look)), rel_tol=1e-6)


def test_a_confidence_at_the_threshold_passes():
    found = Beliefs(torch.tensor([0.5]), torch.tensor([1]), torch.tensor([0]))
    assert found.mask_rate(0.5) == found.confident_mistakes(0.5) == 100
    assert found.promised(0.5) == 50


def test_kept_mistakes_counts_the_same_wrong_class(beliefs):
    found = beliefs.kept_mistakes(0, -1)
    for seed in range(SEEDS):
        pairs = zip(images(beliefs, seed, 0), images(beliefs, seed, -1))
        assert math.isclose(found[seed], mean([a[1] == b[1] for a, b in pairs if a[1] != a[2]]), rel_tol=1e-6)


def test_corrected_mistakes_counts_what_ends_right(beliefs):
    found = beliefs.corrected_mistakes(0, -1)
    for seed in range(SEEDS):
        pairs = zip(images(beliefs, seed, 0), images(beliefs, seed, -1))
        assert math.isclose(found[seed], mean([b[1] == b[2] for a, b in pairs if a[1] != a[2]]), rel_tol=1e-6)


def test_beliefs_of_probabilities():
    found = Beliefs.of(torch.tensor([[0.1, 0.9], [0.6, 0.4]]), torch.tensor([1, 1]))
    assert found.guesses.tolist() == [1, 0] and found.confidence.tolist() == pytest.approx([0.9, 0.6])


def test_places_on_the_ring_are_sums_over_the_classes():
    probs = torch.rand(5, 4).softmax(-1)
    for row, place in zip(probs.tolist(), places_on_ring(probs).tolist()):
        pulls = [p**0.5 for p in row]  # fault tried: the probability itself
        sines = [math.sin(2 * math.pi * k / 4) for k in range(4)]
        across = sum(pull * sine for pull, sine in zip(pulls, sines)) / sum(pulls)
        assert math.isclose(place[0], across, abs_tol=1e-6)
    assert torch.allclose(places_on_ring(torch.eye(4)), class_ring(4))
    assert places_on_ring(torch.full((1, 4), 0.25)).abs().max() < 1e-12


def test_nothing_passes_or_is_wrong_gives_nan():
    found = Beliefs(torch.tensor([0.5]), torch.tensor([0]), torch.tensor([0]))
    assert all(v.isnan() for v in (found.precision(0.9), found.promised(0.9), found.sure_of_wrong()))


def test_shapes_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match=r"truth \[N\], got .*; probs"):
        Beliefs(torch.ones(2, 3), torch.ones(2, 3), torch.ones(2))
