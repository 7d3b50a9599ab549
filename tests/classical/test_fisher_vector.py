"""Fisher vectors against scikit-image's, against autograd, by statistics, and with seeded faults."""

import numpy as np
import pytest
import torch
from skimage.feature import fisher_vector as skimage_fisher
from sklearn.mixture import GaussianMixture
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from dlbook.classical import fisher_vector as module
from tests.seeded import check_sees


def mixture(k=3, d=4, seed=0, apart=1.0):
    """Weights, means and variances, all unequal."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand(k, generator=generator, dtype=torch.float64) + 0.2
    means = apart * torch.randn(k, d, generator=generator, dtype=torch.float64)
    return weights / weights.sum(), means, torch.rand(k, d, generator=generator, dtype=torch.float64) + 0.3


def descriptors(b=5, n=7, d=4, seed=1):
    return torch.randn(b, n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def held_by_sklearn(weights, means, variances):
    model = GaussianMixture(len(weights), covariance_type="diag")
    model.weights_, model.means_, model.covariances_ = (each.numpy() for each in (weights, means, variances))
    model.precisions_cholesky_ = 1 / np.sqrt(model.covariances_)
    return model


def with_our_sign(theirs, k, d):
    """scikit-image's numbers by widths have the opposite sign of the gradient."""
    theirs = torch.from_numpy(np.stack(theirs))
    return torch.cat([theirs[:, : k + k * d], -theirs[:, k + k * d :]], 1)


def check_skimage(fisher_vectors) -> None:
    for k, d in ((3, 4), (5, 2), (1, 3)):
        given, model = descriptors(d=d), mixture(k, d)
        held = held_by_sklearn(*model)
        theirs = [skimage_fisher(each.numpy(), held) for each in given]
        found = fisher_vectors(given, *model)
        assert found.shape == (5, k + 2 * k * d)
        assert torch.allclose(found, with_our_sign(theirs, k, d), rtol=1e-10, atol=1e-12), (k, d)


def test_it_equals_scikit_image():
    check_skimage(module.fisher_vectors)


def check_improved(improve) -> None:
    given, model = descriptors(), mixture()
    theirs = [skimage_fisher(each.numpy(), held_by_sklearn(*model), improved=True) for each in given]
    found = improve(module.fisher_vectors(given, *model))
    assert torch.allclose(found, with_our_sign(theirs, 3, 4), rtol=1e-9, atol=1e-12)


def test_improved_vectors_equal_scikit_image():
    check_improved(module.improve)


def check_autograd(fisher_vectors) -> None:
    """The mean log likelihood's gradient by logits, means and widths, over the information's root."""
    given, (weights, means, variances) = descriptors(b=2), mixture()
    for picture, found in zip(given, fisher_vectors(given, weights, means, variances), strict=True):
        logits, m, s = (each.clone().requires_grad_() for each in (weights.log(), means, variances.sqrt()))
        model = MixtureSameFamily(Categorical(logits=logits), Independent(Normal(m, s), 1))
        model.log_prob(picture).mean().backward()
        root = weights.sqrt()
        pieces = [
            logits.grad / root,
            (m.grad * s.detach() / root[:, None]).flatten(),
            (m.new_tensor(0.5).sqrt() * s.grad * s.detach() / root[:, None]).flatten(),
        ]
        assert torch.allclose(found, torch.cat(pieces), rtol=1e-10, atol=1e-12)


def test_it_is_the_gradient_of_the_log_likelihood():
    check_autograd(module.fisher_vectors)


def check_posteriors(posteriors) -> None:
    given, model = descriptors(), mixture()
    theirs = held_by_sklearn(*model).predict_proba(given.flatten(0, 1).numpy())
    assert torch.allclose(posteriors(given, *model).flatten(0, 1), torch.from_numpy(theirs), atol=1e-13)


def test_posteriors_equal_scikit_learn():
    check_posteriors(module.posteriors)


def check_information(fisher_vectors) -> None:
    """On draws from the mixture the mean is 0; where Gaussians lie apart, all variances are 1 but by weights.

    The numbers by weights sum to 0 after a factor sqrt(w), so their covariance is 1 - sqrt(w) sqrt(w)'.
    """
    torch.manual_seed(0)
    weights, _, variances = mixture(k=2, d=2)
    means = torch.tensor([[-20.0, 0.0], [20.0, 5.0]], dtype=torch.float64)
    model = MixtureSameFamily(Categorical(weights), Independent(Normal(means, variances.sqrt()), 1))
    each = fisher_vectors(model.sample((40_000, 1)), weights, means, variances)
    expected = torch.eye(10, dtype=torch.float64)
    expected[:2, :2] -= weights.sqrt().outer(weights.sqrt())
    # Five standard errors: of a mean of variance 1, and of a square of variance below 20.
    assert each.mean(0).abs().max() < 5 / 200
    assert (each.T @ each / 40_000 - expected).abs().max() < 5 * 20**0.5 / 200


def test_the_information_is_divided_out():
    check_information(module.fisher_vectors)


