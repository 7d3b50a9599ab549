"""The book's own Sphinx extension: what Jupyter Book and its theme leave open.

address    one address of the repository in; the site's address and every launch link out
figures    links in the text that set a figure, and the narrow form of charts
rendering  what several of these do to a page
pages      the page as it is written: links, descriptions, accessible markup
formulas   mathematics set while the book is built
folds      code behind one line; the switch Read / Read with code
assets     fonts, icons and notebooks served by the site itself, in the sizes that the pages need
freshness  a changed style sheet or extension makes every page new
search     an index of the prose by section, and the page that looks through it
sitemap    every page in it, however few a build has written
works      the bibliography: each work is linked once
badges     the mark behind a number of the prose that stands in the ledger, and the folded ledger
definitions  a term's sentence in the margin, and the glossary that is made of them
symptoms   the directive that sorts every chapter's bugs by what one sees
gathered   what one page shows of all the others
predictions  "Predict first", answered on the page, and the list of all questions
review     review cards, and the page that asks them
anki       the review cards as a deck for Anki
api        the reference of the package, a page a module
command    the command's reference, and that of its configuration
docstrings our docstrings as Sphinx reads them
ways       the map of the chapters, and ways through them
book_map   its drawing
map_wide   where its boxes and arrows stand on a wide page
next_chapters  what one can read next, after what one has read
own_scripts what is taken from scripts/
first_uses symbols of the notation page lead to their first use
claims     the directive that lists every claim of the book
failures   a chapter that did not run to its end says so on its page
run_time   the role that says what the chapter took in the recorded run
"""

from . import (
    address,
    anki,
    api,
    assets,
    badges,
    claims,
    command,
    definitions,
    failures,
    figures,
    first_uses,
    folds,
    formulas,
    freshness,
    gathered,
    next_chapters,
    pages,
    predictions,
    review,
    run_time,
    search,
    sitemap,
    symptoms,
    ways,
    works,
)

__all__ = ["setup"]


def setup(app):
    """Register the parts with Sphinx."""
    app.add_config_value("notebook_branch", "notebooks", "html")
    app.add_config_value("claims_file", "_build/claims.json", "env")
    for part in (
        address,
        freshness,
        pages,
        figures,
        folds,
        formulas,
        assets,
        search,
        sitemap,
        badges,
        definitions,
        claims,
        symptoms,
        ways,
        next_chapters,
        first_uses,
        api,
        command,
        failures,
        run_time,
        works,
        gathered,
        predictions,
        review,
        anki,
    ):
        part.connect(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
