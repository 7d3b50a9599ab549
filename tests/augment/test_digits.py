"""Weak and strong views: shape, range, determinism, one draw an image, and the geometry against torchvision;
with seeded faults.
"""

import pytest
import torch
import torch.nn.functional as F
from torchvision.transforms import functional as reference

from dlbook.augment import digits as augment

VIEWS = {
    "weak": augment.weak,
    "strong": augment.strong,
    "pose": lambda images, generator: augment.random_pose(images, 30, 0.2, 0.2, 0.1, generator),
    "stroke": lambda images, generator: augment.stroke(images, 0.8, generator),
    "square": lambda images, generator: augment.random_square(images, 0.5, generator),
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(count=16):
    return torch.rand(count, 1, 28, 20, generator=seeded(5))


def check_view(view):
    images = pictures()
    kept = images.clone()
    first, again, other = view(images, seeded(1)), view(images, seeded(1)), view(images, seeded(2))
    assert torch.equal(images, kept), "the input was changed"
    assert first.shape == images.shape and first.dtype == images.dtype
    assert first.min() >= 0 and first.max() <= 1
    assert torch.equal(first, again) and not torch.equal(first, other)
    state = torch.get_rng_state()
    view(images, seeded(1))
    assert torch.equal(state, torch.get_rng_state()), "drew from the global generator"


def check_own_draw(view):
    """Equal images in one batch get different views."""
    batch = view(pictures(1).expand(12, -1, -1, -1), seeded(3))
    assert len({tuple(image.flatten().tolist()) for image in batch}) >= 10  # a tiny square may blank nothing


@pytest.mark.parametrize("name", VIEWS)
def test_view(name):
    check_view(VIEWS[name])


@pytest.mark.parametrize("name", VIEWS)
def test_each_image_has_its_own_draw(name):
    check_own_draw(VIEWS[name])


def test_the_grid_is_torch_s():
    """Fault tried: rows and columns of the two maps exchanged, which a square image would hide."""
    images, (first, second) = pictures(5), torch.randn(2, 5, 3, generator=seeded(2))
    theirs = F.affine_grid(torch.stack([first, second], 1), list(images.shape), align_corners=False)
    torch.testing.assert_close(augment._grid(images, first, second), theirs)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(augment._grid(images, second, first), theirs)


def check_rotation(random_pose):
    """A rotation alone is torchvision's by the same angle."""
    degrees = 40
    for shape in ((3, 1, 27, 27), (3, 2, 28, 28)):
        images = torch.rand(shape, generator=seeded(8), dtype=torch.float64)
        angle = -degrees + 2 * degrees * torch.rand(3, generator=seeded(9), dtype=torch.float64)
        got = random_pose(images, degrees, 0.0, 0.0, 0.0, seeded(9))
        for image, mine, turn in zip(images, got, angle, strict=True):
            theirs = reference.rotate(image, turn.item(), interpolation=reference.InterpolationMode.BILINEAR)
            assert (mine - theirs).abs().max() < 1e-6


def test_rotation_is_torchvisions():
    check_rotation(augment.random_pose)


def test_shift_is_a_fraction_of_the_side():
    """With translation alone the centre of mass moves by at most that fraction, and reaches most of it."""
    images = torch.zeros(400, 1, 40, 40, dtype=torch.float64)
    images[:, :, 19:21, 19:21] = 1
    moved = augment.random_pose(images, 0, 0, 0, 0.1, seeded(4))
    centres = torch.arange(40) + 0.5
    for axis in (2, 3):
        profile = moved.sum(dim=5 - axis)[:, 0]
        offset = (profile * centres).sum(1) / profile.sum(1) - 20
        assert 3.5 < offset.abs().max() <= 4 + 1e-9 and offset.mean().abs() < 0.5


def test_nothing_is_changed_at_strength_0():
    images = pictures().double()
    assert (augment.strong(images, seeded(1), strength=0.0) - images).abs().max() < 1e-6


def test_stroke_against_max_pooling():
    images = pictures()
    blend = (-0.8 + 1.6 * torch.rand(16, generator=seeded(1)))[:, None, None, None]
    thick = torch.nn.functional.max_pool2d(images, 3, 1, 1)
    thin = -torch.nn.functional.max_pool2d(-images, 3, 1, 1)
    expected = images + blend.abs() * (torch.where(blend > 0, thick, thin) - images)
    assert (augment.stroke(images, 0.8, seeded(1)) - expected).abs().max() < 1e-6


def test_random_square_blanks_one_square():
    images = torch.ones(200, 1, 28, 28)
    blank = augment.random_square(images, 0.5, seeded(1))[:, 0] == 0
    rows, columns = blank.any(2).sum(1), blank.any(1).sum(1)
    assert torch.equal(blank.sum((1, 2)), rows * columns)
    assert rows.max() <= 15 and rows.max() > 11 and (rows == 0).any()


FAULTS = {
    "one draw for the whole batch": (
        lambda i, g: augment.weak(i[:1], g).expand_as(i) if len(i) > 1 else i,
        check_own_draw,
    ),
    "draws from the global generator": (lambda i, g: augment.strong(i, None), check_view),
    "leaves the range": (lambda i, g: augment.weak(i, g) * 1.5, check_view),
    "works in place": (lambda i, g: i.copy_(augment.strong(i, g)), check_view),
    "angle in radians taken for degrees": (
        lambda i, *a: augment.random_pose(i, a[0] * 57.29, *a[1:]),
        check_rotation,
    ),
    "turns the wrong way": (lambda i, *a: augment.random_pose(i.flip(3), *a).flip(3), check_rotation),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    broken, check = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (lambda: augment.strong(pictures(), strength=3), "strength in"),
        (lambda: augment.weak(pictures()[0]), "images as float"),
        (lambda: augment.weak((pictures() * 255).to(torch.uint8)), "images as float .*uint8"),
        (lambda: augment.random_square(pictures(), 1.5), "fraction in"),
    ],
)
def test_bad_arguments(bad, what):
    with pytest.raises(ValueError, match=f"expected {what}"):
        bad()
