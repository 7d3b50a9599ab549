"""The bibliography's form: each work is linked once, to what anybody may read."""

from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style
from pybtex.style.template import first_of, optional, sentence

NAME = "dlbook"


class Works(Style):
    """`plain`, with one link: the preprint, else the publisher's page, else the entry's address."""

    def format_web_refs(self, entry):
        """The one link, as a sentence of its own."""
        forms = (self.format_eprint, self.format_doi, self.format_url)
        return first_of[[optional[sentence[form(entry)]] for form in forms]]


def connect(app):
    """Register the style under its name, for `bibtex_default_style`."""
    register_plugin("pybtex.style.formatting", NAME, Works)
