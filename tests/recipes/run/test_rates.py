"""The range test of a run is a training, whatever mode the network comes in; a seeded fault."""

import pytest

from dlbook.recipes.run import rates as module
from dlbook.recipes.run.build import build
from tests.recipes.run.small_run import config
from tests.seeded import edited


def check_range_test_trains(range_test, folder) -> None:
    """Also where the network comes in evaluation mode, as ImageNet's does."""
    setup, modes = build(config(folder, "data.limit=80", "data.batch_size=20")), []
    setup.method.eval()
    setup.method.model.register_forward_pre_hook(
        lambda model, inputs: modes.append({part.training for part in model.modules()})
    )
    range_test(setup, 1e-5, 1e-3, updates=3)
    assert modes == [{True}] * 3


def test_it_trains(tmp_path):
    check_range_test_trains(module.range_test, tmp_path)


@pytest.mark.parametrize("mode", ["", ".eval()"], ids=["the mode stays", "evaluation mode"])
def test_the_check_sees_a_wrong_mode(mode, tmp_path):
    broken = edited(module, "setup.method.train(),", f"setup.method{mode},")
    with pytest.raises(AssertionError):
        check_range_test_trains(broken["range_test"], tmp_path)


def test_a_bar_is_shown_where_it_is_asked_for(tmp_path, capsys):
    setup = build(config(tmp_path, "data.limit=80", "data.batch_size=20"))
    assert len(module.range_test(setup, updates=2).rates) == 2 and capsys.readouterr().err == ""
    module.range_test(setup, updates=2, progress=True)
    assert "step/s" in capsys.readouterr().err


def check_batches(range_test, folder) -> None:
    """One batch after another from the first, as a training has them; at the rates that were asked for."""
    setup, asked = build(config(folder, "data.limit=80", "data.batch_size=20")), []
    batches = setup.trainer.batches
    setup.trainer.batches = lambda number: asked.append(number) or batches(number)
    found = range_test(setup, 1e-5, 1e-3, updates=3)
    assert asked == [0, 1, 2]
    assert found.rates.tolist() == pytest.approx([1e-5, 1e-4, 1e-3])


BATCH_FAULTS = {
    "one batch": ("trainer.batches(number) for", "trainer.batches(0) for"),
    "one update less": ("            updates,\n", "            updates - 1,\n"),
    "its own rates": ("            low,\n            high,\n", ""),
}


def test_it_asks_for_one_batch_after_another(tmp_path):
    check_batches(module.range_test, tmp_path)


@pytest.mark.parametrize("fault", BATCH_FAULTS)
def test_the_check_sees_other_batches(fault, tmp_path):
    with pytest.raises((AssertionError, ValueError)):
        check_batches(edited(module, *BATCH_FAULTS[fault])["range_test"], tmp_path)
