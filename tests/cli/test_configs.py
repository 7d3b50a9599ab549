"""configs, and train --show: what can be set, without a training."""

import json

import pytest

from dlbook.recipes.bundled_configs import names
from dlbook.recipes.run.config import RunConfig
from dlbook.train.configuration import load


def test_configs_lists_them_all_with_what_they_are_for(run):
    code, out, _ = run("configs")
    found = [line.split()[0] for line in out.splitlines()[:-1] if not line.startswith(" ")]
    assert code == 0 and found == names() and out.endswith("dlbook train NAME --show")
    assert max(map(len, out.splitlines())) <= 100
    told = json.loads(run("configs", "--json")[1])
    assert list(told) == names() and all(text.endswith(".") and len(text) > 30 for text in told.values())


def test_show_prints_the_resolved_configuration_and_trains_nothing(run, tmp_path):
    code, out, _ = run("train", "digits", "optimizer.lr=0.5", "--show")
    assert code == 0 and list(tmp_path.iterdir()) == []
    assert "  # learning rate, which the schedule multiplies [number > 0; default 0.1]\n  lr: 0.5\n" in out
    (tmp_path / "mine.yaml").write_text(out, "utf8")
    config = load(RunConfig, tmp_path / "mine.yaml")
    assert config.optimizer.lr == 0.5 and config.model.name == "convnet_digits"


@pytest.mark.parametrize(
    ("words", "told"), [(("digitz",), "did you mean 'digits'"), (("digits", "seed=x"), "seed: expected")]
)
def test_show_tells_what_is_wrong(refused, words, told):
    refused(("train", *words, "--show"), told)
