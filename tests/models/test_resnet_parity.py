"""ResNet against torchvision, weight by weight: outputs, gradients and the state after one step (float64,
1e-10 relative).
"""

import pytest
import torch
from torchvision.models import resnet as reference

from dlbook.models.resnet import PadShortcut, resnet, zero_init_last_gamma
from dlbook.models.resnet_weights import load_torchvision_state
from tests.models.resnet_checks import (
    CifarReference,
    check_affine,
    check_both_modes,
    check_initial_spread,
    check_padding,
    imagenet_reference,
)


@pytest.mark.parametrize("depth", ["18", "34", "50", "101", "152"])
def test_v1_5_rows_equal_torchvision(depth):
    check_both_modes(
        resnet(f"resnet{depth}_v1_5"), imagenet_reference(depth), copy_weights=load_torchvision_state
    )


@pytest.mark.parametrize("depth", ["18", "34", "50", "101", "152"])
def test_v1_rows_equal_torchvision_with_the_stride_moved(depth):
    check_both_modes(resnet(f"resnet{depth}"), imagenet_reference(depth, v1=True))


@pytest.mark.parametrize("depth", ["18", "34"])
def test_option_a_rows(depth):
    check_both_modes(resnet(f"resnet{depth}_a"), imagenet_reference(depth, pad=True))


@pytest.mark.parametrize("depth", ["18", "34"])
def test_plain_rows(depth):
    check_both_modes(resnet(f"plain{depth}"), imagenet_reference(depth, plain=True))


@pytest.mark.parametrize("option", ["A", "B"])
@pytest.mark.parametrize("n", [3, 5, 7, 9, 18])
def test_cifar_rows(n, option):
    name = f"resnet{6 * n + 2}_cifar" + ("_b" if option == "B" else "")
    check_both_modes(resnet(name), CifarReference(n, option), size=(24, 18))


@pytest.mark.parametrize("n", [3, 5, 7, 9])
def test_plain_cifar_rows(n):
    check_both_modes(resnet(f"plain{6 * n + 2}_cifar"), CifarReference(n, "none"), size=(24, 18))


def test_one_block_of_each_kind_with_an_odd_map():
    check_both_modes(resnet("resnet50_v1_5"), imagenet_reference("50"), size=(65, 97))


@pytest.mark.parametrize(("out_channels", "stride"), [(6, 2), (12, 2), (3, 2), (5, 1)])
def test_option_a_is_subsampling_and_trailing_zeros(out_channels, stride):
    shortcut = PadShortcut(3, out_channels, stride)
    check_padding(shortcut, out_channels, stride)
    assert not list(shortcut.parameters())


@pytest.mark.parametrize("depth", ["18", "50"])
def test_zero_init_is_torchvisions(depth):
    ours = zero_init_last_gamma(resnet(f"resnet{depth}_v1_5"))
    check_affine(ours, getattr(reference, f"resnet{depth}")(zero_init_residual=True))


def test_zero_init_makes_every_identity_block_the_identity():
    model = zero_init_last_gamma(resnet("resnet50")).train()
    x = torch.randn(2, 256, 7, 5).relu()  # a block's input is the output of a ReLU
    for block in list(model.layer1)[1:]:
        assert torch.equal(block(x), x)


def test_initial_weights_have_he_s_variance():
    torch.manual_seed(0)
    check_initial_spread(resnet("resnet50"))


def test_import_leaves_the_model_alone_when_a_late_tensor_does_not_fit():
    model = resnet("resnet18_v1_5", num_classes=10)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(
        ValueError, match=r"'fc.weight': the model has \[10, 512\], the state dict has \[1000, 512\]"
    ):
        load_torchvision_state(model, imagenet_reference("18").state_dict())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_import_accepts_files_without_the_batch_counter():
    state = {k: v for k, v in imagenet_reference("18").state_dict().items() if "num_batches" not in k}
    model = load_torchvision_state(resnet("resnet18"), state)
    assert all(torch.equal(state[name], model.state_dict()[name]) for name in state)
