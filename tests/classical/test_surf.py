"""SURF's boxes against scikit-image's, against explicit kernels and Gaussians, and with seeded faults."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.feature import hessian_matrix_det
from skimage.transform import integral_image as skimage_integral
from torch.nn import functional as F

from dlbook.classical import surf as module
from tests.seeded import check_sees


def pictures(count, height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 1, height, width, generator=generator, dtype=torch.float64)


def check_integral(integral_image) -> None:
    images = pictures(2, 13, 19)
    theirs = np.stack([skimage_integral(image[0].numpy()) for image in images])
    assert np.abs(integral_image(images).numpy() - theirs).max() < 1e-12


def test_the_integral_image_equals_scikit_image():
    check_integral(module.integral_image)


def check_boxes(box_sums) -> None:
    """Every box against a sum of its pixels, also boxes that leave the picture."""
    images = pictures(1, 7, 9)
    integral = module.integral_image(images)
    for top, left, height, width in ((0, 0, 1, 1), (-2, 1, 3, 2), (-9, -3, 20, 4), (2, -12, 4, 5)):
        found = box_sums(integral, top, left, height, width)[0]
        for r, c in np.ndindex(7, 9):
            rows = slice(max(0, r + top), max(0, r + top + height))
            columns = slice(max(0, c + left), max(0, c + left + width))
            expected = images[0, 0, rows, columns].sum()
            assert abs(found[r, c] - expected) < 1e-12, (top, left, r, c)


def test_boxes_are_sums_of_their_pixels():
    check_boxes(module.box_sums)


def kernels(size):
    """The paper's figure of the kernels, written out: yy, xx, xy [3, size, size], before the division."""
    yy, xy, lobe, half = np.zeros((size, size)), np.zeros((size, size)), size // 3, size // 2
    margin = (size - (2 * lobe - 1)) // 2
    for third, weight in enumerate((1, -2, 1)):
        yy[third * lobe : (third + 1) * lobe, margin : size - margin] = weight
    before, after = slice(half - lobe, half), slice(half + 1, half + 1 + lobe)
    xy[before, before] = xy[after, after] = 1
    xy[before, after] = xy[after, before] = -1
    return torch.from_numpy(np.stack([yy, yy.T, xy]))


def test_the_kernel_of_nine_is_the_papers():
    """Figure 2 of the paper: lobes of 3 x 5 pixels for yy, of 3 x 3 for xy, with a cross of zeros between."""
    yy, _, xy = kernels(9)
    assert yy[:, 4].tolist() == [1] * 3 + [-2] * 3 + [1] * 3 and yy[0].tolist() == [0] * 2 + [1] * 5 + [0] * 2
    assert xy[1].tolist() == [0, 1, 1, 1, 0, -1, -1, -1, 0] and not xy[[0, 4, 8]].any()


def check_kernels(box_hessian) -> None:
    images = pictures(2, 34, 41)
    for size in (9, 15, 21):
        slow = F.conv2d(images, kernels(size)[:, None], padding=size // 2) / size**2
        found = torch.stack(box_hessian(images, size), 1)
        assert (found - slow).abs().max() < 1e-12, size


def test_responses_equal_a_convolution_with_the_kernels():
    check_kernels(module.box_hessian)


def check_skimage(hessian_determinant) -> None:
    """scikit-image takes the kernel of 3 sigma pixels, and gives its answer one pixel up and to the left.

    At the border it cuts boxes differently, so the frame is left out.
    """
    images = pictures(2, 40, 47)
    for size in (9, 15):
        theirs = np.stack([hessian_matrix_det(image[0].numpy(), sigma=size / 3) for image in images])
        inner = slice(size, -size)
        found = hessian_determinant(images, size).roll((-1, -1), (1, 2)).numpy()
        assert np.abs(found - theirs)[:, inner, inner].max() < 1e-13, size
        assert np.abs(theirs[:, inner, inner]).max() > 1e-3


def test_the_determinant_equals_scikit_image():
    check_skimage(module.hessian_determinant)


def test_boxes_stand_for_a_gaussians_derivatives():
    """On a smooth picture the box kernel of 9 goes with a Gaussian of sigma 1.2 and no other derivative."""
    smooth = gaussian_filter(pictures(1, 80, 80)[0, 0].numpy(), 2.0)
    boxes = module.box_hessian(torch.from_numpy(smooth)[None, None])
    orders = ((2, 0), (0, 2), (1, 1))
    exact = [gaussian_filter(smooth, 1.2, order=order) for order in orders]
    inner = slice(15, -15)
    for place, ours in enumerate(boxes):
        with_each = [
            np.corrcoef(ours[0, inner, inner].numpy().ravel(), other[inner, inner].ravel())[0, 1]
            for other in exact
        ]
        assert with_each[place] > 0.9 and max(with_each[:place] + with_each[place + 1 :]) < 0.5


def test_a_spot_answers_best_at_its_own_size():
    """Squares of 5, 9 and 13 pixels: the strongest kernel grows with the spot."""
    best = []
    for side in (5, 9, 13):
        spot = torch.zeros(1, 1, 91, 91, dtype=torch.float64)
        spot[..., 45 - side // 2 : 46 + side // 2, 45 - side // 2 : 46 + side // 2] = 1
        sizes = range(9, 58, 6)
        best.append(max(sizes, key=lambda size: module.hessian_determinant(spot, size)[0, 45, 45].item()))
    assert best[0] < best[1] < best[2]


@pytest.mark.parametrize("size", [3, 8, 12, 10, 9.0])
def test_sizes_that_have_no_kernel(size):
    with pytest.raises(ValueError, match="expected a size of 9, 15, 21"):
        module.box_hessian(pictures(1, 20, 20), size)


def test_images_of_another_shape():
    with pytest.raises(ValueError, match="take one channel"):
        module.integral_image(torch.zeros(1, 3, 9, 9))


FAULTS = {
    "sums along one axis": (check_integral, "integral_image", ".cumsum(1).cumsum(2)", ".cumsum(1)"),
    "without the pixel itself": (
        check_boxes,
        "box_sums",
        "F.pad(integral, (1, 0, 1, 0))",
        "F.pad(integral, (0, 1, 0, 1))",
    ),
    "one corner forgotten": (check_boxes, "box_sums", " + until(top, left)", ""),
    "a middle of weight one": (
        check_kernels,
        "box_hessian",
        "- 3 * both(-(lobe // 2)",
        "- 2 * both(-(lobe // 2)",
    ),
    "lobes one pixel too wide": (check_kernels, "box_hessian", "thin = 2 * lobe - 1", "thin = 2 * lobe"),
    "no cross of zeros": (
        check_kernels,
        "box_hessian",
        "both(-lobe, 1, lobe, lobe)",
        "both(-lobe, 0, lobe, lobe)",
    ),
    "the area forgotten": (check_skimage, "hessian_determinant", " / size**2", ""),
    "balance not squared": (
        check_skimage,
        "hessian_determinant",
        "(BALANCE * down_right) ** 2",
        "BALANCE * down_right**2",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, name, old, new = FAULTS[fault]
    check_sees(check, module, name, old, new)
