"""Configurations that are wrong, each with the sentence that fixes it, and those that are right."""

from typing import Literal

import pytest
import yaml

from dlbook.train.configuration import ConfigurationError, Field, Section, load, resolve, save


class Optimizer(Section):
    name: Literal["sgd", "adamw"] = "sgd"
    lr: float = Field(0.1, gt=0)
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = Field(0.0, ge=0)


class Mixup(Section):
    alpha: float = Field(0.2, ge=0)


class Config(Section):
    model: str
    optimizer: Optimizer = Optimizer()
    mixup: Mixup | None = None
    epochs: int = Field(1, ge=1, le=100)
    milestones: list[int] = []
    compile: bool = False


def text(tmp_path, content, name="run.yaml"):
    path = tmp_path / name
    path.write_text(content, encoding="utf8")
    return path


def test_numbers_with_an_exponent_are_numbers(tmp_path):
    config = load(
        Config,
        text(tmp_path, "model: a\noptimizer:\n  lr: 1e-4\n"),
        ["optimizer.weight_decay=5e-2", "epochs=7"],
    )
    assert (config.optimizer.lr, config.optimizer.weight_decay, config.epochs) == (1e-4, 0.05, 7)


def test_later_overrides_win_and_values_are_yaml():
    config = resolve(
        Config,
        {"model": "a"},
        ["epochs=2", "epochs=3", "milestones=[1,2]", "compile=true", "mixup.alpha=0", "model=b"],
    )
    assert (config.epochs, config.milestones, config.compile, config.mixup.alpha, config.model) == (
        3,
        [1, 2],
        True,
        0.0,
        "b",
    )


def test_what_is_saved_loads_equal(tmp_path):
    config = resolve(Config, {"model": "ä: b", "optimizer": {"lr": 1e-7}, "mixup": {"alpha": 0.3}})
    assert load(Config, save(config, tmp_path / "config.yaml")) == config
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]  # nothing half-written beside it
    assert (
        yaml.safe_load((tmp_path / "config.yaml").read_text(encoding="utf8"))["epochs"] == 1
    )  # defaults are written out


