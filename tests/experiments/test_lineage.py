"""The lineage: every small row runs and stays within its budget, rates are chosen without the test pictures,
and a recording that was stopped ends as one that was not.
"""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlbook.book.kept_runs import KeptRuns
from dlbook.measure.costs import count
from experiments import lineage
from experiments.lineage import SWEEP_SEED, Lineage, best_rate
from experiments.networks import training
from experiments.networks.small_rows import ROWS, SmallRow
from experiments.networks.training import Data, Recipe

CLASSES = 20
OLD = {"linear": (0.2e6, 0.3e6), "mlp": (3e6, 3.5e6), "lenet5": (0.5e6, 0.8e6)}  # have what costs they have
TINY = Data(train=64, validation=40, test=48)
SHORT = Recipe(rates=(1e-3, 3e-3), widenings=1, epochs=1, batch_size=16)


def check_row(row, limits=(3e6, 6e6)):
    """Within its budget of MACs, logits of the right shape, a gradient in every parameter."""
    macs = count(lambda: row.fresh(CLASSES), (3, 64, 64)).macs
    assert limits[0] <= macs <= limits[1], macs
    torch.manual_seed(0)
    model = row.fresh(CLASSES)
    assert {m.momentum for m in model.modules() if isinstance(m, nn.BatchNorm2d)} <= {0.1}
    assert not [m for m in model.modules() if isinstance(m, nn.Dropout) and m.p > 0]
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, 0, 0.02)  # a head that begins at zero hands no gradient on
    logits = model(torch.rand(4, 3, 64, 64))
    assert logits.shape == (4, CLASSES)
    F.cross_entropy(logits, torch.arange(4)).backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


@pytest.mark.parametrize("name", ROWS)
def test_every_network_runs_within_its_budget(name):
    check_row(ROWS[name], OLD.get(name, (3e6, 6e6)))


class Deaf(nn.Module):
    """A network of which one layer is not used."""

    def __init__(self):
        super().__init__()
        self.conv, self.unused = nn.Conv2d(3, 32, 5, 1, 2), nn.Linear(2, 2)
        self.head = nn.Linear(32, CLASSES)

    def forward(self, images):
        return self.head(self.conv(images).mean(dim=(2, 3)))


