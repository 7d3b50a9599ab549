"""The file of the two networks: its bytes, and the numbers that come out of it.

Seeded fault, tried: scales that are read in the order of the columns are seen.
"""

import base64
import json
import zlib

import torch

from dlbook.browser import digit_networks as site
from dlbook.browser.export import exported
from tests.browser.networks import built


def test_numbers_come_out_as_they_went_in():
    model, images, *_ = built("convnet")
    export = exported(model, images)
    read = site.numbers(json.dumps(export.as_json()))
    assert all(torch.equal(read[name], values) for name, values in export.numbers.items())


def test_the_script_holds_all_networks():
    texts = {"a": '{"x":1}', "b": "[2]"}
    data = site.script(texts).split('"')[1]
    assert json.loads(zlib.decompress(base64.b64decode(data))) == {"a": {"x": 1}, "b": [2]}