def test_the_order_of_descriptors_and_their_repetition_change_nothing():
    given, model = descriptors(), mixture()
    found = module.fisher_vectors(given, *model)
    assert torch.allclose(module.fisher_vectors(given.flip(1), *model), found)
    assert torch.allclose(module.fisher_vectors(given.repeat(1, 3, 1), *model), found)


def test_single_precision_is_near_and_far_descriptors_do_no_harm():
    given, model = descriptors(), mixture()
    single = module.fisher_vectors(given.float(), *model)
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), module.fisher_vectors(given, *model), atol=1e-4)
    assert torch.isfinite(module.fisher_vectors(given * 1e4, *model)).all()


def check_far_from_zero(build) -> None:
    """Single precision keeps its digits where the data lie far from zero: the same numbers as in float64."""
    given, (weights, means, variances) = descriptors() + 1e3, mixture()
    single = [each.float() for each in (given, weights, means + 1e3, variances)]
    exact = build(
        *(each.double() for each in single)
    )  # of the numbers that float32 has: all else is our error
    assert (build(*single).double() - exact).abs().max() < 1e-5


@pytest.mark.parametrize("name", ["posteriors", "fisher_vectors"])
def test_single_precision_keeps_its_digits_far_from_zero(name):
    check_far_from_zero(getattr(module, name))


def test_the_mixture_is_checked_once(monkeypatch):
    calls, check = [], module._mixture
    monkeypatch.setattr(module, "_mixture", lambda *given: calls.append(given) or check(*given))
    module.fisher_vectors(descriptors(), *mixture())
    assert len(calls) == 1


def test_improved_vectors_have_length_one_and_keep_their_signs():
    vectors = torch.tensor([[-4.0, 9.0], [0.0, 0.0]])
    found = module.improve(vectors)
    assert torch.allclose(found[0], torch.tensor([-2.0, 3.0]) / 13**0.5) and not found[1].any()


@pytest.mark.parametrize(
    "change, message",
    [
        ({0: descriptors()[0]}, "expected descriptors of shape"),
        ({1: torch.ones(2, 2)}, "expected weights of shape"),
        ({2: torch.ones(3, 5)}, "expected means of shape"),
        ({3: torch.ones(2, 4)}, "expected variances of shape"),
        ({3: torch.zeros(3, 4)}, "expected variances above 0"),
        ({1: torch.tensor([0.5, 0.5, 0.0])}, "expected weights above 0"),
    ],
)
def test_bad_arguments(change, message):
    arguments = [change.get(place, each) for place, each in enumerate([descriptors(), *mixture()])]
    with pytest.raises(ValueError, match=message):
        module.fisher_vectors(*arguments)


EACH = "(descriptors - mean) / variance.sqrt()"
SQUARES = "[u.square().sum(2) for u in standardised(descriptors, means, variances)]"
MULTIPLIED_OUT = """[((descriptors**2 - 2 * descriptors * m + m**2) / v).sum(2)
    for m, v in zip(means, variances, strict=True)]"""
SPREAD = "(u.square() - 1)"
SPREAD_MULTIPLIED_OUT = """((descriptors**2 - 2 * descriptors * means[k] + means[k] ** 2)
    / variances[k] - 1)"""
FAULTS = {
    "no half of the log": (
        check_posteriors,
        "posteriors",
        "variances.log().sum(1) / 2",
        "variances.log().sum(1)",
    ),
    "no weights": (check_posteriors, "posteriors", "weights.log() - ", "-"),
    "no square root of the weights": (
        check_skimage,
        "fisher_vectors",
        "pull @ u / weights[k].sqrt()",
        "pull @ u / weights[k]",
    ),
    "the sign of scikit-image": (check_autograd, "fisher_vectors", SPREAD, "(1 - u.square())"),
    "no root of two": (check_information, "fisher_vectors", "(2 * weights[k])", "weights[k]"),
    "a sum for a mean": (check_autograd, "fisher_vectors", " / descriptors.shape[1]", ""),
    "the widths squared": (check_information, "fisher_vectors", EACH, "(descriptors - mean) / variance"),
    "the weights not subtracted": (check_skimage, "fisher_vectors", "(mass - weights)", "(mass)"),
    "means after widths": (check_skimage, "fisher_vectors", "*by_means, *by_widths", "*by_widths, *by_means"),
    "the sign is lost": (check_improved, "improve", "vectors.sign() * ", ""),
    "length before root": (check_improved, "improve", "vectors.abs().sqrt()", "vectors.abs()"),
    "distances multiplied out": (check_far_from_zero, "posteriors", SQUARES, MULTIPLIED_OUT),
    "widths multiplied out": (check_far_from_zero, "fisher_vectors", SPREAD, SPREAD_MULTIPLIED_OUT),
    "divided, then subtracted": (
        check_far_from_zero,
        "posteriors",
        EACH,
        "descriptors / variance.sqrt() - mean / variance.sqrt()",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, name, old, new = FAULTS[fault]
    check_sees(check, module, name, old, new)
