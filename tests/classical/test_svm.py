"""The linear SVM against liblinear and a general solver, its optimality conditions, and seeded faults."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from sklearn.svm import LinearSVC

from dlbook.classical import svm as module
from dlbook.classical.svm import LinearSVM
from tests.seeded import check_sees

COSTS = (0.05, 2.0)


def clouds(count=90, dim=5, classes=3, seed=0):
    """Clouds that overlap, so that some shares lie at the cost and some between, with unequal lengths."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (count,), generator=generator)
    middles = torch.randn(classes, dim, generator=generator, dtype=torch.float64)
    return middles[labels] + 0.8 * torch.randn(count, dim, generator=generator, dtype=torch.float64), labels


def check_liblinear(fit) -> None:
    for cost in COSTS:
        features, labels = clouds()
        found = fit(features, labels, cost, tolerance=1e-11, looks=20000)
        theirs = LinearSVC(loss="hinge", C=cost, tol=1e-10, max_iter=2_000_000).fit(
            features.numpy(), labels.numpy()
        )
        assert np.abs(found.weights.numpy() - theirs.coef_).max() < 1e-6, cost
        assert np.abs(found.biases.numpy() - theirs.intercept_).max() < 1e-6, cost
        theirs_held = LinearSVM(*(torch.from_numpy(each) for each in (theirs.coef_, theirs.intercept_)), None)
        ours, other = (module.primal(each, features, labels, cost) for each in (found, theirs_held))
        assert torch.allclose(ours, other, rtol=1e-9), cost
        assert (found.predict(features).numpy() == theirs.predict(features.numpy())).all()


def test_it_equals_liblinear():
    check_liblinear(module.fit)


def check_general_solver(fit) -> None:
    """The dual handed to a solver that knows boxes and no support vector machines: L-BFGS-B."""
    features, labels = clouds(count=40, classes=2)
    found, signs = fit(features, labels, 0.5, tolerance=1e-12, looks=20000), (labels * 2 - 1).double()
    lifted = torch.nn.functional.pad(features, (0, 1), value=1) * signs[:, None]
    form = (lifted @ lifted.T).numpy()
    solved = minimize(
        lambda a: (a @ form @ a / 2 - a.sum(), form @ a - 1),
        np.zeros(40),
        jac=True,
        bounds=[(0, 0.5)] * 40,
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 10000},
    )
    assert module.dual(found)[1].item() == pytest.approx(-solved.fun, rel=1e-8)
    weights = torch.from_numpy(solved.x) @ lifted
    assert torch.allclose(found.weights[1], weights[:-1], atol=1e-5)
    assert found.biases[1].item() == pytest.approx(weights[-1].item(), abs=1e-5)


def test_it_equals_a_general_solver():
    check_general_solver(module.fit)


def check_optimum(fit) -> None:
    """The KKT conditions, the weights as the sum of the support vectors, and the gap between the problems."""
    for cost in COSTS:
        features, labels = clouds(seed=1)
        found = fit(features, labels, cost, tolerance=1e-11, looks=20000)
        signs = torch.nn.functional.one_hot(labels).double() * 2 - 1
        margins, shares = signs * found.scores(features), found.shares
        assert shares.min() >= 0 and shares.max() <= cost
        free = (shares > 1e-9) & (shares < cost - 1e-9)
        assert free.any() and (margins[free] - 1).abs().max() < 1e-5
        assert (margins[shares <= 1e-9] >= 1 - 1e-5).all() and (
            margins[shares >= cost - 1e-9] <= 1 + 1e-5
        ).all()
        assert torch.allclose((signs * shares).T @ features, found.weights, atol=1e-10)
        assert torch.allclose((signs * shares).sum(0), found.biases, atol=1e-10)
        upper, lower = module.primal(found, features, labels, cost), module.dual(found)
        assert ((upper - lower) / upper).max() < 1e-10 and ((upper - lower) / upper).min() > -1e-12


def test_the_optimum_is_one():
    check_optimum(module.fit)