@pytest.mark.parametrize(
    "build",
    [
        lambda k: Deaf(),
        lambda k: nn.Sequential(nn.Conv2d(3, k, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()),  # too cheap
        lambda k: nn.Sequential(nn.Conv2d(3, 32, 5, 1, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten()),  # classes
        lambda k: nn.Sequential(nn.Conv2d(3, k, 7), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5)),
    ],
)
def test_seeded_fault_in_a_row_is_caught(build):
    with pytest.raises(AssertionError):
        check_row(SmallRow("Wrong", "resnet", build, "wrong"), (3e6, 12e6))


def test_rows_stand_in_the_order_of_the_years():
    years = [row.year for row in ROWS.values()]
    assert years == sorted(years) and years[0] == 1958 and years[-1] == 2022


def timeless(results):
    """The results without what depends on the machine's speed."""
    networks = {
        name: {key: value for key, value in row.items() if not key.endswith("seconds")}
        for name, row in results["networks"].items()
    }
    return results | {"networks": networks}


def tiny(path):
    return Lineage(KeptRuns(path), ("linear", "lenet5"), TINY, SHORT, seeds=(0, 1))


def check_resumed(tmp_path, monkeypatch):
    """Stopped in the middle of its fourth run and of its eighth, then started again."""
    whole = tiny(tmp_path / "whole.json").results()
    trained = []

    def stopped(*given, train=training.train):
        trained.append(given)
        if len(trained) in (4, 9):
            raise KeyboardInterrupt
        return train(*given)

    monkeypatch.setattr(lineage, "train", stopped)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            tiny(tmp_path / "parts.json").results()
    assert timeless(tiny(tmp_path / "parts.json").results()) == timeless(whole)
    runs = [
        entry for entry in KeptRuns(tmp_path / "whole.json").runs.values() if "rate" in entry["definition"]
    ]
    assert len(trained) == len(runs) + 2  # nothing that was finished is computed again
    return whole


def test_a_stopped_recording_ends_as_one_that_was_not(tmp_path, monkeypatch):
    whole = check_resumed(tmp_path, monkeypatch)
    row = whole["networks"]["lenet5"]
    assert row["macs"] == 652_560 and row["year"] == 1998 and len(row["test_accuracy"]) == 2
    assert row["training_seconds"] > 0 and row["forward_seconds"] > 0
    assert row["test_accuracy"][0] * 48 / 100 == pytest.approx(
        round(row["test_accuracy"][0] * 48 / 100), abs=1e-3
    )


def test_seeded_fault_a_run_that_depends_on_the_earlier_ones_is_caught(tmp_path, monkeypatch):
    monkeypatch.setattr(training.torch, "manual_seed", lambda seed: None)
    torch.random.default_generator.manual_seed(0)
    with pytest.raises(AssertionError):
        check_resumed(tmp_path, monkeypatch)


VALIDATION = {3e-4: 30.0, 1e-3: 60.0, 3e-3: 50.0}  # per cent; 40 with any other rate
GRID = Recipe(rates=(3e-4, 1e-3, 3e-3))


def fake(asked, best=VALIDATION):
    """Instead of training: accuracies of a table, on the test pictures the best where it is not chosen."""

    def train(name, rate, seed, data, recipe, part):
        asked.append((name, rate, seed, part))
        accuracy = best.get(rate, 40.0)
        accuracy = accuracy if part == "validation" else 100 - accuracy
        return {"accuracy": accuracy, "loss": 1.0, "training_loss": 1.0, "steps": 1, "processor_seconds": 1.0}

    return train


def check_choice(tmp_path, monkeypatch, kind=Lineage):
    """Test pictures are asked about with the chosen rate alone, from seeds that chose nothing, once each."""
    asked = []
    monkeypatch.setattr(lineage, "train", fake(asked))
    found = kind(KeptRuns(tmp_path / "runs.json"), ("linear", "mlp"), TINY, GRID).results()
    for name in ("linear", "mlp"):
        assert found["networks"][name]["rate"] == 1e-3 and not found["networks"][name]["rate_at_edge"]
        assert found["networks"][name]["test_accuracy"] == [40.0, 40.0, 40.0]
        tests = [(rate, seed) for n, rate, seed, part in asked if n == name and part == "test"]
        assert tests == [(1e-3, seed) for seed in (0, 1, 2)]
        sweep = [(rate, seed) for n, rate, seed, part in asked if n == name and part == "validation"]
        assert sweep == [(rate, SWEEP_SEED) for rate in GRID.rates]
    assert asked.index(("mlp", 3e-3, SWEEP_SEED, "validation")) < asked.index(("linear", 1e-3, 0, "test"))


def test_the_rate_is_chosen_on_validation_pictures(tmp_path, monkeypatch):
    check_choice(tmp_path, monkeypatch)


class Peeking(Lineage):
    """Chooses by what the test pictures say."""

    def trained(self, name, rate, seed, part):
        return super().trained(name, rate, seed, "test")


class Lucky(Lineage):
    """Tests with the seed that chose."""

    def __init__(self, *given):
        super().__init__(*given, seeds=(SWEEP_SEED, 1, 2))


@pytest.mark.parametrize("kind", [Peeking, Lucky])
def test_seeded_fault_in_the_choice_is_caught(tmp_path, monkeypatch, kind):
    with pytest.raises(AssertionError):
        check_choice(tmp_path, monkeypatch, kind)


def test_a_grid_grows_where_a_rate_at_its_edge_is_best(tmp_path, monkeypatch):
    asked = []
    rising = {3e-4: 10.0, 1e-3: 20.0, 3e-3: 40.0, 0.00949: 60.0, 0.03: 80.0}
    flat = fake(asked)
    steep = fake(asked, rising)
    monkeypatch.setattr(lineage, "train", lambda name, *rest: (steep if name == "mlp" else flat)(name, *rest))
    found = Lineage(KeptRuns(tmp_path / "runs.json"), ("linear", "mlp"), TINY, GRID).results()["networks"]
    assert found["linear"]["rate"] == 1e-3 and not found["linear"]["rate_at_edge"]
    assert list(found["linear"]["validation_accuracy"]) == ["0.0003", "0.001", "0.003"]  # its own grid
    assert found["mlp"]["rate"] == 0.03 and found["mlp"]["rate_at_edge"]
    assert list(found["mlp"]["validation_accuracy"]) == ["0.0003", "0.001", "0.003", "0.00949", "0.03"]


def test_a_rate_is_at_the_edge_where_it_is_clearly_the_best():
    """Of 1,000 pictures at 50 per cent: the error of a difference is 2.24 per cent."""
    assert lineage.edge({1e-3: 50.0, 3e-3: 47.7, 1e-2: 40.0}, 1000) == -1
    assert lineage.edge({1e-3: 40.0, 3e-3: 47.7, 1e-2: 50.0}, 1000) == 1
    assert lineage.edge({1e-3: 40.0, 3e-3: 47.8, 1e-2: 50.0}, 1000) == 0
    assert lineage.edge({1e-3: 40.0, 3e-3: 50.0, 1e-2: 47.0}, 1000) == 0
    assert lineage.edge({1e-3: 5.0, 3e-3: 6.0, 1e-2: 6.9}, 1000) == 0


def test_of_equal_rates_the_smallest_is_chosen():
    assert best_rate({0.1: 50.0, 0.01: 50.0, 0.3: 49.0}) == 0.01


def test_whatever_decides_a_run_is_in_its_definition(tmp_path, monkeypatch):
    one = tiny(tmp_path / "runs.json")
    base = one.definition("linear", 1e-3, 0, "test")
    others = [
        one.definition("lenet5", 1e-3, 0, "test"),
        one.definition("linear", 3e-3, 0, "test"),
        one.definition("linear", 1e-3, 1, "test"),
        one.definition("linear", 1e-3, 0, "validation"),
    ]
    for changed in (
        replace(SHORT, epochs=2),
        replace(SHORT, batch_size=8),
        replace(SHORT, weight_decay=0.1),
        replace(SHORT, layer_scale=0.1),
    ):
        others.append(Lineage(one.kept, one.names, TINY, changed).definition("linear", 1e-3, 0, "test"))
    for data in (replace(TINY, train=65), replace(TINY, label="shape")):
        others.append(Lineage(one.kept, one.names, data, SHORT).definition("linear", 1e-3, 0, "test"))
    assert all(other != base for other in others)
    other_grid = Lineage(one.kept, one.names, TINY, replace(SHORT, rates=(1e-3, 1e-2)))
    assert other_grid.definition("linear", 1e-3, 0, "test") == base
    paler = {part: replace(each, images=0.98 * each.images) for part, each in TINY.sets.items()}
    assert training.pictures_hash(paler) != training.pictures_hash(TINY.sets)  # another painter
    monkeypatch.setitem(ROWS, "linear", replace(ROWS["linear"], build=ROWS["mlp"].build))
    assert one.definition("linear", 1e-3, 0, "test") != base


def check_asked_as_trained():
    """What a network is asked about has the mean and spread of what it was trained on."""
    parts = training.parts_of(TINY.sets["test"], SHORT)
    asked = torch.cat([part["images"] for part in parts])
    trained = SHORT.augmented(TINY.sets["train"].images, torch.Generator().manual_seed(0))
    assert abs(asked.mean() - trained.mean()) < 0.2 and abs(asked.std() - trained.std()) < 0.2
    assert abs(trained.mean()) < 0.2 and abs(trained.std() - 1) < 0.2
    assert torch.equal(torch.cat([part["labels"] for part in parts]), TINY.sets["test"].labels)


def test_networks_are_asked_as_they_were_trained():
    check_asked_as_trained()


def test_seeded_fault_pixels_that_are_not_centred_are_caught(monkeypatch):
    monkeypatch.setattr(Recipe, "standard", lambda self, images: images)
    with pytest.raises(AssertionError):
        check_asked_as_trained()


def test_pictures_are_mirrored_both_ways():
    one = torch.arange(4.0).reshape(1, 1, 2, 2).expand(64, 3, 2, 2)
    seen = SHORT.augmented(one, torch.Generator().manual_seed(0)) * SHORT.spread + SHORT.mean
    ways = {tuple(corner) for corner in seen[:, 0].flatten(1).round().int().tolist()}
    assert ways == {(0, 1, 2, 3), (1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0)}


def test_a_run_that_diverges_scores_as_guessing():
    found = training.train("mlp", 1e30, 0, TINY, SHORT, "validation")
    assert found["accuracy"] == 5.0 and found["loss"] is None and found["steps"] < 2


def test_a_record_is_whole(capsys):
    assert lineage.arguments(["--state", "a.json"]).state.name == "a.json"
    with pytest.raises(
        ValueError, match="expected --state alone, since a record is whole, got --only linear"
    ):
        lineage.arguments(["--only", "linear"])
    with pytest.raises(ValueError, match="got --sweep; for --only, --sweep and --list run `python -m exp"):
        lineage.arguments(["--sweep"])
    with pytest.raises(SystemExit):
        lineage.arguments(["--only", "none"])
    assert "--only" in capsys.readouterr().err


def test_progress_says_what_is_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(lineage, "train", fake([]))
    one = Lineage(KeptRuns(tmp_path / "runs.json"), ("linear", "mlp"), TINY, GRID, seeds=(0,))
    one.sweep("linear"), one.sweep("mlp")
    one.trained("linear", 1e-3, 0, "test")
    lines = [line.split() for line in lineage.progress(one).splitlines()[1:]]
    assert lines == [["linear", "3", "0.001", "60.0", "1", "40.0"], ["mlp", "3", "0.001", "60.0", "0"]]
