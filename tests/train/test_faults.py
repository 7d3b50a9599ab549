"""Where a fault lies: in the file, or in an override; `test_configuration` has the sentences."""

from pathlib import Path

import pytest
from pydantic import model_validator

from dlbook.train.faults import ConfigurationError, Section, validate


class Inner(Section):
    lr: float = 0.1


class Outer(Section):
    inner: Inner = Inner()
    clip: float | None = None


@pytest.mark.parametrize(
    ("content", "overridden", "told"),
    [
        ({"clip": "a"}, (), "a.yaml: clip: expected a valid number, got 'a'"),
        ({"clip": "a"}, ("inner.lr",), "a.yaml: clip: "),
        ({"clip": "a"}, ("clip",), "clip: "),
        ({"inner": {"lr": "a"}}, ("inner.lr",), "inner.lr: "),
        ({"inner": 3}, ("inner",), "inner: "),
        ({"inner": {"lt": 3}}, ("inner.lr",), "a.yaml: inner.lt: expected one of the keys lr, got 'lt'"),
        ({"clip": "None"}, (), "a.yaml: clip: expected null for nothing"),
        ({"lr": 3}, ("lr",), "lr: expected one of the keys inner, clip, got 'lr'; did you mean inner.lr?"),
    ],
)
def test_the_file_is_named_unless_an_override_is_the_fault(content, overridden, told):
    with pytest.raises(ConfigurationError) as error:
        validate(Outer, content, Path("a.yaml"), overridden)
    assert str(error.value).startswith(told)


class Between(Section):
    inner: Inner = Inner()
    end: int = 9

    @model_validator(mode="after")
    def _fits(self):
        if self.inner.lr > 1:
            raise ValueError(
                f"inner.lr: expected less than end={self.end}, got 2; lower it\nend: expected more"
            )
        if self.end < 0:
            raise ValueError("expected all to fit, got else; fix it")
        return self


class Around(Section):
    part: Between = Between()


@pytest.mark.parametrize(
    ("content", "overridden", "told"),
    [
        ({"inner": {"lr": 2}}, (), "a.yaml: part.inner.lr: expected less / a.yaml: part.end: expected more"),
        (
            {"inner": {"lr": 2}},
            ("part.inner.lr",),
            "part.inner.lr: expected less / a.yaml: part.end: expected more",
        ),
        ({"end": -1}, (), "a.yaml: part: expected all to fit"),
    ],
)
def test_a_validator_says_at_which_key_its_fault_lies(content, overridden, told):
    with pytest.raises(ConfigurationError) as error:
        validate(Around, {"part": content}, Path("a.yaml"), overridden)
    lines = str(error.value).splitlines()
    assert all(map(str.startswith, lines, told.split(" / "))) and len(lines) == told.count(" / ") + 1


def test_an_override_that_a_line_names_is_its_fault():
    with pytest.raises(ConfigurationError, match="^inner.lr: expected less than end=9"):
        validate(Between, {"inner": {"lr": 2}}, Path("a.yaml"), ["end"])


def test_null_is_nothing():
    assert validate(Outer, {"clip": None}).clip is None
