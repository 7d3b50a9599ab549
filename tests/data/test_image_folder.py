"""Folders of pictures: crops are torchvision's; draws have the right statistics. Wrong folders are tested in
test_class_folders.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from dlbook.augment.views import Crop
from dlbook.data import photograph
from dlbook.data.image_folder import ImageFolder, random_box


@pytest.fixture
def root(tmp_path):
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for number in range(3):
            pixels = torch.randint(
                0,
                256,
                (3, 40 + 10 * number, 60),
                generator=torch.Generator().manual_seed(10 * label + number),
            )
            v2.functional.to_pil_image(pixels.to(torch.uint8)).save(tmp_path / name / f"{number}.png")
    return tmp_path


def test_classes_labels_and_order(root):
    folder = ImageFolder(root, size=32)
    assert folder.classes == ("cat", "dog") and folder.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert [file.name for file in folder.files] == ["0.png", "1.png", "2.png"] * 2


def test_middle_is_torchvisions(root):
    folder = ImageFolder(root, size=32)
    theirs = v2.Compose(
        [v2.Resize(37), v2.CenterCrop(32), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True)]
    )
    for index, file in enumerate(folder.files):
        assert torch.allclose(folder[index][0], theirs(Image.open(file)), atol=1e-6)


def test_draw_is_a_function_of_the_generator(root):
    folder, state = ImageFolder(root, size=32), torch.get_rng_state()
    picture, label = folder.read(4)
    draws = [folder.cut(picture, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    for seed in range(20):  # the crop and the flip, both
        one, again = (folder.cut(picture, torch.Generator().manual_seed(seed)) for _ in range(2))
        assert torch.equal(one, again)
    assert torch.equal(state, torch.get_rng_state()), "drew from torch's own generator"
    assert (
        torch.equal(draws[0], draws[1])
        and not torch.equal(draws[0], draws[2])
        and draws[0].shape == (3, 32, 32)
    )
    assert label == 1 and folder[4][1] == 1


def test_a_crop_of_its_own_is_cut_from_the_file(root):
    """Size and share of the area are the crop's; the box is torchvision's resized crop of that box."""
    folder, crop = ImageFolder(root, size=32), Crop(14, (0.05, 0.4))
    picture, _ = folder.read(4)
    for seed in range(20):
        box = random_box(picture.height, picture.width, torch.Generator().manual_seed(seed), crop.area)
        expected = v2.functional.resized_crop(picture, *box, [14, 14], antialias=True)
        got = folder.cut(picture, torch.Generator().manual_seed(seed), crop)
        assert torch.equal((255 * got).round().byte(), v2.functional.pil_to_tensor(expected))
        assert 0.03 < box[2] * box[3] / (picture.height * picture.width) < 0.43


def test_half_of_the_draws_are_flipped(tmp_path):
    (tmp_path / "ramp").mkdir()
    ramp = torch.arange(64).mul(4).to(torch.uint8).expand(3, 64, 64)  # brighter to the right
    v2.functional.to_pil_image(ramp).save(tmp_path / "ramp/0.png")
    folder, generator = ImageFolder(tmp_path, 16), torch.Generator().manual_seed(0)
    brighter_left = [
        bool((image := folder.cut(folder.read(0)[0], generator))[0, 0, 0] > image[0, 0, -1])
        for _ in range(400)
    ]
    assert 160 < sum(brighter_left) < 240  # 4 standard deviations


@settings(max_examples=200)
@given(height=st.integers(1, 500), width=st.integers(1, 500), seed=st.integers(0, 50))
def test_a_random_box_lies_within(height, width, seed):
    top, left, tall, wide = random_box(height, width, torch.Generator().manual_seed(seed))
    assert top >= 0 and left >= 0 and tall > 0 and wide > 0 and top + tall <= height and left + wide <= width


def test_random_boxes_have_torchvisions_distribution():
    image = torch.zeros(3, 300, 400)
    ours, theirs = [], []
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    for _ in range(3000):
        ours.append(random_box(300, 400, generator))
        theirs.append(v2.RandomResizedCrop.make_params(v2.RandomResizedCrop(10), [image]))
    theirs = [(p["top"], p["left"], p["height"], p["width"]) for p in theirs]
    for one, other in zip(torch.tensor(ours).double().T, torch.tensor(theirs).double().T, strict=True):
        levels = torch.linspace(0.05, 0.95, 19, dtype=torch.float64)
        assert (one.quantile(levels) - other.quantile(levels)).abs().max() < 0.06 * 400


def test_a_picture_cut_short_is_found_by_check_and_when_read(root):
    file = root / "dog/1.png"
    file.write_bytes(file.read_bytes()[:2000])  # the header is whole
    folder = ImageFolder(root, 32)
    assert len(folder.check()) == 1 and "dog/1.png" in folder.check()[0]
    with pytest.raises(ValueError, match=r"dog/1\.png: expected a picture, got a file that cannot be read"):
        folder[4]


def test_a_size_of_nothing_is_refused(root):
    with pytest.raises(ValueError, match="expected size to be at least 1"):
        ImageFolder(root, 0)


def test_grey_and_transparent_pictures_become_rgb(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("LA", (50, 50), (128, 0)).save(tmp_path / "a/0.png")
    v2.functional.to_pil_image(photograph("camera")).convert("L").save(tmp_path / "a/1.png")
    folder = ImageFolder(tmp_path, 32)
    assert folder[0][0].shape == folder[1][0].shape == (3, 32, 32)
