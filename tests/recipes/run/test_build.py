"""The parts of a run: what is built is what the configuration says."""

import pytest
import torch

from dlbook.recipes.run.build import build
from tests.recipes.run.small_run import config


def test_equal_seeds_give_equal_runs_and_others_do_not(tmp_path):
    weights = []
    for number, seed in enumerate((1, 1, 2)):
        setup = build(config(tmp_path / str(number), f"seed={seed}", "augment.policy=shift"))
        setup.trainer.fit(4)
        weights.append(torch.cat([p.detach().flatten() for p in setup.method.parameters()]))
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.batch_size=121", "data.batch_size: expected at most 120"),
        ("trainer.accumulate=7", "trainer.accumulate: expected at most 6"),
        ("model.name=convnet_digit", "did you mean convnet_digits"),
        ("model.name=vgg16", "at least 32 pixels"),
    ],
)
def test_what_does_not_fit_together(tmp_path, override, message):
    with pytest.raises(ValueError, match=message):
        build(config(tmp_path, override)).trainer.fit(1)
