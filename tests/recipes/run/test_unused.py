"""Settings that nothing reads: each key with a configuration that uses it and one that does not."""

from typing import get_args

import pytest

from dlbook.recipes import bundled_configs
from dlbook.recipes.methods import METHODS
from dlbook.recipes.run import unused as unused_module
from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.sections import Augment, Data, Draft, Optimizer, Schedule
from dlbook.recipes.run.unused import RULES, require_used, unused
from dlbook.train.configuration import load, resolve
from tests.seeded import edited

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


MIXED = ("mixup", "cutmix", "cutout", "erasing")
OPTIMIZERS = get_args(Optimizer.model_fields["name"].annotation)
LABELS_OF_ITS_OWN = [name for name in METHODS if name != "cross_entropy"]
SETS = ["mnist5k", "color_shapes", "cifar10", "cifar100", "fashion_mnist", "image_folder"]
SCHEDULES = ["constant", "cosine", "cosine_fraction", "one_cycle", "step"]
USED_BY = {  # key -> what decides, all of its values, and those that use the key
    "data.image_size": ("data.name", SETS, SETS[-1:]),
    "data.root": ("data.name", SETS, SETS[2:]),
    "augment.magnitude": (
        "augment.policy",
        get_args(Augment.model_fields["policy"].annotation),
        ["randaugment"],
    ),
    "optimizer.momentum": ("optimizer.name", OPTIMIZERS, ["sgd", "nesterov", "rmsprop", "lars"]),
    "optimizer.betas": ("optimizer.name", OPTIMIZERS, ["adam", "adamw"]),
    "schedule.final": ("schedule.name", SCHEDULES, ["cosine"]),
    "schedule.milestones": ("schedule.name", SCHEDULES, ["step"]),
    "data.unlabelled_batch_size": ("method.name", METHODS, LABELS_OF_ITS_OWN),
    **{f"augment.{key}": ("method.name", METHODS, ["cross_entropy"]) for key in MIXED},
}


def check_used(module) -> None:
    """Each value of what decides: the key is used, or is refused."""
    for key, (decides, values, using) in USED_BY.items():
        for value in values:
            needed = ["data.root=pets"] if value in SETS[2:] else []
            needed += ["data.labels_per_class=4"] if value in LABELS_OF_ITS_OWN else []
            given = [*needed, f"{decides}={value}", f"{key}={CASES[key][0]}"]
            expected = [] if value in using else [key]
            for schema in (Draft, RunConfig):
                assert list(module["unused"](resolve(schema, CONTENT, given))) == expected, (key, value)
    for weights, expected in (("null", ["model.freeze"]), ("imagenet", [])):
        draft = resolve(Draft, CONTENT, ["model.freeze=true", f"model.weights={weights}"])
        assert list(module["unused"](draft)) == expected
    for unknown in ("method.name=fixmtch", "method.name=[1]", "method=3", "method=[a]"):  # told elsewhere
        assert module["unused"](resolve(Draft, CONTENT, [unknown, "augment.mixup=0.2"])) == {}


FAULTS = {
    "any folder": ('c.data.name == "image_folder"', "c.data.name not in BUNDLED"),
    "shapes in a folder": ("c.data.name not in BUNDLED, ", 'c.data.name != "mnist5k", '),
    "lars without momentum": ('"rmsprop", "lars")', '"rmsprop")'),
    "adamw with momentum": ('"rmsprop", "lars")', '"rmsprop", "lars", "adamw")'),
    "adam without betas": ('("adam", "adamw")', '("adamw",)'),
    "frozen random weights": ("lambda c: c.model.weights is not None", "lambda c: True"),
    "an unknown method": ("name in METHODS and ", ""),
    "no name of a method": ("isinstance(name, str) and ", ""),
    "two cosines": ('c.schedule.name == "cosine"', 'c.schedule.name.startswith("cosine")'),
    "two policies": ('c.augment.policy == "randaugment"', '"augment" in c.augment.policy'),
    "the other batches": ('batches == "weak_strong"', 'batches != "weak_strong"'),
}


def test_each_value_that_decides():
    check_used(vars(unused_module))
    assert list(get_args(Data.model_fields["name"].annotation)) == SETS
    assert list(get_args(Schedule.model_fields["name"].annotation)) == SCHEDULES


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    with pytest.raises((AssertionError, KeyError, TypeError)):
        check_used(edited(unused_module, *FAULTS[fault]))


@pytest.mark.parametrize("name", bundled_configs.names())
def test_the_bundled_configurations_use_all_that_they_set(name):
    require_used(load(RunConfig, bundled_configs.find(name)))
