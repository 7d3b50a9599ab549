"""The directives `{command-reference}` and `{configuration-reference}`: the command, and the keys of a run.

Both are made from the code when their page is read: the commands from what click knows of their functions,
the keys from the classes of the configuration. The pages are read again when one of these files has changed.
"""

import sys
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from .api import worded

SOURCES = ("dlbook/cli", "dlbook/recipes", "dlbook/recipes/run", "dlbook/recipes/configs", "dlbook/train")


class Reference(SphinxDirective):
    """What both have in common: they read the package of the book's own folder."""

    def run(self):
        root = Path(self.env.srcdir)
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
        for folder in SOURCES:
            for file in sorted((root / folder).glob("*.*")):
                self.env.note_dependency(str(file))
        made = self.made()
        source, line = self.get_source_info()
        for node in (inside for each in made for inside in each.findall()):
            if isinstance(node, nodes.Element):  # Sphinx looks for the line of every term
                node.source, node.line = source, line
        return made


class CommandReference(Reference):
    """A section for each command: what it does, how it is written, its arguments and options."""

    made = staticmethod(lambda: [command_section(name, found, whole) for name, found, whole in commands()])


class ConfigurationReference(Reference):
    """A section for each section of a configuration and for each method, then the bundled configurations."""

    made = staticmethod(lambda: [*(keys_section(*found) for found in configured()), bundled_section()])


def commands():
    """Each command of `dlbook`: its name, what click knows of it, and of the whole."""
    import click
    from typer.main import get_command

    from dlbook.cli.app import app

    group = get_command(app)
    whole = click.Context(group, info_name="dlbook")
    return [(name, group.get_command(whole, name), whole) for name in group.list_commands(whole)]


def command_section(name, found, whole):
    """One command."""
    context = found.context_class(found, info_name=name, parent=whole)
    made = section(f"command {name}", nodes.literal("", f"dlbook {name}"))
    for paragraph in (found.help or "").split("\n\n"):
        made += nodes.paragraph("", "", *worded(" ".join(paragraph.split())))
    usage = " ".join(["dlbook", name, *found.collect_usage_pieces(context)])
    made += nodes.literal_block(usage, usage, language="text")
    rows = [
        (parameter, parameter.get_help_record(context))
        for parameter in found.get_params(context)
        if "--help" not in parameter.opts
    ]
    told = [(f"command-{name}-{parameter.name}", *record) for parameter, record in rows if record]
    if told:
        made += described((place, written, "", text) for place, written, text in told)
    return made


def configured():
    """The sections of a configuration in order: title, prefix of the keys, and class."""
    from dlbook.recipes.run.config import SECTIONS, RunConfig
    from dlbook.train.configuration import Section

    for name, field in RunConfig.model_fields.items():
        if name == "method":
            yield from ((f"method: {each}", "method.", kind) for each, kind in SECTIONS.items())
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield name, f"{name}.", field.annotation
    yield "no section", "", RunConfig


def keys_section(title, prefix, kind):
    """One section of a configuration: what it is, and its keys."""
    from dlbook.train.keys import NEEDED, keys

    made = section(
        f"configuration {title}",
        nodes.literal("", title) if prefix else nodes.Text("Outside of the sections"),
    )
    if prefix:
        made += nodes.paragraph("", "", *worded(" ".join((kind.__doc__ or "").split())))
    made += described(
        (
            f"key {title} {key.name}",
            prefix + key.name,
            f"{key.kind}; {key.default if key.default == NEEDED else f'default {key.default}'}",
            key.meaning,
        )
        for key in keys(kind)
    )
    return made


def bundled_section():
    """The bundled configurations, each with what it is for and its text."""
    from dlbook.recipes.bundled_configs import about, find, names

    made = section("configuration bundled", nodes.Text("Bundled configurations"))
    for name in names():
        lines = find(name).read_text("utf8").splitlines()
        text = "\n".join(line for line in lines if not line.startswith("#"))
        inside = section(f"configuration bundled {name}", nodes.literal("", name))
        inside += nodes.paragraph("", "", *worded(about(name)))
        inside += nodes.literal_block(text, text, language="yaml")
        made += inside
    return made


def section(name, title):
    """A section with its heading."""
    return nodes.section("", nodes.title("", "", title), ids=[nodes.make_id(name)])


def described(rows):
    """A list of names, each with what it takes and what it means: (place, name, kind, text)."""
    made = nodes.definition_list()
    for place, name, kind, text in rows:
        term = nodes.term("", "", nodes.literal("", name), ids=[nodes.make_id(place)])
        kinds = [nodes.classifier("", kind)] if kind else []
        meaning = nodes.definition("", nodes.paragraph("", "", *worded(text)))
        made += nodes.definition_list_item("", term, *kinds, meaning)
    return made


def connect(app):
    """Register the directives."""
    app.add_directive("command-reference", CommandReference)
    app.add_directive("configuration-reference", ConfigurationReference)
