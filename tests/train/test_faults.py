"""Where a fault lies: in the file, or in an override; `test_configuration` has the sentences."""

from pathlib import Path

import pytest

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


def test_null_is_nothing():
    assert validate(Outer, {"clip": None}).clip is None
