"""A whole sitemap after every build: sphinx-sitemap lists only the pages that a build has written."""

import queue


def list_every_page(app, exception):
    """Before sphinx-sitemap writes its file, put every page of the book into its list, each once."""
    if exception or app.builder.format != "html" or app.sitemap_links.empty():
        return  # nothing was written: the sitemap that is there is right
    links = {f"{page}.html" for page in app.env.found_docs}
    while True:
        try:
            links.add(app.sitemap_links.get_nowait()[0])
        except queue.Empty:
            break
    for link in sorted(links):
        app.sitemap_links.put((link, None))


def connect(app):
    """Come before sphinx-sitemap's own handler, which has the default priority of 500."""
    app.connect("build-finished", list_every_page, priority=400)
