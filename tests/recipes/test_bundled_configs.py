"""The bundled configurations are valid, and found by name."""

import pytest

from dlbook.recipes.bundled_configs import find, names
from dlbook.recipes.run.config import RunConfig
from dlbook.train.configuration import load as load_file


def test_bundled_configurations_are_valid():
    assert set(names()) >= {"cifar10", "digits", "image_folder", "imagenet", "shapes"}
    for name in names():
        assert isinstance(load_file(RunConfig, find(name)), RunConfig)
    with pytest.raises(ValueError, match="did you mean 'digits'"):
        find("digit")
