"""Random networks of the design spaces: members, small and of one price; a stopped record goes on."""

import itertools

import pytest

from dlbook.book.kept_runs import KeptRuns
from dlbook.models.regnet import Stage
from dlbook.nas.spaces.regnet import cost
from experiments import design_spaces as module
from experiments.design_spaces import DEPTH, MACS, SIDE, SPACES, WIDTH, results, small, text_of


def drawn(name, number=3):
    return list(itertools.islice(small(SPACES[name]), number))


def check_members(name):
    """Small, within the window of prices, and with the rules of the space."""
    for stages in drawn(name):
        assert len(stages) == 4
        assert all(stage.depth <= DEPTH and stage.width <= WIDTH for stage in stages)
        assert MACS[0] <= cost(stages, SIDE, 10, 1).macs <= MACS[1]
        widths, depths = [s.width for s in stages], [s.depth for s in stages]
        if name in ("B", "C", "D", "E", "D reversed", "RegNet"):
            assert len({s.bottleneck_ratio for s in stages}) == 1
        slack = 16 * stages[0].bottleneck_ratio  # widths are fitted to whole groups after they are drawn
        if name in ("D", "E", "RegNet"):
            assert all(a <= b + slack for a, b in itertools.pairwise(widths))
        if name == "D reversed":
            assert all(a + slack >= b for a, b in itertools.pairwise(widths))
        if name == "E":
            assert depths == sorted(depths)


@pytest.mark.parametrize("name", SPACES)
def test_networks_are_small_members_of_their_space(name):
    check_members(name)
    assert drawn(name, 2) == drawn(name, 2)


def test_the_members_of_another_space_are_noticed(monkeypatch):
    monkeypatch.setitem(SPACES, "E", SPACES["D reversed"])
    with pytest.raises(AssertionError):
        check_members("E")


def test_a_network_can_be_read_back_from_its_text():
    (stages,) = drawn("C", 1)
    assert tuple(Stage(*map(int, stage.split("x"))) for stage in text_of(stages).split()) == stages


def test_a_stopped_record_goes_on(tmp_path, monkeypatch):
    monkeypatch.setitem(module.RECIPE, "steps", 2)
    kept = KeptRuns(tmp_path / "runs.json")
    first = results(kept, ("A", "RegNet"), 1)
    assert len(first["again"]) == 1 and set(first["spaces"]) == {"A", "RegNet"}
    assert all(0 <= error <= 100 for each in first["spaces"].values() for error in each["errors"])
    monkeypatch.setattr(module, "error_of", lambda *_: pytest.fail("a run that is kept was trained again"))
    assert results(KeptRuns(kept.path), ("A", "RegNet"), 1) == first
