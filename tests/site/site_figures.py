"""What can be read off a written page about its interactive figures: each has a number, and links set what there is."""

import json
import re
from urllib.parse import parse_qs

STATE = 'script[type="application/vnd.jupyter.widget-state+json"]'
VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]'


def figures(page):
    """{id of the figure: the state of its widget}."""
    states = {}
    for script in page.select(STATE):
        states |= json.loads(script.string)["state"]
    views = {view: json.loads(view.string)["model_id"] for view in page.select(VIEW)}
    found = {
        view.find_parent("figure")["id"]: states[m]["state"]
        for view, m in views.items()
        if view.find_parent("figure")
    }
    return found, len(views) - len(found)


def wrong(link, found):
    """What a link sets that its figure does not have."""
    state = found.get(link["href"].removeprefix("#"))
    if state is None:
        return [f"no figure {link['href']}"]
    parameters, faults = state["spec"].get("parameters", {}), []
    for name, texts in parse_qs(link["data-set"]).items():
        if name == "on":
            known = [curve["name"] for curve in state["spec"]["curves"]]
        elif name in parameters:
            known = [value if isinstance(value, str) else f"{value:g}" for value in parameters[name]]
        else:
            known = [] if name not in state else texts
        faults += [f"{link['href']}: {name} = {text}, of {known}" for text in texts if text not in known]
    return faults


def wrong_settings(page):
    """What links set that is not there."""
    found, _ = figures(page)
    return [fault for link in page.select("a[data-set]") for fault in wrong(link, found)]


def unnumbered(page, path):
    """Figures without a number and a caption; the cover's picture alone goes without."""
    found, bare = figures(page)
    captions = {name: page.find(id=name).find("figcaption", recursive=False) for name in found}
    faults = [name for name, words in captions.items() if not numbered(words)]
    return faults + [f"{bare} without a caption"] * (bare > 0 and path != "index.html")


def numbered(caption):
    """Whether a caption begins with a number."""
    return bool(caption and re.match(r"Figure \d", caption.get_text(" ", strip=True)))
