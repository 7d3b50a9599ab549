"""The benchmark of the zoo: its ratios, its count of memory, which peers it meets, and one small run from end
to end.
"""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch

from dlbook.zoo.comparison import ratios_to_best_peer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def zoo():
    return runpy.run_path(str(ROOT / "benchmarks" / "zoo.py"), run_name="zoo")


def test_a_ratio_is_the_median_of_the_rounds_and_the_better_peer_counts(zoo):
    measured = {"ours": [1.0, 4.0, 2.0], "slow": [2.0, 4.0, 8.0], "fast": [1.0, 2.0, 1.0]}
    found = zoo["summarise"](
        {name: dict.fromkeys(zoo["MEASURES"], values) for name, values in measured.items()}
    )
    assert found["slow"]["ratio"]["forward"] == 0.5 and found["fast"]["ratio"]["forward"] == 2.0
    assert found["ours"]["median"]["forward"] == 2.0 and "ratio" not in found["ours"]
    assert ratios_to_best_peer({"models": found})["training memory"] == 2.0


def test_a_median_lies_between_two_order_statistics(zoo):
    values = [float(i) for i in range(1, 21)]
    assert zoo["interval"](values[::-1]) == [6.0, 15.0]  # the sign test's table: n = 20, 95 %
    assert zoo["interval"](values[:6]) == [1.0, 6.0]
    assert zoo["interval"]([3.0, 1.0]) == [1.0, 3.0]  # too few to leave any out


def test_rounds_go_on_for_the_seconds_asked_and_turn_the_order(zoo):
    calls, options = [], zoo["arguments"](["--repeats", "3", "--seconds", "0"])
    runs = {name: lambda name=name: calls.append(name) for name in "ab"}
    assert {name: len(times) for name, times in zoo["rounds"](runs, options).items()} == {"a": 3, "b": 3}
    assert "".join(calls[4:]) == "abbaab"
    options.seconds = 0.05
    assert len(zoo["rounds"](runs, options)["a"]) > 3


def test_memory_is_the_peak_and_not_what_is_left(zoo):
    kibibytes = 256

    def run():
        first = torch.zeros(kibibytes * 256)  # float32
        second = first + 1
        del first
        return second * 2  # two alive at a time, never three

    assert zoo["peak_memory"](run, "cpu") == pytest.approx(2 * kibibytes * 1024, rel=0.02)


def test_timm_joins_where_its_model_has_the_same_parameters(zoo):
    assert zoo["peer_names"]("vgg11") == ["torchvision/vgg11", "timm/vgg11"]
    assert zoo["peer_names"]("vit_b_16") == ["torchvision/vit_b_16", "timm/vit_base_patch16_224"]


def test_a_row_above_the_limit_is_measured_again_for_longer(zoo, tmp_path, monkeypatch):
    """Of a row that is slow once, the second measurement counts; the first is kept beside it."""
    asked = []

    def measure(row, options):
        asked.append((row, options.repeats, options.seconds))
        ratio = 1.5 if row == "vgg11" and len(asked) == 1 else 1.0
        return {"models": {"ours": {}, "peer": {"ratio": dict.fromkeys(zoo["MEASURES"], ratio)}}}

    monkeypatch.setitem(zoo["run"].__globals__, "measure", measure)
    found = zoo["run"](
        zoo["arguments"](
            ["--rows", "vgg11", "resnet18", "--repeats", "2", "--seconds", "3", "--out", str(tmp_path)]
        )
    )
    assert asked == [("vgg11", 2, 3), ("resnet18", 2, 3), ("vgg11", 8, 12)]
    assert (
        ratios_to_best_peer(found["rows"]["vgg11"])["forward"] == 1.0
        and found["rows"]["vgg11"]["first"]["forward"] == 1.5
    )
    assert (
        "first" not in found["rows"]["resnet18"]
        and json.loads((tmp_path / "zoo-cpu.json").read_text("utf8")) == found
    )


def test_an_earlier_result_keeps_the_rows_that_are_not_measured(zoo, tmp_path, monkeypatch):
    monkeypatch.setitem(
        zoo["run"].__globals__,
        "measure",
        lambda row, options: {"models": {"peer": {"ratio": dict.fromkeys(zoo["MEASURES"], 0.5)}}},
    )
    words, file = ["--out", str(tmp_path), "--repeats", "2"], tmp_path / "earlier.json"
    results = zoo["run"](zoo["arguments"]([*words, "--rows", "vgg11", "vgg13"]))
    file.write_text(json.dumps({"commit": "0123456", "results": results}), "utf8")
    rows = zoo["run"](zoo["arguments"]([*words, "--rows", "vgg13", "--keep", str(file)]))["rows"]
    assert (
        list(rows) == ["vgg11", "vgg13"]
        and rows["vgg11"]["commit"] == "0123456"
        and "commit" not in rows["vgg13"]
    )
    with pytest.raises(SystemExit, match="was measured otherwise"):
        zoo["run"](zoo["arguments"](["--repeats", "3", "--keep", str(file)]))


def test_a_small_run_writes_table_plot_and_json(zoo, tmp_path, monkeypatch, capsys):
    words = [
        "--rows",
        "mobilenet_v3_small",
        "--repeats",
        "2",
        "--seconds",
        "0",
        "--batch",
        "2",
        "--side",
        "64",
        "--threads",
        "1",
        "--limit",
        "99",
        "--out",
        str(tmp_path),
    ]
    monkeypatch.setattr(sys, "argv", ["zoo.py", *words])
    assert zoo["main"]() == 0
    found = json.loads((tmp_path / "zoo-cpu.json").read_text("utf8"))
    ratios = found["rows"]["mobilenet_v3_small"]["models"]["torchvision/mobilenet_v3_small"]["ratio"]
    assert set(ratios) == set(zoo["MEASURES"]) and all(value > 0 for value in ratios.values())
    assert (
        "<svg" in (tmp_path / "zoo-cpu.svg").read_text("utf8")
        and "mobilenet_v3_small" in capsys.readouterr().out
    )
