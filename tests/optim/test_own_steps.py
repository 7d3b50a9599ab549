"""Both forms of every optimizer, one by one and as lists: parameters at steps of their own, and momentum that
rests for a while.
"""

import functools

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import tests.optim.optim_checks as checks
from dlbook.optim import cycles, rmsprop
from tests.optim.test_base import EVERY, every, shapes_of
from tests.seeded import edited


def check_own_steps(make, shapes, present, momenta):
    """Both forms walk alike where each parameter has gradients in steps of its own, and momentum changes.

    present: for each step, whether each parameter has a gradient. momenta: of each step; None leaves it.
    """
    paths = []
    for foreach in (False, True):
        params = checks.parameters(shapes)
        optimizer = make(checks.two_groups(params), foreach=foreach)

        def gradients(params, step, optimizer=optimizer):
            checks.set_gradients(params, step)
            for param, there in zip(params, present[step], strict=True):
                param.grad = param.grad if there else None
            if momenta[step] is not None and {"momentum", "betas"} & optimizer.param_groups[0].keys():
                cycles.set_momentum(optimizer, momenta[step])

        paths.append(checks.run(optimizer, params, range(len(present)), gradients=gradients))
    checks.assert_close(*paths)


@every
@settings(max_examples=12)
@given(data=st.data())
def test_both_paths_agree_for_parameters_at_different_steps(name, data):
    steps, count = 6, len(shapes_of(name))
    rows = st.lists(st.booleans(), min_size=count, max_size=count)
    present = data.draw(st.lists(rows, min_size=steps, max_size=steps))
    momenta = data.draw(st.lists(st.sampled_from([None, 0.0, 0.5]), min_size=steps, max_size=steps))
    check_own_steps(EVERY[name], shapes_of(name), present, momenta)


LATE = [[step > 0 or number > 0 for number in range(len(checks.SHAPES))] for step in range(6)]


@pytest.mark.parametrize("name", ["rmsprop with momentum", "rmsprop_tf", "momentum", "nesterov", "polyak"])
def test_both_paths_agree_where_momentum_rests(name):
    """A parameter whose first gradient comes while momentum is 0 has no velocity, the others have one."""
    check_own_steps(EVERY[name], checks.SHAPES, LATE, [0.9, 0.0, 0.0, 0.9, 0.9, 0.0])


def test_the_check_sees_velocities_that_one_of_the_forms_lost():
    """What was wrong once: the list form forgot every velocity as soon as one parameter had none."""
    broken = edited(
        rmsprop,
        'found if group["momentum"] else None',
        'found if all("momentum_buffer" in state for state in states[1:2]) else None',
    )["RMSprop"]
    with pytest.raises((AssertionError, TypeError)):
        check_own_steps(
            functools.partial(broken, momentum=0.9), checks.SHAPES, LATE, [0.9, 0.0, 0.0, 0.9, 0.9, 0.0]
        )
