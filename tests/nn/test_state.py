"""Copying another library's weights: all of them or none, the first misfit named; and renaming by layers."""

import pytest
import torch
from torch import nn

from dlbook.nn.state import by_layer, load_state


def net():
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))


def changed(**tensors):
    """A state of another such net, with some tensors replaced, or left out for None."""
    state = net().state_dict() | {name.replace("_of_", "."): tensor for name, tensor in tensors.items()}
    return {name: tensor for name, tensor in state.items() if tensor is not None}


def test_everything_is_copied_in_place_and_the_model_returned():
    model, state = net(), changed()
    weight = model[0].weight
    assert load_state(model, state) is model and model[0].weight is weight
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


def test_names_are_changed_first():
    model, state = net(), {f"module.{name}": tensor for name, tensor in changed().items()}
    load_state(model, state, lambda name: name.removeprefix("module."))
    assert torch.equal(model[0].weight, state["module.0.weight"])


def test_the_counter_of_batches_may_be_missing():
    model = net()
    model[1].num_batches_tracked += 7
    load_state(model, changed(**{"1_of_num_batches_tracked": None}))
    assert model[1].num_batches_tracked == 7


MISFITS = {
    "missing": ({"1_of_running_var": None}, r"'1.running_var'.*\[3\].*missing"),
    "another shape": ({"1_of_bias": torch.zeros(4)}, r"'1.bias'.*\[3\].*\[4\]"),
    "no tensor": ({"1_of_bias": "file"}, r"'1.bias'.*str"),
    "left over": ({"2_of_weight": torch.zeros(1)}, "'2.weight'.*no place"),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_a_misfit_is_named_and_nothing_is_copied(misfit):
    tensors, told = MISFITS[misfit]
    model = net()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError, match=told):
        load_state(model, changed(**tensors))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_by_layer_changes_whole_names_of_layers_only():
    rename = by_layer({"fc": "classifier", "layer1.0": "blocks.0"})
    names = ["fc.weight", "layer1.0.bias", "layer1.0.bn.bias", "my.fc.weight", "fc2.weight"]
    assert [rename(name) for name in names] == [
        "classifier.weight",
        "blocks.0.bias",
        "layer1.0.bn.bias",
        "my.fc.weight",
        "fc2.weight",
    ]
