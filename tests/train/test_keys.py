"""The keys of a configuration in words, and a whole one that reads back as it was."""

from typing import Literal

import pytest
from pydantic import Field

from dlbook.recipes.bundled_configs import find, names
from dlbook.recipes.run.config import SECTIONS, RunConfig
from dlbook.train.configuration import Section, load
from dlbook.train.keys import Key, commented, keys


class Inner(Section):
    """Inside.

    More of it.
    """

    rates: tuple[float, float] = Field((0.5, 1e-5), description="two")
    shares: list[float] = Field([], description="some")


class Outer(Section):
    """Outside."""

    name: str = Field(description="whose")
    kind: Literal["a", "b"] = Field("b", description="which")
    size: int | None = Field(None, ge=1, lt=9, description="how large")
    share: float = Field(0.5, gt=0, le=1, description="how much")
    on: bool = Field(True, description="whether")
    inner: Inner = Inner()


def test_every_form_of_a_type_in_words():
    assert keys(Outer) == [
        Key("name", "text", "needed", "whose"),
        Key("kind", "one of a, b", "b", "which"),
        Key("size", "whole number >= 1 and < 9 or null", "null", "how large"),
        Key("share", "number > 0 and <= 1", "0.5", "how much"),
        Key("on", "true or false", "true", "whether"),
    ]
    assert keys(Inner) == [
        Key("rates", "list of 2, each number", "[0.5, 1.0e-05]", "two"),
        Key("shares", "list of numbers", "[]", "some"),
    ]


def test_a_whole_configuration_in_order():
    assert commented(Outer(name="x: y", size=3)).splitlines() == [
        "# whose [text; needed]",
        "name: 'x: y'",
        "# which [one of a, b; default b]",
        "kind: b",
        "# how large [whole number >= 1 and < 9 or null; default null]",
        "size: 3",
        "# how much [number > 0 and <= 1; default 0.5]",
        "share: 0.5",
        "# whether [true or false; default true]",
        "on: true",
        "# Inside.",
        "inner:",
        "  # two [list of 2, each number; default [0.5, 1.0e-05]]",
        "  rates: [0.5, 1.0e-05]",
        "  # some [list of numbers; default []]",
        "  shares: []",
    ]


@pytest.mark.parametrize("name", names())
def test_what_is_shown_is_the_same_configuration(name, tmp_path):
    odd = ["optimizer.lr=1e-7", "output.folder='a: #b'", "trainer.clip_norm=1e10", "seed=7"]
    config = load(RunConfig, find(name), odd)
    file = tmp_path / "shown.yaml"
    file.write_text(commented(config), "utf8")
    assert load(RunConfig, file) == config


def test_every_key_of_a_run_has_a_meaning():
    sections = [field.annotation for field in RunConfig.model_fields.values()]
    sections = [each for each in sections if isinstance(each, type) and issubclass(each, Section)]
    described = [key for section in (RunConfig, *sections, *SECTIONS.values()) for key in keys(section)]
    assert len(sections) == 7 and len(described) > 60
    assert [key.name for key in described if not (key.meaning and key.kind and key.default)] == []
