"""State dicts of torchvision and timm in a row of the zoo: the same logits, a new head, misfits named."""

import pickle

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from dlbook.models import create
from dlbook.recipes.run.transfer import NORMALISE, start
from dlbook.recipes.run.weights import as_ours, read_state
from dlbook.train import checkpoint
from tests.zoo.imports import peer


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(0)
    return torchvision.models.resnet18(num_classes=7).eval()


def saved(folder, content, name="a.pth"):
    path = folder / name
    save_file(content, path) if path.suffix == ".safetensors" else torch.save(content, path)
    return str(path)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_the_same_logits_as_torchvision_s_on_normalised_images(theirs, tmp_path, name):
    path = saved(tmp_path, theirs.state_dict(), name)
    images = torch.rand(2, 3, 64, 64)
    mean, std = (torch.tensor(NORMALISE["imagenet"][key])[:, None, None] for key in ("mean", "std"))
    with torch.no_grad():
        expected = theirs((images - mean) / std)
        torch.testing.assert_close(start("resnet18", 7, 3, path, False).eval()(images), expected)
        plain = start("resnet18", 7, 3, path, False, "none").eval()(images)
        torch.testing.assert_close(plain, theirs(images))


def test_other_classes_get_a_new_head_and_the_rest_is_theirs(theirs, tmp_path):
    state, path = theirs.state_dict(), saved(tmp_path, theirs.state_dict())
    model = start("resnet18", 3, 3, path, frozen=True)
    ours = model.model.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in ours.items() if not name.startswith("fc."))
    assert ours["fc.weight"].shape == (3, 512)
    assert [name for name, value in model.named_parameters() if value.requires_grad] == [
        "model.fc.weight",
        "model.fc.bias",
    ]


@pytest.mark.parametrize(
    ("row", "library"),
    [
        ("deit_ti_distilled", "timm/deit_tiny_distilled_patch16_224"),  # two heads
        ("resnetv2_18", "timm/resnetv2_18"),  # its head is a convolution
        ("vit_ti_16", "timm/vit_tiny_patch16_224"),  # many layers read as many features as the head
        ("mobilenet_v2", "torchvision/mobilenet_v2"),
    ],
)
def test_the_number_of_classes_is_found_in_the_state(row, library):
    state = peer(library, num_classes=11).state_dict()
    ours = as_ours(dict(sorted(state.items())), row, 3)  # as safetensors sorts them
    expected = create(row, device="meta", num_classes=11).state_dict()
    assert {name: value.shape for name, value in ours.items()} == {
        name: value.shape for name, value in expected.items()
    }


@pytest.mark.parametrize(
    ("row", "library"),
    [
        ("resnet34", "torchvision/resnet34"),  # a shortcut reads half as many features as the head
        ("resnet50_v1_5", "torchvision/resnet50"),  # and here both do
        ("seresnet50_v1_5", "timm/seresnet50"),  # convolutions with a bias
        ("convnext_t", "torchvision/convnext_tiny"),
        ("regnet_y_200mf", "timm/regnety_002"),  # as often as the head
        ("deit_s_distilled", "timm/deit_small_distilled_patch16_224"),  # its first layer reads 768 numbers
        ("resnetv2_50", "timm/resnetv2_50"),
        ("vgg11", "torchvision/vgg11"),  # the layer before the head reads as many features
    ],
)
def test_a_misfit_is_not_the_head_that_a_wrong_number_of_classes_gives(row, library):
    with torch.device("meta"):
        state = peer(library, num_classes=11).state_dict()
    for order in (state, dict(sorted(state.items()))):
        with pytest.raises(ValueError, match="got 'more.weight', which has no place in it"):
            as_ours(order | {"more.weight": torch.ones(1)}, row, 3)


def test_old_files_without_counters_give_zeros(theirs):
    state = {name: value for name, value in theirs.state_dict().items() if "num_batches" not in name}
    assert as_ours(state, "resnet18", 3)["bn1.num_batches_tracked"] == 0


def test_what_scripts_wrap_around_a_state_is_taken_off(tmp_path):
    state = {"fc.weight": torch.ones(2, 3)}
    wrapped = {"epoch": 5, "model": {f"module.{name}": value for name, value in state.items()}}
    for content in (state, wrapped, {"state_dict": {"_orig_mod.fc.weight": state["fc.weight"]}}):
        assert read_state(saved(tmp_path, content)).keys() == state.keys()


class Opens:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (open, ("/dev/null",))


def test_files_that_are_no_state_dict(tmp_path):
    wrong = {
        "got a list; save it by torch.save": saved(tmp_path, [1], "list.pth"),
        "got a dict without tensors": saved(tmp_path, {"epoch": 3}, "empty.pth"),
        "cannot be read without running code of it": saved(tmp_path, torch.nn.Linear(1, 1), "whole.pth"),
    }
    for told, path in wrong.items():
        with pytest.raises(ValueError, match=told):
            read_state(path)
    for name, content in (
        ("a.safetensors", b"\0\0"),
        ("b.pth", b"text"),
        ("c.pth", pickle.dumps(Opens(), protocol=2)),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(
            ValueError, match=f"{name}: expected a state dict, got a file that cannot be read"
        ):
            read_state(tmp_path / name)
    checkpoint.save(tmp_path / "run.bin", {"step": 1})
    with pytest.raises(ValueError, match="got a checkpoint of dlbook; give its run's folder"):
        read_state(tmp_path / "run.bin")


def test_a_misfit_is_named_with_key_and_file(theirs, tmp_path):
    path = saved(tmp_path, theirs.state_dict())
    with pytest.raises(
        ValueError,
        match=r"model.weights: expected weights of resnet34 in .*a.pth, got .*'layer1.2.conv1.weight'",
    ):
        start("resnet34", 7, 3, path, False)
    deeper = saved(tmp_path, torchvision.models.resnet34().state_dict(), "b.pth")
    with pytest.raises(
        ValueError, match="weights of resnet18 in .*b.pth, got .*'layer1.2.conv1.weight', which"
    ):
        start("resnet18", 7, 3, deeper, False)
    with pytest.raises(ValueError, match=r"'conv1.weight' of shape \[64, 1, 7, 7\], got \[64, 3, 7, 7\]"):
        start("resnet18", 7, 1, path, False)
