"""Item transforms, and batch augmentation as one matrix and one interpolation per image."""

import colorsys
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torchvision.transforms import v2

from coursekit.augment.colour import (
    Brightness,
    ColourTransform,
    Contrast,
    Hue,
    Normalize,
    RandomErasing,
    Saturation,
    compose_colour,
    imagenet_stats,
)
from coursekit.augment.geometry import (
    CoordTransform,
    Dihedral,
    Flip,
    RandomResizedCropBatch,
    Rotate,
    Warp,
    Zoom,
    transform_points,
)
from coursekit.augment.mix import cutmix, mixup
from coursekit.augment.pipeline import BatchPipeline, Sampling, aug_transforms, mirror, resize_batch, sampling_grid
from coursekit.augment.resize import RandomResizedCrop, Resize, ResizeMethod, as_size, item_tfm_from_spec
from coursekit.core import DataError, torch_seeded


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def smooth(batch: int, size: int) -> torch.Tensor:
    "Pictures without fine texture, in which resampling errors are small."
    coarse = noise(batch, 3, 6, 6).float()
    return F.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 255).round().to(torch.uint8)


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


# ---- item transforms


@pytest.mark.parametrize("method", list(ResizeMethod))
@pytest.mark.parametrize("size", [17, (10, 30)])
@pytest.mark.parametrize("shape", [(40, 30), (30, 40), (7, 90), (1, 1), (17, 17)])
@pytest.mark.parametrize("u", [None, (0.0, 0.0), (0.999, 0.999)])
def test_resize_always_gives_the_size_asked_for(method, size, shape, u):
    height, width = as_size(size)
    assert Resize(size, method)(photo(*shape), u).size == (width, height)


def test_crop_without_numbers_is_the_centre_and_numbers_move_it_from_edge_to_edge():
    img = photo(60, 20)
    pixels = np.asarray(img)
    tfm = Resize(20)
    assert np.array_equal(tfm(img), pixels[:, 20:40])
    assert np.array_equal(tfm(img, (0.0, 0.5)), pixels[:, :20])
    assert np.array_equal(tfm(img, (1 - 2**-24, 0.5)), pixels[:, 40:])


def test_every_crop_position_is_equally_likely():
    tfm = Resize(2)
    row = np.tile(np.arange(5, dtype=np.uint8)[None, :, None], (2, 1, 3))
    starts = [int(tfm.finish(row, (u, 0.5))[0, 0, 0]) for u in (np.arange(400) + 0.5) / 400]
    assert np.bincount(starts).tolist() == [100, 100, 100, 100]


@pytest.mark.parametrize(("pad_mode", "corner"), [("zeros", 0), ("border", 100), ("reflection", 100)])
def test_padding_fills_the_outside_as_told_and_keeps_the_proportions(pad_mode, corner):
    img = Image.new("RGB", (40, 20), (100, 100, 100))
    img.paste((200, 200, 200), (10, 5, 30, 15))
    padded = np.asarray(Resize(40, ResizeMethod.Pad, pad_mode=pad_mode)(img))
    assert np.array_equal(padded[10:30], np.asarray(img))
    assert padded[9, 0, 0] == corner and padded[0, 0, 0] == corner


def test_padding_by_reflection_mirrors_about_the_edge():
    img = photo(40, 20)
    padded = np.asarray(Resize(40, ResizeMethod.Pad)(img))
    assert np.array_equal(padded[5:10], np.asarray(img)[5:0:-1])


def test_shrinking_an_item_averages_instead_of_skipping_pixels():
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    shrunk = np.asarray(Resize(16)(Image.fromarray(stripes))).astype(float)
    assert abs(shrunk[2:-2, 2:-2] - 127.5).max() < 16


def test_random_resized_crop_stays_inside_and_keeps_area_and_proportions_in_range():
    tfm = RandomResizedCrop(32, min_scale=0.3)
    rng = np.random.default_rng(0)
    for _ in range(300):
        left, top, right, bottom = tfm.box((300, 400), rng.random(4))
        width, height = right - left, bottom - top
        assert left >= 0 and top >= 0 and right <= 400 and bottom <= 300
        assert 3 / 4 - 1e-9 <= width / height <= 4 / 3 + 1e-9
        assert width * height >= 0.3 * 300 * 400 - 1e-6


def test_random_resized_crop_takes_any_numbers_on_any_shape():
    rng = np.random.default_rng(1)
    for shape in [(31, 47), (33, 44), (40, 30), (1, 50), (7, 7)]:
        img = photo(*shape)
        for _ in range(60):
            u = np.where(rng.random(4) < 0.3, rng.choice([0.0, 0.5, 1 - 2**-24], 4), rng.random(4))
            assert RandomResizedCrop(16)(img, u).size == (16, 16)


