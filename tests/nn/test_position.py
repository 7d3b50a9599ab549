"""Positions against loops over the formulas, Vaswani et al.'s alternating order, timm and torchvision.

Seeded faults that the checks must catch: the frequencies of another width, another temperature, the row
first, rows and columns exchanged, sines and cosines in another order, coordinates from 1; for interpolation:
a changed class token, the class token at the end, another align_corners, no antialiasing, a grid read as
(columns, rows).
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.layers import resample_abs_pos_embed
from timm.layers.pos_embed_sincos import build_sincos2d_pos_embed
from torchvision.models.vision_transformer import interpolate_embeddings

from dlbook.nn.position import interpolate_positions, learned_positions, resized_state, sincos_1d, sincos_2d


def vaswani(position, dim):
    """Section 3.5: PE(pos, 2i) = sin(pos / 10000^(2i/dim)), PE(pos, 2i + 1) = cos of the same."""
    out = []
    for i in range(dim // 2):
        angle = position / 10000 ** (2 * i / dim)
        out += [math.sin(angle), math.cos(angle)]
    return torch.tensor(out, dtype=torch.float64)


def naive_2d(rows, columns, dim, first):
    """Token by token, from the one-dimensional formula: sines of a coordinate, then its cosines."""
    table = []
    for row in range(rows):
        for column in range(columns):
            halves = []
            for coordinate in (column, row) if first == "column" else (row, column):
                alternating = vaswani(coordinate, dim // 2)
                halves += [alternating[0::2], alternating[1::2]]
            table.append(torch.cat(halves))
    return torch.stack(table)[None]


def check_sincos(embed, first="column"):
    torch.testing.assert_close(embed((3, 5), 16).double(), naive_2d(3, 5, 16, first), rtol=1e-5, atol=1e-6)


def test_one_dimension_is_vaswani_s_with_the_sines_first():
    coordinates = torch.tensor([0.0, 1.0, 17.5, 300.0], dtype=torch.float64)
    ours = sincos_1d(coordinates, 12)
    for row, coordinate in zip(ours, coordinates.tolist()):
        alternating = vaswani(coordinate, 12)
        torch.testing.assert_close(
            row, torch.cat([alternating[0::2], alternating[1::2]]), rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("first", ["column", "row"])
def test_two_dimensions_equal_the_loop(first):
    check_sincos(lambda grid, dim: sincos_2d(grid, dim, first=first), first)


def half_the_frequencies(grid, dim):
    table = sincos_2d(grid, 2 * dim)
    return table[
        ...,
        [
            *range(dim // 4),
            *range(dim // 2, 3 * dim // 4),
            *range(dim, 5 * dim // 4),
            *range(3 * dim // 2, 7 * dim // 4),
        ],
    ]


def from_one(grid, dim):
    return (
        sincos_2d((grid[0] + 1, grid[1] + 1), dim)
        .unflatten(1, (grid[0] + 1, grid[1] + 1))[:, 1:, 1:]
        .flatten(1, 2)
    )


SINCOS_FAULTS = {
    "frequencies of another width": half_the_frequencies,
    "row first": lambda grid, dim: sincos_2d(grid, dim, first="row"),
    "sines and cosines alternate": lambda grid, dim: (
        sincos_2d(grid, dim).unflatten(2, (2, 2, dim // 4)).transpose(3, 2).flatten(2)
    ),
    "coordinates from 1": from_one,
    "another temperature": lambda grid, dim: sincos_2d(grid, dim, temperature=1000.0),
    "rows and columns exchanged": lambda grid, dim: sincos_2d((grid[1], grid[0]), dim),
}


@pytest.mark.parametrize("fault", SINCOS_FAULTS)
def test_the_loop_catches_the_seeded_fault(fault):
    with pytest.raises(AssertionError):
        check_sincos(SINCOS_FAULTS[fault])


def test_equals_timm_s():
    theirs = build_sincos2d_pos_embed([4, 6], dim=24, temperature=10000.0, interleave_sin_cos=False)
    ours = sincos_2d((4, 6), 24)[0]
    parts = lambda table: {tuple(part.round(decimals=4).flatten().tolist()) for part in table.split(6, dim=1)}
    assert parts(ours) == parts(theirs)  # timm orders the four parts in its own way
    assert len(parts(ours)) == 4


def test_prefix_tokens_are_zero():
    table = sincos_2d((2, 3), 8, prefix_tokens=2)
    assert (
        table.shape == (1, 8, 8)
        and (table[:, :2] == 0).all()
        and torch.equal(table[:, 2:], sincos_2d((2, 3), 8))
    )


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 8))
def test_every_patch_has_its_own_vector_and_all_have_one_length(rows, columns, quarter):
    table = sincos_2d((rows, columns), 4 * quarter).double()[0]
    assert len({tuple(row) for row in table.round(decimals=6).tolist()}) == rows * columns
    assert torch.allclose(table.square().sum(1), torch.tensor(2.0 * quarter, dtype=torch.float64), rtol=1e-5)


def test_learned_positions():
    torch.manual_seed(0)
    table = learned_positions(400, 100)
    assert table.shape == (1, 400, 100) and table.requires_grad
    assert abs(table.std() / 0.02 - 1) < 0.02 and abs(table.mean()) < 5 * 0.02 / 200


GRIDS = [((14, 14), (24, 24)), ((14, 14), (6, 6)), ((7, 7), (5, 9)), ((4, 6), (8, 3))]


def check_interpolation(resize):
    for old, new in GRIDS:
        positions = torch.randn(1, 2 + old[0] * old[1], 8, generator=torch.Generator().manual_seed(0))
        expected = resample_abs_pos_embed(positions, list(new), list(old), num_prefix_tokens=2)
        torch.testing.assert_close(resize(positions, old, new, 2), expected, rtol=1e-5, atol=1e-6)


def test_interpolation_equals_timm_s():
    check_interpolation(interpolate_positions)


def prefix_resized_too(positions, old, new, prefix):
    return torch.cat(
        [positions[:, :prefix] * 0.9, interpolate_positions(positions, old, new, prefix)[:, prefix:]], dim=1
    )


INTERPOLATION_FAULTS = {
    "class token resized": prefix_resized_too,
    "align_corners": lambda *a: interpolate_positions(*a, align_corners=True),
    "no antialiasing": lambda *a: interpolate_positions(*a, antialias=False),
    "grid read the other way": lambda p, old, new, prefix: interpolate_positions(p, old[::-1], new, prefix),
    "prefix at the end": lambda p, old, new, prefix: interpolate_positions(p.flip(1), old, new, prefix).flip(
        1
    ),
}


@pytest.mark.parametrize("fault", INTERPOLATION_FAULTS)
def test_timm_catches_the_seeded_fault(fault):
    with pytest.raises(AssertionError):
        check_interpolation(INTERPOLATION_FAULTS[fault])


@pytest.mark.parametrize("side", [5, 14])
def test_interpolation_equals_torchvision_s_with_its_choices(side):
    positions = torch.randn(1, 1 + 49, 6, dtype=torch.float64)
    theirs = interpolate_embeddings(side * 16, 16, {"encoder.pos_embedding": positions})[
        "encoder.pos_embedding"
    ]
    ours = interpolate_positions(positions, (7, 7), (side, side), align_corners=True, antialias=False)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_the_same_grid_gives_back_the_same_tensor():
    positions = torch.randn(1, 7, 4)
    assert interpolate_positions(positions, (2, 3), (2, 3)) is positions


def test_a_constant_and_the_type_survive_and_gradients_come_back():
    constant = torch.ones(1, 17, 3, dtype=torch.bfloat16, requires_grad=True)
    resized = interpolate_positions(constant, (4, 4), (7, 3))
    assert resized.dtype == torch.bfloat16 and resized.shape == (1, 22, 3)
    torch.testing.assert_close(resized.float(), torch.ones(1, 22, 3), rtol=1e-2, atol=0)
    resized.float().sum().backward()
    assert (constant.grad != 0).any() and (constant.grad[:, 0] == 1).all()


def test_a_state_dict_s_positions_follow_the_grid():
    state = {"pos_embed": torch.randn(1, 17, 4), "other": torch.zeros(2)}
    fitted = resized_state(state, (5, 6))
    assert torch.equal(fitted["pos_embed"], interpolate_positions(state["pos_embed"], (4, 4), (5, 6)))
    assert state["pos_embed"].shape[1] == 17 and fitted["other"] is state["other"]
    for odd in (torch.randn(1, 18, 4), torch.randn(1, 1, 4), torch.randn(17, 4), "no tensor"):
        assert resized_state({"pos_embed": odd}, (5, 6))["pos_embed"] is odd  # left for the loader to refuse
    assert resized_state({}, (2, 2)) == {}


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: sincos_1d(torch.zeros(2), 3), "expected an even dim"),
        (lambda: sincos_2d((2, 2), 6), "multiple of 4"),
        (lambda: sincos_2d((2, 2), 8, first="x"), "expected first to be"),
        (lambda: learned_positions(0, 4), "expected num_tokens"),
        (
            lambda: interpolate_positions(torch.zeros(1, 16, 4), (4, 4), (2, 2)),
            r"expected positions \[1, 1 \+ 4 \* 4, D\], got \[1, 16, 4\]",
        ),
        (lambda: sincos_1d(torch.zeros(2), 0), "expected dim"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
