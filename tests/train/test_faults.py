"""Where a fault lies: in the file, or in an override; `test_configuration` has the sentences."""

import copy
from pathlib import Path
from typing import Literal

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


class Rates(Section):
    """A section whose validator judges it as a whole."""

    low: float = 0.1
    low_decay: float = 0.0
    name: Literal["Sgd", "Adam"] = "Sgd"
    steps: list[int] = []
    pair: tuple[float, float] = (0.5, 0.9)
    most: float | None = None

    @model_validator(mode="after")
    def _below_one(self):
        if self.low >= 1:
            raise ValueError("expected low below 1, got more; lower it")
        return self


class Whole(Section):
    """Two sections that share a key, and a validator between them."""

    rates: Rates = Rates()
    more: Rates | None = None

    @model_validator(mode="after")
    def _more_is_lower(self):
        if self.more and self.more.low > self.rates.low:
            raise ValueError("expected more.low below rates.low, got above; lower it")
        return self


class Deep(Section):
    """A section in a section in a section."""

    whole: Whole = Whole()


AT_ODDS = {"rates": {"low": 0.1}, "more": {"low": 0.2}}
PLACES = [  # content, what was overridden, and how the fault begins
    (AT_ODDS, None, "a.yaml: the configuration: expected more.low"),
    (AT_ODDS, ("more.low",), "the configuration: expected more.low"),
    ({"rates": {"low": 2}}, ("rates.low",), "rates: expected low below 1"),
    ({"rates": {"low": 2}}, ("more.low",), "a.yaml: rates: expected low below 1"),
    ({"rates": {"lowest": 2}}, ("rates",), "rates.lowest: expected one of the keys low, low_decay, name,"),
    ({"rates": {"low_decay": "a"}}, ("rates.low",), "a.yaml: rates.low_decay: "),
    ({"rates": {"low": "a"}}, ("rates.low_decay",), "a.yaml: rates.low: "),
    ({"more": {"low": "None"}}, (), "a.yaml: more.low: expected a valid number, got 'None'; set"),
    ({"more": "None"}, ("more",), "more: expected null for nothing, got the word None; write more=null$"),
    ({"most": 1}, ("most",), "most: .*, got 'most'; did you mean rates.most or more.most\\?"),
    (
        {"rates": {"Sgd": 1}},
        ("rates.Sgd",),
        "rates.Sgd: expected one of the keys low, .*, got 'Sgd'; fix its",
    ),
    ({"rates": {"name": "adam"}}, ("rates.name",), "rates.name: .*, got 'adam'; did you mean 'Adam'\\?"),
    ({"rates": {"name": 3}}, ("rates.name",), "rates.name: .*, got 3; set another by rates.name=...$"),
    ({"rates": {"pair": [1]}}, ("rates.pair",), "rates.pair: expected 2 values, got .1.; set .*0.5, 0.9.$"),
    ({"rates": {"steps": ["a"]}}, ("rates.steps",), "rates.steps: .* as number 1, got 'a'; .*, in brackets$"),
    ({"rates": {"steps": [1, "a"]}}, ("rates.steps",), "rates.steps: .* as number 2, got 'a'; set the whole"),
    ({"more": {"lwo": 1}}, ("more.lwo",), "more.lwo: .*, got 'lwo'; did you mean 'low'\\?"),
]


def check_places(validate) -> None:
    for content, overridden, told in PLACES:
        given = () if overridden is None else (overridden,)
        with pytest.raises(ValueError, match=f"^{told}") as error:
            validate(Whole, copy.deepcopy(content), Path("a.yaml"), *given)
        assert str(error.value).count("\n") == 0
    with pytest.raises(ValueError, match=r"^whole\.rates\.most: expected .*; write whole\.rates\.most=null$"):
        validate(Deep, {"whole": {"rates": {"most": "None"}}})
    with pytest.raises(ValueError, match="frozen"):
        validate(Whole, {}).rates = Rates()


def test_where_faults_are_said_to_be():
    check_places(validate)
