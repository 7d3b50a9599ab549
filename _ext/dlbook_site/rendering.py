"""What several parts do to a page: links, texts around a node, a change as it is written, files left out."""

from docutils import nodes


def link_to(builder, here, page, place="", words=(), **attributes):
    """A link from one page to another, or to a place on it; `words` is a text or nodes."""
    address = builder.get_relative_uri(here, page) + (f"#{place}" if place else "")
    inline = [nodes.Text(words)] if isinstance(words, str) else words
    return nodes.reference("", "", *inline, refuri=address, internal=True, **attributes)


def writing(text):
    """A visitor that writes `text`."""
    return lambda self, node: self.body.append(text)


def while_rendering(app, change):
    """Let every page pass through `change`, text to text, between the template and the disk."""
    if app.builder.format != "html":
        return
    render = app.builder.templates.render
    app.builder.templates.render = lambda template, context: change(render(template, context))


def leave_out(context, word, kinds=("script_files",)):
    """Drop the files of a page whose name or text has the word, in small letters."""

    def kept(file):
        body = getattr(file, "attributes", {}).get("body") or ""
        return word not in f"{getattr(file, 'filename', '')} {body}".lower()

    for kind in kinds:
        context[kind] = [file for file in context[kind] if kept(file)]
