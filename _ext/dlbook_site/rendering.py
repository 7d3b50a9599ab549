"""What several parts do to a page: change it as it is written, and leave out files that it would load."""


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