def check_gap(fit) -> None:
    """A loose machine is no further from the optimum than its gap says, in either problem."""
    features, labels = clouds(seed=2)
    best = module.primal(module.fit(features, labels, tolerance=1e-12, looks=20000), features, labels)
    for tolerance in (0.3, 0.03, 1e-3):
        found = fit(features, labels, tolerance=tolerance)
        upper, lower = module.primal(found, features, labels), module.dual(found)
        assert (upper - lower <= tolerance * upper + 1e-12).all()
        assert (lower <= best + 1e-9).all() and (best <= upper + 1e-9).all()


def test_the_gap_bounds_what_is_missing():
    check_gap(module.fit)


def test_two_points_by_hand():
    """Points at 1 and -1: w = 1 and b = 0 meet both margins; with a cost of 0.1 each share stops there."""
    features, labels = torch.tensor([[1.0], [-1.0]]), torch.tensor([1, 0])
    found = module.fit(features, labels, tolerance=1e-12)
    assert found.weights[1].item() == pytest.approx(1) and found.biases[1].item() == pytest.approx(
        0, abs=1e-9
    )
    assert found.shares[:, 1].tolist() == pytest.approx([0.5, 0.5])
    found = module.fit(features, labels, cost=0.1, tolerance=1e-12)
    assert found.shares[:, 1].tolist() == pytest.approx([0.1, 0.1])
    assert found.weights[1].item() == pytest.approx(0.2)
    assert module.primal(found, features, labels, 0.1)[1].item() == pytest.approx(0.02 + 0.1 * 2 * 0.8)


def test_the_two_machines_of_two_classes_are_opposite():
    features, labels = clouds(classes=2, seed=3)
    found = module.fit(features, labels, tolerance=1e-11, looks=20000)
    assert torch.allclose(found.weights[0], -found.weights[1], atol=1e-6)


def test_the_slope_in_the_box():
    slopes = torch.tensor([[-1.0, 2.0], [-1.0, 2.0], [-1.0, 2.0]])
    shares = torch.tensor([[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]])
    assert module.slope_in_the_box(slopes, shares, 1.0).tolist() == [[-1, 0], [-1, 2], [0, 2]]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: module.fit(torch.zeros(3), torch.zeros(3).long()), r"expected features \[N, D\]"),
        (lambda: module.fit(torch.zeros(3, 2), torch.zeros(4).long()), "expected labels as int64"),
        (lambda: module.fit(torch.zeros(3, 2), torch.zeros(3)), "expected labels as int64"),
        (lambda: module.fit(torch.zeros(3, 2), torch.full((3,), -1)), "expected labels as int64"),
        (lambda: module.fit(torch.zeros(3, 2), torch.zeros(3).long(), cost=0.0), "expected cost"),
        (lambda: module.fit(*clouds(), tolerance=0.0), "expected tolerance"),
        (lambda: module.fit(*clouds(), looks=0), "expected looks"),
        (lambda: module.fit(*clouds(), tolerance=1e-9, looks=2), "expected a gap of at most 1e-09"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


EITHER = (AssertionError, ValueError)  # a walk that never ends near the optimum says so itself
FAULTS = {
    "a bias that is penalised less": (
        check_general_solver,
        "fit",
        "(0, 1), value=1)",
        "(0, 1), value=2)",
        AssertionError,
    ),
    "no upper end": (check_optimum, "fit", ".clamp(0, cost)", ".clamp(0)", EITHER),
    "half a step of the weights": (
        check_optimum,
        "fit",
        "* y[step])[:, None]",
        "* y[step])[:, None] / 2",
        EITHER,
    ),
    "no sign on the step": (
        check_liblinear,
        "fit",
        "(new[step] - old[step]) * y[step]",
        "(new[step] - old[step])",
        EITHER,
    ),
    "no bias": (check_liblinear, "fit", "(0, 1), value=1)", "(0, 1), value=0)", AssertionError),
    "the weights' energy whole": (
        check_gap,
        "fit",
        "energy = weights.square().sum(1) / 2\n",
        "energy = weights.square().sum(1)\n",
        EITHER,
    ),
    "one machine is enough": (
        check_gap,
        "fit",
        "<= tolerance).all()",
        "<= tolerance).any()",
        AssertionError,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, name, old, new, error = FAULTS[fault]
    check_sees(check, module, name, old, new, error)
