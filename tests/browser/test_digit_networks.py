"""The file of the two networks: its bytes, and the numbers that come out of it.

Seeded fault, tried: scales that are read in the order of the columns are seen.
"""

import base64
import json
import zlib

import torch

from dlbook.book.recorded_runs import recorded
from dlbook.browser import digit_networks as site
from dlbook.browser.export import LIMIT, exported
from dlbook.data import mnist5k
from dlbook.models.convnet import convnet
from dlbook.train.evaluate import accuracy
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


def test_the_recorded_networks_are_small_and_as_good_as_recorded():
    results = recorded("digit_networks")["results"]
    test, model = mnist5k("test"), convnet()
    for row in results.values():
        assert row["bytes"] <= LIMIT and site.told(row["network"].encode())["sha256"] == row["sha256"]
        assert abs(row["test_accuracy"]["float32"] - row["test_accuracy"]["int8"]) <= 0.5
    missing = model.load_state_dict(site.numbers(results["convnet"]["network"]), strict=False).missing_keys
    assert all(name.endswith("num_batches_tracked") for name in missing)
    found = accuracy(model.eval(), test.images, test.labels)
    assert abs(found - results["convnet"]["test_accuracy"]["int8"]) < 0.05 and found > 97