def test_random_resized_crop_in_validation_is_centred_and_the_same_every_time():
    tfm = RandomResizedCrop(100)
    left, top, right, bottom = tfm.box((300, 400))
    assert (left + right, top + bottom) == pytest.approx((400, 300))
    assert right - left == pytest.approx(bottom - top) == pytest.approx(300 / 1.14)
    img = photo(90, 70)
    assert np.array_equal(tfm(img), tfm(img))


def test_prepare_then_finish_is_the_whole_transform():
    img = photo(123, 77)
    for tfm in [Resize(40), Resize((30, 50), ResizeMethod.Pad), RandomResizedCrop(24)]:
        u = np.linspace(0.1, 0.9, tfm.n_uniforms)
        halves = tfm.finish(np.asarray(tfm.prepare(img)), u)
        assert np.array_equal(halves, np.asarray(tfm(img, u)))


@pytest.mark.parametrize(
    "tfm",
    [
        Resize(40),
        Resize((30, 50), ResizeMethod.Squish),
        Resize(9, "pad", pad_mode="zeros"),
        RandomResizedCrop(24, min_scale=0.5, ratio=(0.9, 1.1)),
    ],
)
def test_item_transforms_come_back_from_their_description(tfm):
    import json

    again = item_tfm_from_spec(json.loads(json.dumps(tfm.spec())))
    img, u = photo(77, 60), np.linspace(0.2, 0.7, tfm.n_uniforms)
    assert np.array_equal(again(img), tfm(img)) and np.array_equal(again(img, u), tfm(img, u))


def test_no_item_transform_stays_none():
    assert item_tfm_from_spec(None) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Resize(0),
        lambda: Resize((1, 2, 3)),
        lambda: Resize(2.5),
        lambda: Resize("224"),
        lambda: Resize(True),
        lambda: Resize(np.float64(2.5)),
        lambda: Resize(20_000),
        lambda: RandomResizedCrop(8, ratio=(4 / 3, 3 / 4)),
        lambda: RandomResizedCrop(8, val_xtra=-0.1),
        lambda: Zoom(1.0, 0.9),
        lambda: Zoom(0, 1.1),
        lambda: Rotate(float("nan")),
        lambda: aug_transforms(max_rotate=float("inf")),
        lambda: Normalize.from_stats([0.5] * 3, [0.2, 0.2, 0]),
        lambda: Resize(8, "crpo"),
        lambda: Resize(8, ResizeMethod.Pad, pad_mode="mirror"),
        lambda: RandomResizedCrop(8, min_scale=0),
        lambda: RandomResizedCropBatch(1.5),
        lambda: Warp(0.7),
        lambda: Sampling(8, mode="trilinear"),
        lambda: item_tfm_from_spec({"name": "eval"}),
        lambda: aug_transforms(batch=True),
        lambda: RandomErasing(sl=0.4),
        lambda: RandomErasing(sh=1.5),
        lambda: Brightness(1.0),
        lambda: BatchPipeline([Resize(8)]),
        lambda: BatchPipeline(aug_transforms(size=8) + aug_transforms(size=9)),
    ],
)
def test_nonsense_is_refused_where_it_is_written(make):
    with pytest.raises(DataError) as caught:
        make()
    assert caught.value.remedy


# ---- matrices


