"""The mode in which a command runs its network; `test_train` types the commands and gets them wrong."""

import pytest

from dlbook.cli import train as module
from dlbook.recipes.run import build as building
from tests.oracles.seeded import edited

TINY = ["data.limit=80", "data.batch_size=20", "trainer.device=cpu"]


def check_range_test_trains(lr_find, monkeypatch) -> None:
    """The range test is a training, also where the network comes in evaluation mode, as ImageNet's does."""
    build, modes = building.build, []

    def build_in_evaluation(config):
        setup = build(config)
        setup.method.eval()
        setup.method.model.register_forward_pre_hook(
            lambda model, inputs: modes.append({part.training for part in model.modules()})
        )
        return setup

    with monkeypatch.context() as patch:
        patch.setattr(building, "build", build_in_evaluation)
        lr_find("digits", TINY, updates=3, low=1e-5, high=1e-3, plot=None)
    assert modes == [{True}] * 3


def test_lr_find_trains(monkeypatch):
    check_range_test_trains(module.lr_find, monkeypatch)


@pytest.mark.parametrize("mode", ["", ".eval()"], ids=["the mode stays", "evaluation mode"])
def test_the_check_sees_a_wrong_mode(mode, monkeypatch):
    broken = edited(module, "setup.method.train(),", f"setup.method{mode},")
    with pytest.raises(AssertionError):
        check_range_test_trains(broken["lr_find"], monkeypatch)
