"""Settings that nothing reads: each key with a configuration that uses it and one that does not."""

import pytest

from dlbook.recipes import bundled_configs
from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.sections import Draft
from dlbook.recipes.run.unused import RULES, require_used, unused
from dlbook.train.configuration import load, resolve

CONTENT = {"model": {"name": "lenet5"}, "data": {"name": "mnist5k"}}
SEMI = ["method.name=fixmatch", "data.labels_per_class=4"]
FOLDER = ["data.name=image_folder", "data.root=pets"]
CASES = {  # key -> a value, what it needs to be used, what ignores it
    "data.image_size": (64, FOLDER, []),
    "data.root": ("pets", ["data.name=cifar10"], []),
    "data.unlabelled_batch_size": (64, SEMI, []),
    "model.freeze": ("true", ["model.weights=runs/x"], []),
    "augment.magnitude": (5, ["augment.policy=randaugment"], ["augment.policy=autoaugment"]),
    "augment.mixup": (0.2, [], SEMI),
    "augment.cutmix": (0.2, [], SEMI),
    "augment.cutout": (0.5, [], SEMI),
    "augment.erasing": (0.5, [], SEMI),
    "optimizer.momentum": (0.8, ["optimizer.name=rmsprop"], ["optimizer.name=adam"]),
    "optimizer.betas": ("[0.8,0.9]", ["optimizer.name=adamw"], ["optimizer.name=lars"]),
    "schedule.final": (0.1, [], ["schedule.name=one_cycle"]),
    "schedule.milestones": ("[0.3]", ["schedule.name=step"], []),
}


@pytest.mark.parametrize("key", RULES)
def test_a_setting_is_refused_where_nothing_reads_it(key):
    value, needed, ignoring = CASES[key]
    for schema in (Draft, RunConfig):  # before and after the method is looked at
        assert unused(resolve(schema, CONTENT, [*needed, f"{key}={value}"])) == {}
        assert list(unused(resolve(schema, CONTENT, [*ignoring, f"{key}={value}"]))) == [key]
    with pytest.raises(ValueError, match=f"{key}: expected to be left out, got .*; "):
        require_used(resolve(Draft, CONTENT, [*ignoring, f"{key}={value}"]))


def test_of_some_keys_only_those_are_looked_at():
    draft = resolve(Draft, CONTENT, ["data.root=pets", "augment.magnitude=3"])
    require_used(draft, [])
    require_used(draft, ["data.workers", "data"])
    for keys, told in ((["data.root"], "^data.root: .*bundled$"), (None, "(?s)^data.root.*\naugment.magn")):
        with pytest.raises(ValueError, match=told):
            require_used(draft, keys)


@pytest.mark.parametrize("name", bundled_configs.names())
def test_the_bundled_configurations_use_all_that_they_set(name):
    require_used(load(RunConfig, bundled_configs.find(name)))