ALL_COORDS = [Flip(), Dihedral(), Rotate(45), Zoom(0.7, 1.6), Warp(0.3), RandomResizedCropBatch(0.4)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("aspect", [1.0, 1.5])
def test_composing_equals_applying_the_matrices_in_turn(seed, aspect):
    pipeline = BatchPipeline(ALL_COORDS, seed=seed)
    u = pipeline.draw(0, range(20))
    points = torch.rand(50, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1
    at_once = transform_points(pipeline.matrices(u, aspect), points)
    parts = u.split([tfm.n_uniforms for tfm in ALL_COORDS], dim=1)
    for item in range(20):
        place = points
        for tfm, part in reversed(list(zip(ALL_COORDS, parts, strict=True))):  # the last change is undone first
            place = transform_points(tfm.matrix(part, aspect)[item : item + 1], place)[0]
        assert torch.allclose(at_once[item], place, atol=1e-4)


def test_composing_equals_resampling_in_turn_on_smooth_pictures():
    x = smooth(4, 96)
    tfms = [Rotate(20, p=1), Zoom(1.1, 1.4, p=1)]
    pipeline = BatchPipeline(tfms)
    u = pipeline.draw(0, range(4))
    once = pipeline(x, u)
    rotated = BatchPipeline(tfms[:1])(x, u[:, :2])
    twice = BatchPipeline(tfms[1:])((rotated * 255).round().to(torch.uint8), u[:, 2:])
    assert (once - twice)[..., 16:-16, 16:-16].abs().max() < 0.03
    wrong_order = BatchPipeline(tfms[::-1])(x, torch.cat([u[:, 2:], u[:, :2]], dim=1))
    assert (once - wrong_order).abs().max() > 0.1


def test_an_anticlockwise_rotation_by_90_degrees_is_that_of_torch():
    x = noise(1, 3, 15, 15)
    turned = BatchPipeline([Rotate(90, p=1)])(x, torch.tensor([[0.0, 1.0]]))
    assert torch.allclose(turned * 255, torch.rot90(x, 1, (2, 3)).float(), atol=0.01)


def test_rotation_of_a_wide_picture_keeps_lengths_in_pixels():
    matrix = Rotate(30, p=1).matrix(torch.tensor([[0.0, 1.0]]), aspect=2.0)
    half_sides = torch.tensor([2.0, 1.0]).double()  # in pixels
    points = torch.tensor([[0.0, 0.0], [0.25, 0.0], [0.0, 0.5]]).double()
    origin, across, down = transform_points(matrix, points)[0] * half_sides
    assert (across - origin).norm() == pytest.approx(0.25 * 2)
    assert (down - origin).norm() == pytest.approx(0.5 * 1)
    assert (across - origin) @ (down - origin) == pytest.approx(0, abs=1e-9)


def test_the_eight_symmetries_of_the_square_are_exact_and_all_different():
    x = noise(1, 3, 9, 9)
    u = torch.tensor([[0.0, (i + 0.5) / 8] for i in range(8)])
    got = (BatchPipeline([Dihedral(p=1)])(x.expand(8, -1, -1, -1), u) * 255).round().to(torch.uint8)
    expected = {
        tuple(torch.rot90(side, k, (1, 2)).flatten().tolist()) for side in (x[0], x[0].flip(2)) for k in range(4)
    }
    assert {tuple(one.flatten().tolist()) for one in got} == expected


@pytest.mark.parametrize(("x", "y"), [(0.2, 0.0), (0.0, -0.15)])
def test_warp_by_one_tilt_moves_the_corners_as_fastai_does(x, y):
    m = 0.25
    u = torch.tensor([[0.0, (x / m + 1) / 2, (y / m + 1) / 2]])
    corners = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]).double()
    moved = [[-1 - y, -1 - x], [-1 + y, 1 + x], [1 + y, -1 + x], [1 - y, 1 - x]]
    assert torch.allclose(transform_points(Warp(m, p=1).matrix(u), corners)[0], torch.tensor(moved).double(), atol=1e-6)


@pytest.mark.parametrize("tfm", [Flip(0.3), Dihedral(0.3), Rotate(10, 0.3), Zoom(p=0.3), Warp(p=0.3)])
def test_each_image_has_its_own_gate_of_probability_p(tfm):
    u = BatchPipeline([tfm]).draw(0, range(4000))
    changed = (tfm.matrix(u) != torch.eye(3)).flatten(1).any(1).float().mean().item()
    expected = 0.3 * 7 / 8 if isinstance(tfm, Dihedral) else 0.3
    assert changed == pytest.approx(expected, abs=0.03)


def test_random_crop_draws_the_area_uniformly_and_for_each_image():
    tfm = RandomResizedCropBatch(0.5)
    sides = tfm.matrix(BatchPipeline([tfm]).draw(0, range(4000)))[:, 0, 0]
    areas = sides**2
    assert areas.min() >= 0.5 and areas.max() <= 1 and areas.mean().item() == pytest.approx(0.75, abs=0.01)
    assert len(sides.unique()) > 3000


# ---- pixels


def test_identity_parameters_change_nothing():
    x = noise(5, 3, 33, 47)
    pipeline = BatchPipeline(
        aug_transforms(do_flip=False, max_rotate=0, max_zoom=1, max_warp=0, max_lighting=0, xtra_tfms=Rotate(0))
    )
    assert torch.allclose(pipeline(x, pipeline.draw(0, range(5))), x.float() / 255, atol=1e-6)


def test_images_whose_gates_are_all_closed_take_the_validation_path():
    x = noise(6, 3, 64, 64)
    pipeline = BatchPipeline(aug_transforms(size=24, p_affine=0, p_lighting=0))
    u = pipeline.draw(0, range(6))
    mirrored = u[:, pipeline.columns.index("Flip.gate")] < 0.5
    assert 0 < mirrored.sum() < 6
    plain = pipeline(x)
    expected = torch.where(mirrored[:, None, None, None], plain.flip(3), plain)
    assert torch.allclose(pipeline(x, u), expected, atol=1e-6)


