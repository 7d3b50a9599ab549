"""Every address of the book, derived from the one in `_config.yml` (`repository.url`)."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from docutils import nodes
from sphinx.errors import ConfigError
from sphinx.util.docutils import SphinxDirective

GITHUB = re.compile(r"^https://github\.com/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)/?$")


@dataclass(frozen=True)
class Repository:
    """A GitHub repository, and what lives at addresses made from its name.

    >>> here = Repository.parse("https://github.com/ada/book")
    >>> here.site
    'https://ada.github.io/book/'
    >>> here.colab("notebooks", "chapters/a")
    'https://colab.research.google.com/github/ada/book/blob/notebooks/chapters/a.ipynb'
    """

    owner: str
    name: str

    @classmethod
    def parse(cls, url):
        """Read `https://github.com/OWNER/NAME`. Raises ConfigError for any other form."""
        match = GITHUB.match(url or "")
        if not match:
            raise ConfigError(
                f"_config.yml: repository.url must be https://github.com/OWNER/NAME, got {url!r}. "
                "The site's address and the launch links are derived from it."
            )
        return cls(match["owner"], match["name"])

    @property
    def url(self):
        """The repository itself."""
        return f"https://github.com/{self.owner}/{self.name}"

    @property
    def site(self):
        """Where GitHub Pages serves the book."""
        host = f"https://{self.owner.lower()}.github.io/"
        return host if f"{self.name.lower()}/" == host.removeprefix("https://") else f"{host}{self.name}/"

    def colab(self, branch, page, host="https://colab.research.google.com"):
        """The page's notebook in Colab."""
        return f"{host.rstrip('/')}/github/{self.owner}/{self.name}/blob/{branch}/{quote(page)}.ipynb"

    def binder(self, branch, page, host="https://mybinder.org"):
        """The page's notebook in JupyterLab on Binder."""
        where = f"{host.rstrip('/')}/v2/gh/{self.owner}/{self.name}/{branch}"
        return f"{where}?urlpath=lab/tree/{quote(page)}.ipynb"


def repository(app):
    """The repository named in `_config.yml`."""
    return Repository.parse(app.config.html_theme_options.get("repository_url"))


def derive_addresses(app, config):
    """Fill in the addresses that other extensions ask for, unless somebody has set them."""
    site = Repository.parse(config.html_theme_options.get("repository_url")).site
    config.html_baseurl = config.html_baseurl or site
    config.ogp_site_url = config.ogp_site_url or config.html_baseurl
    config.ogp_image = config.ogp_image or config.html_baseurl + "_static/og.png"


class AddressCode(SphinxDirective):
    """A code block in which `{url}`, `{name}` and `{site}` stand for the book's own addresses."""

    required_arguments = 1
    has_content = True

    def run(self):
        here, text = repository(self.env.app), "\n".join(self.content)
        for key, value in (("{url}", here.url), ("{name}", here.name), ("{site}", here.site)):
            text = text.replace(key, value)
        block = nodes.literal_block(text, text, language=self.arguments[0])
        self.set_source_info(block)
        return [block]


def connect(app):
    """Derive before any other extension looks."""
    app.add_directive("address-code", AddressCode)
    app.connect("config-inited", derive_addresses, priority=100)