WRONG = {
    "unknown key": ("model: a\nmodle: b", "got 'modle'; did you mean 'model'?"),
    "unknown key below": (
        "model: a\noptimizer: {Lr: 1}",
        "optimizer.Lr: expected one of the keys name, lr",
    ),
    "unknown key of an optional section": (
        "model: a\nmixup: {alfa: 1}",
        "mixup.alfa: expected one of the keys alpha, got 'alfa'; did you mean 'alpha'?",
    ),
    "nothing like it": ("model: a\nzzz: 1", "zzz: expected one of the keys model, optimizer"),
    "missing": ("epochs: 2", "model: expected a value, got none; set it in the file or by model=..."),
    "word for a number": (
        "model: a\noptimizer: {lr: fast}",
        "optimizer.lr: expected a valid number, got 'fast'",
    ),
    "text of a number": ("model: a\nepochs: '3'", "epochs: expected a valid integer, got '3'"),
    "fraction": (
        "model: a\nepochs: 1.5",
        "epochs: expected a valid integer, got 1.5",
    ),
    "true for a number": ("model: a\nepochs: true", "epochs: expected a valid integer, got true"),
    "below the range": ("model: a\nepochs: 0", "epochs: expected greater than or equal to 1, got 0"),
    "above the range": (
        "model: a\nepochs: 101",
        "epochs: expected less than or equal to 100, got 101",
    ),
    "zero rate": ("model: a\noptimizer: {lr: 0}", "optimizer.lr: expected greater than 0, got 0"),
    "infinite rate": ("model: a\noptimizer: {lr: .inf}", "optimizer.lr: expected"),
    "not a rate": ("model: a\noptimizer: {lr: .nan}", "optimizer.lr: expected"),
    "choice mistyped": (
        "model: a\noptimizer: {name: adamv}",
        "optimizer.name: expected 'sgd' or 'adamw', got 'adamv'; did you mean 'adamw'?",
    ),
    "number for a section": (
        "model: a\noptimizer: 3",
        "optimizer: expected a section with keys of its own, got 3; set its keys, such as optimizer.name=",
    ),
    "list too short": (
        "model: a\noptimizer: {betas: [0.9]}",
        "optimizer.betas: expected 2 values, got [0.9]; set the whole list, such as [0.9, 0.999]",
    ),
    "list too long": (
        "model: a\noptimizer: {betas: [1, 1, 1]}",
        "betas: expected 2 values, got [1, 1, 1]; set",
    ),
    "word for a section": ("model: a\noptimizer: sgd", "got 'sgd'; did you mean optimizer.name=sgd?"),
    "key of another section": ("model: a\nlr: 1", "got 'lr'; did you mean optimizer.lr?"),
    "None for null": (
        "model: a\nmixup: None",
        "mixup: expected null for nothing, got the word None; write mixup=null",
    ),
    "list of words": (
        "model: a\nmilestones: [1, two]",
        "milestones: expected a valid integer as number 2, got 'two'; set the whole list, in brackets",
    ),
    "not YAML": ("model: [a", "expected YAML, got what cannot be read"),
    "key twice": ("model: a\nmodel: b", "duplicate key model"),
    "list at the top": ("- model", "expected sections such as 'model:' at the top level"),
    "interpolation of nothing": ("model: ${nope}", "Interpolation key 'nope' not found"),
    "code": ("model: !!python/object/apply:os.getcwd []", "expected YAML, got what cannot be read"),
    "a value from elsewhere": (
        "model: a\noptimizer: {lr: '${x.y}'}",
        "optimizer.lr: expected a value that is",
    ),
    "no text": ("model: a\noptimizer: null", "optimizer: expected a section with keys of its own, got null"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_every_fault_is_said(fault, tmp_path):
    content, sentence = WRONG[fault]
    with pytest.raises(ConfigurationError) as error:
        load(Config, text(tmp_path, content))
    assert sentence in str(error.value) and "run.yaml: " in str(error.value)


def test_the_file_is_named_for_what_no_override_set(tmp_path):
    with pytest.raises(ConfigurationError) as error:
        load(Config, text(tmp_path, "model: a\nepochs: 0\n"), ["optimizer.lr=0"])
    lines = sorted(str(error.value).splitlines(), key=len)
    assert lines[0].startswith("optimizer.lr: expected") and lines[1].startswith(
        f"{tmp_path}/run.yaml: epochs:"
    )


def test_all_faults_at_once():
    with pytest.raises(ConfigurationError) as error:
        resolve(Config, {"epochs": 0, "optimizer": {"lr": -1}})
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == [
        "model",
        "optimizer.lr",
        "epochs",
    ]


@pytest.mark.parametrize("override", ["lr", "=3", "optimizer..lr=1", "a b=1"])
def test_bad_override(override):
    with pytest.raises(
        ConfigurationError, match=r"expected overrides section\.key=value, got .*; write it as"
    ):
        resolve(Config, {"model": "a"}, [override])


@pytest.mark.parametrize(
    ("content", "override", "told"),
    [
        (
            {"optimizer": {"lr": 0.1}},
            "optimizer=[1]",
            "optimizer: expected a section with keys of its own, got a",
        ),
        (
            {"optimizer": [1]},
            "optimizer.lr=1",
            "optimizer: expected a section with keys of its own, got a list",
        ),
        ({}, "optimizer.lr=[1", "optimizer.lr: expected a value that YAML can read, got '[1'"),
    ],
)
def test_an_override_that_cannot_be_merged_is_named(content, override, told):
    with pytest.raises(ConfigurationError) as error:
        resolve(Config, {"model": "a"} | content, ["epochs=2", override])
    assert str(error.value).startswith(told)


def test_missing_file_suggests_its_neighbour(tmp_path):
    text(tmp_path, "model: a", "digits.yaml")
    with pytest.raises(ConfigurationError, match="expected a YAML file, got a folder"):
        load(Config, tmp_path)
    with pytest.raises(ConfigurationError, match=r"did you mean .*digits\.yaml"):
        load(Config, tmp_path / "digit.yaml")
