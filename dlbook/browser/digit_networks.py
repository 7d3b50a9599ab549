"""The two networks of the figure `Draw`, as one file of the site: the page loads it when the figure begins.

The networks come as `export` wrote them, rounded to int8, from `data/recorded/digit_networks.json`; how they
were trained says `experiments/digit_networks.py`. The bytes travel as the digits do (`digits`): deflated, in
base 64, in a script, and the page checks them by their SHA-256.

>>> told(packed({"a": "{}"}))["count"]
8
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping

from torch import Tensor

from dlbook.browser.export import unpacked

FILE = "networks"  # _static/networks.js
NAME = "dlbookNetworks"  # the variable that the script sets


def named(results: Mapping[str, Mapping]) -> dict[str, str]:
    """Return the two networks of the recorded run as `Draw` calls them: {name: a network as JSON}."""
    return {"ConvNet": results["convnet"]["network"], "transformer": results["vit"]["network"]}


def packed(networks: Mapping[str, str]) -> bytes:
    """Return all networks as one JSON object.

    Args:
        networks: {name: a network as JSON}.
    """
    inside = ",".join(f"{json.dumps(name)}:{text}" for name, text in networks.items())
    return f"{{{inside}}}".encode()


def script(networks: Mapping[str, str]) -> str:
    """Return the script that brings the networks to the page."""
    data = base64.b64encode(zlib.compress(packed(networks), 9)).decode("ascii")
    return f'globalThis.{NAME}="{data}";\n'


def told(data: bytes) -> dict[str, str | int]:
    """Return what a figure has to know of the file; site_file.js reads it."""
    found = hashlib.sha256(data).hexdigest()
    return {"name": FILE, "variable": NAME, "words": "networks", "sha256": found, "count": len(data)}


def numbers(text: str) -> dict[str, Tensor]:
    """Return the parameters and buffers of a network as the page has them: {name: tensor}."""
    network = json.loads(text)
    return unpacked(network["entries"], base64.b64decode(network["data"]))