@pytest.mark.parametrize("align_corners", [True, False])
def test_sampling_with_the_identity_matrix_reads_every_pixel_where_it_is(align_corners):
    x = noise(2, 3, 21, 30)
    grid = sampling_grid(torch.eye(3).expand(2, 3, 3), (21, 30), align_corners)
    assert torch.allclose(F.grid_sample(x.float(), grid, align_corners=align_corners), x.float(), atol=1e-2)


@pytest.mark.parametrize(
    ("pad_mode", "numpy_mode"), [("reflection", "reflect"), ("border", "edge"), ("zeros", "constant")]
)
def test_outside_the_picture_is_filled_as_told(pad_mode, numpy_mode):
    x = noise(1, 3, 21, 21)
    pipeline = BatchPipeline([Zoom(0.5, 0.5, p=1), Sampling(41, pad_mode=pad_mode)])  # 10 pixels more on each side
    seen = pipeline(x, torch.tensor([[0.0, 0.0, 0.5, 0.5]]))[0] * 255
    expected = np.pad(x[0].numpy(), ((0, 0), (10, 10), (10, 10)), mode=numpy_mode)
    assert torch.allclose(seen, torch.from_numpy(expected).float(), atol=0.01)


def test_minification_does_not_alias():
    """Stripes finer than the output's pixels must come out grey, as they do in the validation path."""
    stripes = torch.zeros(8, 3, 240, 240, dtype=torch.uint8)
    stripes[..., ::2] = 255
    pipeline = BatchPipeline(aug_transforms(size=64, max_lighting=0))
    out = pipeline(stripes, pipeline.draw(0, range(8)))
    assert (out[..., 4:-4, 4:-4] - 0.5).abs().max() < 0.1
    grid = sampling_grid(pipeline.matrices(pipeline.draw(0, range(8))).float(), (64, 64))
    naive = F.grid_sample(stripes.float() / 255, grid, padding_mode="reflection", align_corners=True)
    assert (naive[..., 4:-4, 4:-4] - 0.5).abs().max() > 0.4


def test_shrinking_first_moves_nothing():
    """A small rotation at full size and after averaging shows the same scene in the same place."""
    x = smooth(2, 256)
    u = torch.tensor([[0.0, 0.8], [0.0, 0.3]])
    tfm = Rotate(10, p=1)
    shrunk = BatchPipeline([tfm, Sampling(64)])(x, u)
    grid = sampling_grid(tfm.matrix(u).float(), (64, 64))
    direct = F.grid_sample(x.float() / 255, grid, padding_mode="reflection", align_corners=True)
    assert (shrunk - direct).abs().max() < 0.02


def test_the_same_item_gets_the_same_pixels_whatever_batch_it_is_in():
    x = noise(12, 3, 100, 100)
    pipeline = BatchPipeline(aug_transforms(size=48, min_scale=0.3))
    together = pipeline(x, pipeline.draw(3, range(12)))
    for some in ([7], [11, 2, 7, 0], list(range(11, -1, -1))):
        alone = pipeline(x[some], pipeline.draw(3, some))
        assert torch.equal(alone, together[some])


def test_draws_depend_on_seed_epoch_and_item_only():
    a, b = BatchPipeline(aug_transforms()), BatchPipeline(aug_transforms())
    torch.manual_seed(1)
    first = a.draw(0, [5, 6])
    torch.manual_seed(2)
    assert torch.equal(first, b.draw(0, [5, 6])) and torch.equal(first[1:], b.draw(0, [6]))
    assert not torch.equal(first, a.draw(1, [5, 6]))
    assert not torch.equal(first, BatchPipeline(aug_transforms(), seed=7).draw(0, [5, 6]))


def test_the_global_generators_are_left_alone():
    before = torch.get_rng_state()
    pipeline = BatchPipeline(aug_transforms())
    pipeline(noise(2, 3, 16, 16), pipeline.draw(0, [0, 1]))
    assert torch.equal(before, torch.get_rng_state())


def test_layout_in_memory_does_not_matter():
    x = noise(3, 3, 80, 60)
    pipeline = BatchPipeline(aug_transforms(size=(32, 40), min_scale=0.5))
    u = pipeline.draw(0, range(3))
    channels_last = x.to(memory_format=torch.channels_last)
    assert torch.allclose(pipeline(x, u), pipeline(channels_last, u), atol=1e-5)
    assert torch.allclose(pipeline(x), pipeline(channels_last), atol=1 / 255 + 1e-6)


