"""The reference of the command and of its configuration: all of it, as the code has it, and on the built pages."""

import pytest
from dlbook_site import command
from docutils import nodes

from dlbook.cli.app import COMMANDS
from dlbook.recipes.bundled_configs import names
from dlbook.recipes.methods import METHODS
from dlbook.train.keys import keys
from tests.site.site_html import soup

RESUME = "Go on with the run that output.folder holds, from its last checkpoint."


@pytest.fixture(scope="module")
def told():
    """Name of a command -> its section."""
    return {name: command.command_section(name, found, whole) for name, found, whole in command.commands()}


def test_every_command_with_its_usage_arguments_and_options(told):
    assert list(told) == [each.__name__.replace("_", "-") for each in COMMANDS]
    train = told["train"]
    assert train["ids"] == ["command-train"] and train[0].astext() == "dlbook train"
    block = next(train.findall(nodes.literal_block)).astext()
    assert block.startswith("dlbook train [OPTIONS] ") and "config" in block and "[overrides]" in block
    rows = {item[0].astext(): item[-1].astext() for item in train.findall(nodes.definition_list_item)}
    (config,) = (text for name, text in rows.items() if name.startswith("config"))
    assert "A YAML file, a bundled configuration such as digits, or a run's folder." in config
    assert rows["--resume"] == RESUME
    assert not any("--help" in name for name in rows)
    for name, found, _ in command.commands():
        options = {item[0].astext() for item in told[name].findall(nodes.definition_list_item)}
        assert len(options) == len(found.params) or not found.params


def test_every_key_once_with_its_type_and_default():
    sections = [
        (prefix, kind, command.keys_section(title, prefix, kind))
        for title, prefix, kind in command.configured()
    ]
    titles = [made[0].astext() for _, _, made in sections]
    assert titles[-1] == "Outside of the sections" and [t for t in titles if ":" in t] == [
        f"method: {m}" for m in METHODS
    ]
    places = []
    for prefix, kind, made in sections:
        rows = list(made.findall(nodes.definition_list_item))
        assert [row[0].astext() for row in rows] == [prefix + key.name for key in keys(kind)]
        assert [row[-1].astext() for row in rows] == [key.meaning.replace("`", "") for key in keys(kind)]
        places += [place for row in rows for place in row[0]["ids"]]
    assert len(places) == len(set(places)) > 60
    rows = {
        row[0].astext(): row[1].astext()
        for _, _, made in sections
        for row in made.findall(nodes.definition_list_item)
    }
    assert rows["optimizer.lr"] == "number > 0; default 0.1" and rows["model.name"] == "text; needed"


def test_every_bundled_configuration_stands_there():
    made = command.bundled_section()
    inside = [part for part in made if isinstance(part, nodes.section)]
    assert [part[0].astext() for part in inside] == names()
    digits = next(part for part in inside if part[0].astext() == "digits")
    text = next(digits.findall(nodes.literal_block)).astext()
    assert text.startswith("model: {name: convnet_digits}") and "#" not in text


@pytest.mark.browser
def test_the_built_pages_have_them(site, told):
    page = soup(site, "chapters/front/command.html")
    assert [page.find(id=f"command-{name}") is not None for name in told] == [True] * len(told)
    assert RESUME in page.get_text()
    page = soup(site, "chapters/front/configuration.html")
    for _, prefix, kind in command.configured():
        for key in keys(kind):
            assert page.find("code", string=prefix + key.name), key.name
