"""The benchmark of optimizers: it compares like with like, its parameters are ResNet-50's, and one small run
from end to end.
"""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "optimizers.py"
bench = runpy.run_path(str(SCRIPT), run_name="optimizers")


def small(device="cpu", matrices=False):
    torch.manual_seed(0)
    params = [
        torch.randn(shape, device=device, requires_grad=True)
        for shape in ((4, 6), (6, 4), *([] if matrices else [(5,)]))
    ]
    for param in params:
        param.grad = torch.randn_like(param)
    return params


@pytest.mark.parametrize("name", bench["ROWS"])
def test_all_variants_take_the_same_step(name):
    """Three steps each from the same weights, at a rate that shows."""
    ends = {}
    for variant in bench["variants"](name, small(matrices=name == "Muon")):
        params = small(matrices=name == "Muon")
        optimizer = bench["variants"](name, params)[variant]
        optimizer.param_groups[0].update(lr=0.1, weight_decay=0.1)
        for _ in range(3):
            optimizer.step()
        ends[variant] = params
    first = ends.pop("ours, each")
    assert ends
    for variant, params in ends.items():
        for a, b in zip(first, params, strict=True):
            torch.testing.assert_close(
                a,
                b,
                rtol=0,
                atol=2e-2 if name == "Muon" else 2e-5,
                msg=lambda told, v=variant: f"{v}: {told}",
            )


def test_the_parameters_are_those_of_resnet50():
    assert sum(param.numel() for param in bench["parameters"]("cpu", False)) == 25_557_032
    assert all(
        param.ndim == 2 and param.grad.shape == param.shape for param in bench["parameters"]("cpu", True)
    )


def test_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(bench["measure"].__globals__, "parameters", small)
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "optimizers.py",
            "--rounds",
            "3",
            "--only",
            "Adam",
            "Muon",
            "LARS",
            "--json",
            str(tmp_path / "o.json"),
        ],
    )
    bench["main"]()
    table = json.loads((tmp_path / "o.json").read_text("utf8"))["milliseconds"]
    assert table["Adam"].keys() == {
        "ours, each",
        "ours, lists",
        "torch, loop",
        "torch, foreach",
        "torch, fused",
        "/ foreach",
        "/ best",
        "/ fused",
    }
    assert table["Muon"].keys() == {"ours, each", "ours, lists", "torch, loop", "/ best"}
    assert table["LARS"].keys() == {"ours, each", "ours, lists"} and "Adam" in capsys.readouterr().out