@pytest.mark.parametrize("size", [None, 32, (24, 40)])
def test_training_and_validation_batches_have_the_same_form(size):
    x = noise(2, 3, 50, 60)
    pipeline = BatchPipeline(aug_transforms(size=size))
    expected = (2, 3, *(as_size(size) if size else (50, 60)))
    for out in (pipeline(x), pipeline(x, pipeline.draw(0, [0, 1]))):
        assert out.shape == expected and out.dtype == torch.float32 and out.min() >= 0 and out.max() <= 1


def test_an_empty_pipeline_only_scales_to_unit_range():
    x = noise(2, 3, 5, 5)
    pipeline = BatchPipeline()
    assert pipeline.n_uniforms == 0
    assert torch.equal(pipeline(x), x.float() / 255)
    assert torch.allclose(pipeline(x, pipeline.draw(0, [0, 1])), x.float() / 255)


# ---- colours


def test_lighting_follows_its_formulas():
    u = torch.tensor([[0.0, 0.9]])
    values = torch.tensor([0.2, 0.5, 0.7])
    brighter = Brightness(0.2, p=1).colour(u)[0] @ torch.cat([values, torch.ones(1)]).double()
    assert torch.allclose(brighter.float(), values * (1 + 0.16))
    harder = Contrast(0.2, p=1).colour(u)[0] @ torch.cat([values, torch.ones(1)]).double()
    assert torch.allclose(harder.float(), (values - 0.5) * math.exp(0.8 * -math.log(0.8)) + 0.5)


