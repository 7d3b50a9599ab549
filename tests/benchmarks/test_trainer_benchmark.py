"""The benchmarks of the trainer and of the digits: both sides train the same, the warm run leaves nothing,
and a small run from end to end.
"""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
trainer, digits = (
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name=name) for name in ("trainer", "digits")
)


@pytest.mark.parametrize("name", trainer["ROWS"])
def test_the_bare_loop_takes_the_steps_of_the_trainer(name):
    ends = []
    for kind in ("trained", "bare"):
        loop, model = trainer[kind](name)
        loop(2)
        loop(1)
        ends.append(torch.nn.utils.parameters_to_vector(model.parameters()).detach())
    begin = torch.nn.utils.parameters_to_vector(trainer["setup"](name).method.model.parameters())
    assert torch.equal(*ends) and not torch.equal(ends[0], begin)


def test_a_run_of_the_trainers_benchmark(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(trainer["run"].__globals__, "ROWS", {"convnet_digits": ("mnist5k", 50, 1)})
    monkeypatch.setattr(sys, "argv", ["trainer.py", "--rounds", "2", "--json", str(tmp_path / "t.json")])
    trainer["main"]()
    table = json.loads((tmp_path / "t.json").read_text("utf8"))["table"]
    assert table.keys() == {"convnet_digits", "bare beside itself"} and table["convnet_digits"]["ratio"] > 0
    assert "convnet_digits" in capsys.readouterr().out


def test_a_run_of_the_digits_benchmark(monkeypatch):
    scope = digits["run"].__globals__
    whole = scope["ours"]
    seen = []

    def short(seed, *rest):
        seen.append(seed)
        return whole(seed, "digits_quick", "trainer.epochs=1", "data.limit=500")

    monkeypatch.setitem(scope, "ours", short)
    monkeypatch.setitem(
        scope, "plain", lambda seed: whole(seed, "digits_quick", "trainer.epochs=1", "data.limit=300")
    )
    table = digits["run"]([3, 4])["table"]
    assert (
        seen == [99, 3, 4]
        and len(table["dlbook"]["seconds"]) == len(table["plain"]["test"]) == 2
        and not table["dlbook"]["reached"]
    )
