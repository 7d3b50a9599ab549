"""Every operation at every magnitude against torchvision's, each image by its amount; seeded faults."""

import pytest
import torch
from torchvision.transforms import v2

from dlbook.augment import policy_operations as operations
from dlbook.augment.policy_operations import NAMES, OPERATIONS
from tests.augment.augment_checks import byte_pictures, cuda, pictures, torchvisions_operation

SPACES = {10: v2.AutoAugment._AUGMENTATION_SPACE, 31: v2.RandAugment._AUGMENTATION_SPACE}
HEIGHT, WIDTH = 24, 33


def at_a_tie(name, magnitude):
    """Pixels for which a map reads from just between two others, so that rounding decides which one is the
    nearest: [H, W].
    """
    x, y = (
        torch.arange(WIDTH, dtype=torch.float64) + 0.5,
        torch.arange(HEIGHT, dtype=torch.float64)[:, None] + 0.5,
    )
    radians, x0, y0 = (
        torch.deg2rad(torch.tensor(float(magnitude), dtype=torch.float64)),
        WIDTH / 2,
        HEIGHT / 2,
    )
    if name == "ShearX":
        x, y = x + magnitude * y, y + 0 * x
    elif name == "ShearY":
        x, y = x + 0 * y, y + magnitude * x
    elif name == "Rotate":
        x, y = (
            x0 + radians.cos() * (x - x0) - radians.sin() * (y - y0),
            y0 + radians.sin() * (x - x0) + radians.cos() * (y - y0),
        )
    else:
        return torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    return ((x - x.round()).abs() < 1e-4) | ((y - y.round()).abs() < 1e-4)


def check_operation(apply, name, bins):
    """In floating point to 2e-6 (Posterize: bytes, exactly), on bytes within the two levels that
    torchvision's truncation costs.
    """
    levels, images = byte_pictures(count=2)
    ours, (space, signed) = operations.magnitudes(name, bins, HEIGHT, WIDTH), SPACES[bins][name]
    wanted = space(bins, HEIGHT, WIDTH)
    assert OPERATIONS[name].signed == signed and (wanted is None) == (OPERATIONS[name].end is None)
    for place in range(bins if wanted is not None else 1):
        magnitude = 0.0 if wanted is None else float(wanted[place])
        for sign in (1, -1) if signed else (1,):
            got = apply(name, images, sign * ours[place].expand(2))
            clear = ~at_a_tie(name, sign * magnitude)
            assert clear.double().mean() > 0.7
            bytes_ = torchvisions_operation(name, levels, sign * magnitude) / 255
            loose = (got - bytes_)[..., clear].abs().max()
            if name == "Posterize":
                assert loose == 0, (name, place)
                continue
            # A level at the threshold may fall on either side once it is divided by 255.
            assert loose <= 2.001 / 255 or name == "Solarize", (name, place, sign, loose)
            assert (got - torchvisions_operation(name, images, sign * magnitude))[
                ..., clear
            ].abs().max() < 2e-6, (
                name,
                place,
                sign,
            )


@pytest.mark.parametrize("bins", SPACES)
@pytest.mark.parametrize("name", NAMES)
def test_operation_is_torchvisions_at_every_magnitude(name, bins):
    if name not in SPACES[bins]:
        assert (name, bins) in (("Identity", 10), ("Invert", 31))
        assert torch.equal(operations.apply("Identity", pictures(), torch.zeros(12)), pictures())
        return
    check_operation(operations.apply, name, bins)


def test_operations_are_torchvisions():
    assert set(operations.RANDAUGMENT_NAMES) == set(SPACES[31]) and set(NAMES) - {"Identity"} == set(
        SPACES[10]
    )


def test_each_image_by_its_amount_and_fill():
    images = pictures()
    for name in NAMES:
        amounts = operations.magnitudes(name, 31, HEIGHT, WIDTH)[torch.arange(12) * 2]
        together = operations.apply(name, images, amounts, fill=0.5)
        for i in range(12):
            assert (
                together[i] - operations.apply(name, images[i : i + 1], amounts[i : i + 1], fill=0.5)[0]
            ).abs().max() < 1e-6
    moved = operations.apply("TranslateX", torch.zeros(1, 3, 8, 8), torch.tensor([3.0]), fill=0.5)
    assert (moved[..., :3] == 0.5).all() and (moved[..., 3:] == 0).all()


@pytest.mark.cuda
@cuda
@pytest.mark.parametrize("operation", NAMES)
def test_operation_on_a_gpu(operation):
    amount = operations.magnitudes(operation, 31, HEIGHT, WIDTH)[7].expand(12)
    ours = operations.apply(operation, pictures(), amount)
    there = operations.apply(operation, pictures().cuda(), amount.cuda())
    assert ((ours - there.cpu()).abs() > 1e-4).double().mean() < 0.01  # pixels at ties


OPERATION_FAULTS = {
    "shear about the centre": (
        "ShearX",
        lambda n, i, a: operations.affine(i, shear_x=torch.rad2deg(torch.atan(a)), mode="nearest"),
    ),
    "tangent taken for radians": (
        "ShearY",
        lambda n, i, a: operations.affine(i, shear_y=torch.rad2deg(a), centre="corner", mode="nearest"),
    ),
    "rotation the other way": ("Rotate", lambda n, i, a: operations.apply(n, i, -a)),
    "translation not whole": (
        "TranslateX",
        lambda n, i, a: operations.affine(i, right=a + 0.5, mode="nearest"),
    ),
    "factor without the one": ("Brightness", lambda n, i, a: operations.photometric.brightness(i, a.abs())),
    "bits that are dropped": ("Posterize", lambda n, i, a: operations.photometric.posterize(i, 8 - a)),
    "solarised below": ("Solarize", lambda n, i, a: torch.where(i < a[:, None, None, None], 1 - i, i)),
    "equalised over channels": (
        "Equalize",
        lambda n, i, a: operations.photometric.equalize(i.flatten(1)[:, None, None]).reshape(i.shape),
    ),
}


@pytest.mark.parametrize("fault", OPERATION_FAULTS)
def test_seeded_fault_of_an_operation_is_caught(fault):
    name, broken = OPERATION_FAULTS[fault]
    with pytest.raises(AssertionError):
        check_operation(broken, name, 10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: operations.magnitudes("rotate", 10, 8, 8), "write it as in the list"),
        (lambda: operations.magnitudes("Rotate", 1, 8, 8), "at least 2 bins"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