def test_colour_maps_compose_in_the_order_of_the_list():
    maps = torch.randn(3, 4, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    value = torch.tensor([0.1, 0.5, 0.9]).double()
    at_once = compose_colour(list(maps), 4)
    for item in range(4):
        rgb = value
        for step in maps[:, item]:
            rgb = step[:, :3] @ rgb + step[:, 3]
        assert torch.allclose(at_once[item, :, :3] @ value + at_once[item, :, 3], rgb)


def test_colours_are_clamped_once_at_the_end():
    class Double(ColourTransform):
        def colour(self, u):
            return 2 * torch.eye(3, 4, dtype=torch.float64).expand(len(u), 3, 4)

    class Halve(ColourTransform):
        def colour(self, u):
            return 0.5 * torch.eye(3, 4, dtype=torch.float64).expand(len(u), 3, 4)

    x = noise(2, 3, 8, 8)
    there_and_back = BatchPipeline([Double(), Halve()])
    assert torch.allclose(there_and_back(x, there_and_back.draw(0, [0, 1])), x.float() / 255, atol=1e-6)
    assert BatchPipeline([Double()])(x, torch.empty(2, 0)).max() == 1


def test_normalize_comes_last_in_training_and_validation():
    x = noise(2, 3, 8, 8)
    mean, std = (torch.tensor(stat).view(3, 1, 1) for stat in imagenet_stats)
    plain = BatchPipeline(aug_transforms(size=8))
    normalized = BatchPipeline([*aug_transforms(size=8), Normalize.from_stats(*imagenet_stats)])
    u = plain.draw(0, [0, 1])
    assert torch.allclose(normalized(x), (plain(x) - mean) / std, atol=1e-5)
    assert torch.allclose(normalized(x, u), (plain(x, u) - mean) / std, atol=1e-5)


def test_saturation_is_that_of_torchvision():
    x = noise(1, 3, 9, 9).float() / 255
    pipeline = BatchPipeline([Saturation(0.3, p=1)])
    factor = math.exp(0.8 * -math.log(1 - 0.3))
    ours = pipeline((x * 255).round().to(torch.uint8), torch.tensor([[0.0, 0.9]]))
    assert torch.allclose(ours, v2.functional.adjust_saturation(x, factor), atol=1e-3)


def test_hue_keeps_the_luma_and_a_full_circle_changes_nothing():
    luma = torch.tensor([0.299, 0.587, 0.114]).double()
    draws = torch.tensor([[0.0, i / 8] for i in range(9)])
    maps = Hue(0.5, p=1).colour(draws)  # from minus half a circle to plus half a circle
    assert torch.allclose(luma @ maps[..., :3], luma.expand(9, 3)) and maps[..., 3].abs().max() == 0
    assert torch.allclose(maps[0], maps[8]) and torch.allclose(maps[4, :, :3], torch.eye(3).double())
    grey = torch.full((3,), 0.4).double()
    assert torch.allclose(maps[..., :3] @ grey, grey.expand(9, 3), atol=1e-4), "grey has no hue"


@pytest.mark.parametrize("share", [0.05, 0.1, -0.1])
@pytest.mark.parametrize("rgb", [(0.7, 0.4, 0.3), (0.3, 0.7, 0.4), (0.4, 0.3, 0.7), (0.6, 0.6, 0.2)])
def test_hue_turns_the_way_that_hsv_does_and_about_as_far(share, rgb):
    turn = Hue(0.2, p=1).colour(torch.tensor([[0.0, (share / 0.2 + 1) / 2]]))[0, :, :3]
    before, after = (colorsys.rgb_to_hsv(*values)[0] for values in (rgb, (turn @ torch.tensor(rgb).double()).tolist()))
    turned = (after - before + 0.5) % 1 - 0.5
    assert 0.5 < turned / share < 1.7


@pytest.mark.parametrize("tfm", [Brightness(0.4, 0.3), Contrast(0.4, 0.3), Saturation(0.4, 0.3), Hue(0.1, 0.3)])
def test_each_image_has_its_own_gate_for_colours_too(tfm):
    u = BatchPipeline([tfm]).draw(0, range(4000))
    maps = tfm.colour(u)
    changed = ((maps - torch.eye(3, 4)).abs() > 1e-9).flatten(1).any(1).float().mean().item()
    assert changed == pytest.approx(0.3, abs=0.03)
    assert len(maps[:, 0, 0].unique()) > 1000


def test_maps_that_keep_channels_apart_give_the_same_as_maps_that_may_mix():
    x = noise(3, 3, 20, 20)
    apart, mixing = BatchPipeline([Brightness(), Contrast()]), BatchPipeline([Brightness(), Contrast(), Hue(0.0)])
    u = mixing.draw(0, range(3))
    assert not apart.mixes and mixing.mixes
    assert torch.allclose(apart(x, u[:, :4]), mixing(x, u), atol=1e-3)


# ---- erasing


def test_erasing_hides_one_rectangle_of_one_colour_and_nothing_else():
    x = noise(40, 3, 30, 40)
    pipeline = BatchPipeline([RandomErasing(p=0.5)])
    u = pipeline.draw(0, range(40))
    out, plain = pipeline(x, u), x.float() / 255
    hidden = ((out - plain).abs() > 1e-6).any(dim=1)
    boxes = RandomErasing(p=0.5).boxes(u, (30, 40))
    for i, (top, left, bottom, right) in enumerate(boxes.tolist()):
        expected = torch.zeros(30, 40, dtype=torch.bool)
        expected[top:bottom, left:right] = True
        assert not (hidden[i] & ~expected).any()
        if top < bottom:
            assert torch.equal(out[i, :, top, left], u[i, 5:])
            assert (out[i, :, top:bottom, left:right] == u[i, 5:, None, None]).all()
    assert 10 < (boxes[:, 2] > 0).sum() < 30


def test_erased_areas_and_proportions_are_in_range_and_inside():
    tfm = RandomErasing(p=1)
    boxes = tfm.boxes(BatchPipeline([tfm]).draw(0, range(4000)), (200, 200)).double()
    height, width = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    assert boxes.min() >= 0 and boxes[:, 2:].max() <= 200 and height.min() >= 1 and width.min() >= 1
    areas = height * width / 200**2
    assert areas.max() < 0.31 and areas.mean().item() == pytest.approx(0.15, abs=0.02)
    assert len(boxes.unique(dim=0)) > 3500, "each image has its own"


def test_erasing_comes_after_colours_and_before_normalising():
    x = noise(2, 3, 16, 16)
    tfms = [RandomErasing(p=1), Brightness(0.5, p=1), Normalize.from_stats(*imagenet_stats)]
    pipeline = BatchPipeline(tfms)
    u = pipeline.draw(0, range(2))
    out = tfms[2].undo(pipeline(x, u))
    for i, (top, left, _, _) in enumerate(tfms[0].boxes(u[:, :8], (16, 16)).tolist()):
        assert torch.allclose(out[i, :, top, left], u[i, 5:8], atol=1e-6)


def test_validation_is_not_erased():
    x = noise(2, 3, 16, 16)
    assert torch.equal(BatchPipeline([RandomErasing(p=1)])(x), x.float() / 255)


# ---- mixing


def mixing_batch() -> tuple[torch.Tensor, torch.Tensor]:
    return noise(6, 3, 20, 24).float() / 255, torch.tensor([0, 1, 2, 3, 4, 0])


@pytest.mark.parametrize(("mix", "torchvision_s", "alpha"), [(mixup, v2.MixUp, 0.4), (cutmix, v2.CutMix, 1.0)])
@pytest.mark.parametrize("seed", range(4))
def test_mixing_is_torchvision_s(mix, torchvision_s, alpha, seed):
    x, y = mixing_batch()
    mixed, targets = mix(x, y, 5, seed)
    with torch_seeded(seed):
        expected, expected_targets = torchvision_s(alpha=alpha, num_classes=5)(x, y)
    assert torch.equal(mixed, expected) and torch.equal(targets, expected_targets)


@pytest.mark.parametrize("mix", [mixup, cutmix])
def test_mixing_by_hand_gives_the_same(mix):
    x, y = mixing_batch()
    mixed, targets = mix(x, y, 5, seed=3)
    share = targets[1, 1]  # photo 1 and its neighbour 0 have different labels
    one_hot = F.one_hot(y, 5).float()
    assert torch.allclose(targets, share * one_hot + (1 - share) * one_hot.roll(1, 0))
    if mix is mixup:
        assert torch.allclose(mixed, share * x + (1 - share) * x.roll(1, 0))
    else:
        own = (mixed == x).all(dim=1)
        assert ((mixed == x.roll(1, 0)).all(dim=1) | own).all()
        assert own[1].float().mean() == pytest.approx(share.item(), abs=1e-6)


@pytest.mark.parametrize("mix", [mixup, cutmix])
def test_values_of_targets_to_mix_are_not_read_from_a_device(mix):
    """A tensor on "meta" has no values: reading one raises, as reading from a GPU would make the program wait."""
    x, y = torch.zeros(4, 3, 8, 8, device="meta"), torch.zeros(4, dtype=torch.long, device="meta")
    mixed, targets = mix(x, y, 5, seed=0)
    assert mixed.device.type == targets.device.type == "meta" and targets.shape == (4, 5)


@pytest.mark.parametrize("mix", [mixup, cutmix])
def test_mixing_depends_on_its_seed_and_leaves_everything_else_alone(mix):
    x, y = mixing_batch()
    kept = x.clone()
    first = mix(x, y, 5, seed=1)
    torch.rand(7)
    before = torch.get_rng_state()
    again, other = mix(x, y, 5, seed=1), mix(x, y, 5, seed=2)
    assert torch.equal(torch.get_rng_state(), before) and torch.equal(x, kept)
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_soft_targets_are_what_cross_entropy_takes():
    x, y = mixing_batch()
    _, targets = mixup(x, y, 5, seed=0)
    assert targets.dtype == torch.float32 and torch.allclose(targets.sum(dim=1), torch.ones(6))
    logits = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    share = targets[1, 1]
    expected = share * F.cross_entropy(logits, y) + (1 - share) * F.cross_entropy(logits, y.roll(1))
    assert torch.allclose(F.cross_entropy(logits, targets), expected)


@pytest.mark.parametrize(
    ("x", "y", "n"),
    [
        (noise(4, 3, 8, 8), torch.zeros(4, dtype=torch.long), 2),
        (torch.rand(4, 3, 8, 8), torch.zeros(3, dtype=torch.long), 2),
        (torch.rand(4, 3, 8, 8), torch.zeros(4, 2), 2),
        (torch.rand(4, 3, 8, 8), torch.tensor([0, 1, 2, 0]), 2),
    ],
)
def test_what_cannot_be_mixed_is_refused(x, y, n):
    with pytest.raises(DataError, match="cannot be mixed"):
        mixup(x, y, n, seed=0)


# ---- aug_transforms


def test_defaults_are_those_of_the_source_library():
    assert aug_transforms() == [
        Flip(0.5),
        Warp(0.2, 0.75),
        Rotate(10.0, 0.75),
        Zoom(1.0, 1.1, 0.75),
        Brightness(0.2, 0.75),
        Contrast(0.2, 0.75),
        Sampling(None, "bilinear", "reflection", True),
    ]


def test_arguments_reach_the_transforms():
    tfms = aug_transforms(mult=2, flip_vert=True, max_rotate=5, max_warp=0.1, min_scale=0.75, size=64, max_zoom=1)
    assert tfms == [
        RandomResizedCropBatch(0.75),
        Dihedral(),
        Warp(0.2),
        Rotate(10),
        Brightness(0.4),
        Contrast(0.4),
        Sampling(64),
    ]
    assert aug_transforms(xtra_tfms=[Rotate(3)])[-2] == Rotate(3)


def test_columns_name_every_number_in_the_order_of_the_list():
    pipeline = BatchPipeline(aug_transforms(min_scale=0.75))
    assert pipeline.n_uniforms == len(pipeline.columns) == sum(tfm.n_uniforms for tfm in pipeline.tfms)
    assert pipeline.columns[:5] == [
        "RandomResizedCropBatch.area",
        "RandomResizedCropBatch.across",
        "RandomResizedCropBatch.down",
        "Flip.gate",
        "Warp.gate",
    ]


def test_a_transform_of_ones_own_takes_part():
    class MoveRight(CoordTransform):
        columns = ("how_far",)

        def matrix(self, u, aspect=1.0):
            matrix = torch.eye(3, dtype=torch.float64).repeat(len(u), 1, 1)
            matrix[:, 0, 2] = -u[:, 0].double()
            return matrix

    x = noise(1, 3, 9, 9)
    out = BatchPipeline([MoveRight()])(x, torch.tensor([[0.5]]))  # half of 8 pixels' half: two pixels
    assert torch.allclose(out[..., 2:], x[..., :-2].float() / 255, atol=1e-4)


@pytest.mark.parametrize(("kind", "method"), [(CoordTransform, "matrix"), (ColourTransform, "colour")])
def test_a_transform_of_ones_own_must_say_what_it_does(kind, method):
    class Idle(kind):
        columns = ("gate",)

    with pytest.raises(TypeError, match=f"abstract method.* '?{method}"):
        Idle()


@pytest.mark.parametrize(("kind", "p"), [(Flip, 50), (Rotate, -0.1), (Hue, 1.01), (RandomErasing, float("nan"))])
def test_a_probability_is_from_0_to_1(kind, p):
    with pytest.raises(DataError, match="out of range") as caught:
        kind(p=p)
    assert kind.__name__ in str(caught.value) and "from 0 to 1" in caught.value.remedy
    BatchPipeline([Flip(p=0), Rotate(p=1), Normalize.from_stats(*imagenet_stats)])


@pytest.mark.parametrize("turned", [(), (1,), (0, 1, 2)])
def test_mirroring_moves_the_pixels_of_those_that_are_turned_and_of_no_others(turned):
    x, matrices = noise(3, 3, 6, 8), torch.eye(3, dtype=torch.float64).repeat(3, 1, 1)
    matrices[list(turned), 0, 0] = -1
    expected = torch.stack([image.flip(-1) if i in turned else image for i, image in enumerate(x)])
    assert torch.equal(mirror(x, matrices), expected)
    upside_down = matrices[:, [1, 0, 2]][:, :, [1, 0, 2]]
    expected = torch.stack([image.flip(-2) if i in turned else image for i, image in enumerate(x)])
    assert torch.equal(mirror(x, upside_down), expected)
    assert (mirror(x, matrices) is x) == (not turned), "nothing is copied where nothing is turned"


# ---- the description


@pytest.mark.parametrize("size", [None, 20, (16, 24)])
@pytest.mark.parametrize("extra", [[], [Normalize.from_stats(*imagenet_stats)]])
def test_the_validation_path_comes_back_from_its_description(size, extra):
    import json

    pipeline = BatchPipeline([*aug_transforms(size=size), *extra])
    again = BatchPipeline.from_spec(json.loads(json.dumps(pipeline.spec())))
    x = noise(2, 3, 48, 48)
    assert torch.equal(again(x), pipeline(x)) and again.spec() == pipeline.spec()


def test_resizing_a_batch_agrees_with_pillow():
    img = photo(90, 70)
    batch = torch.from_numpy(np.array(img)).permute(2, 0, 1)[None]
    pillow = np.asarray(img.resize((30, 20), Image.Resampling.BILINEAR)).astype(int)
    ours = resize_batch(batch, (20, 30))[0].permute(1, 2, 0).numpy().astype(int)
    assert abs(ours - pillow).max() <= 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_an_accelerator_gives_the_same_pixels_as_the_cpu():
    x = noise(4, 3, 100, 90)
    pipeline = BatchPipeline(aug_transforms(size=48, min_scale=0.5))
    u = pipeline.draw(0, range(4))
    assert torch.allclose(pipeline(x.cuda(), u).cpu(), pipeline(x, u), atol=2 / 255)
    assert torch.allclose(pipeline(x.cuda()).cpu(), pipeline(x), atol=1.01 / 255)


def test_one_batch_transform_will_do_without_a_list():
    x = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    alone = Normalize.from_stats(*imagenet_stats)
    assert torch.equal(BatchPipeline(alone)(x), BatchPipeline([alone])(x))


def test_where_torch_cannot_resize_uint8_float32_takes_its_place():
    x = torch.zeros(2, 3, 40, 30, dtype=torch.uint8, device="meta")
    resized = resize_batch(x, (20, 15))
    assert resized.shape == (2, 3, 20, 15) and resized.dtype == torch.uint8 and resized.device.type == "meta"


def test_a_batch_taken_at_once_as_on_a_gpu_gives_what_pieces_give(monkeypatch):
    x, pipeline = noise(20, 3, 60, 50), BatchPipeline(aug_transforms(size=32, min_scale=0.5))
    u = pipeline.draw(0, range(20))
    in_pieces = pipeline(x, u)
    monkeypatch.setattr("coursekit.augment.pipeline.CHUNK", {})
    assert torch.allclose(pipeline(x, u), in_pieces, atol=1e-6)
