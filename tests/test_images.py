"""Opening any image (coursekit.images). Numbers in names: rows of the table of faults."""

import io
import os
import warnings

import numpy as np
import pytest
import torch
from odd_images import encoded, photo, png_of_zeros
from PIL import Image, ImageCms, ImageFile, features

from coursekit.core import DataError
from coursekit.formats import looks_like
from coursekit.images import (
    BACKGROUND,
    ImageTypeError,
    image_size,
    open_image,
    presize,
    resize_image,
    shrink_while_decoding,
    to_uint8,
)


def pixels(source) -> np.ndarray:
    return np.asarray(open_image(source))


def refusal(source) -> str:
    with pytest.raises(DataError) as caught:
        open_image(source)
    assert caught.value.remedy or "no such" in str(caught.value), "an error says what to do"
    return str(caught.value)


# what is not an image


def test_1_an_empty_file_is_named(tmp_path):
    (tmp_path / "empty.jpg").touch()
    message = refusal(tmp_path / "empty.jpg")
    assert "empty.jpg" in message and "an empty file" in message


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "looks like HTML"),
        (b"\xef\xbb\xbf\n  <HTML><head></head>", "looks like HTML"),
        (b"image;label\n1;cat\n", "looks like text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull"),
        (b"PK\x03\x04" + bytes(50), "ZIP archive"),
        (b"MATLAB 5.0 MAT-file", "MATLAB"),
        (bytes(4096), "zero bytes"),
        (bytes(range(256)), "unknown kind"),
        (b"%PDF-1.7 ", "PDF"),
    ],
)
def test_2_what_is_no_image_is_called_by_its_name(tmp_path, content, what):
    (tmp_path / "cat.jpg").write_bytes(content)
    assert what in refusal(tmp_path / "cat.jpg")
    assert what in refusal(content)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\xff\x0a" + bytes(30), "JPEG XL"),
        (b"\0\0\0\x18ftypisom", "video"),
    ],
)
def test_14_formats_without_a_decoder_are_named_with_a_remedy(content, what):
    message = refusal(content)
    assert what in message and "convert it to JPEG or PNG" in message


def test_14_avif_opens_where_there_is_a_decoder_and_is_named_where_there_is_none():
    assert "AVIF" in looks_like(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1")[0]
    if features.check("avif"):
        assert np.abs(pixels(encoded(photo(), "AVIF")).astype(int) - np.asarray(photo())).mean() < 8


def test_14_drawings_that_other_programs_would_have_to_draw_are_refused():
    assert "unsupported format EPS" in refusal(encoded(photo(), "EPS"))


# damaged files


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"])
def test_3_a_file_cut_off_anywhere_is_refused(kind):
    whole = encoded(photo(), kind)
    for cut in range(0, len(whole) - 12, max(1, len(whole) // 15)):
        assert "Cannot open" in refusal(whole[:cut])


def test_3_truncation_is_found_where_verify_finds_nothing(tmp_path):
    path = tmp_path / "cut.jpg"
    path.write_bytes(encoded(photo(300, 200), "JPEG")[:-400])
    with Image.open(path) as img:
        img.verify()
    assert "damaged or cut off" in refusal(path) and "cut.jpg" in refusal(path)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_3_bytes_changed_in_the_middle_of_a_png_are_found():
    data = bytearray(encoded(photo(300, 200), "PNG"))
    data[len(data) // 2] ^= 0xFF
    assert "damaged" in refusal(bytes(data))


def test_3_a_damaged_pil_image_is_refused_like_its_file():
    lazy = Image.open(io.BytesIO(encoded(photo(300, 200), "JPEG")[:-400]))
    assert "damaged" in refusal(lazy)


def test_4_content_counts_and_not_the_ending(tmp_path):
    (tmp_path / "really_a.png.jpg").write_bytes(encoded(photo(), "PNG"))
    assert np.array_equal(pixels(tmp_path / "really_a.png.jpg"), np.asarray(photo()))


@pytest.mark.parametrize("size", [(9_600, 9_600), (19_200, 9_600)], ids=["warned by Pillow", "refused by Pillow"])
def test_12_a_decompression_bomb_is_refused_before_it_unpacks(tmp_path, size):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of_zeros(*size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        assert "too large" in refusal(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "too large" in refusal(path)
    assert Image.MAX_IMAGE_PIXELS == 89_478_485


def test_12_the_bomb_of_these_tests_is_a_good_png_when_small():
    assert open_image(png_of_zeros(50, 20)).size == (50, 20)


def test_13_extreme_shapes_open():
    assert open_image(encoded(photo(1, 1), "PNG")).size == (1, 1)
    assert open_image(encoded(photo(5000, 1), "PNG")).size == (5000, 1)


# orientation


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_5_every_orientation_comes_out_upright(kind, orientation):
    # how a picture has to be stored so that a viewer, obeying the orientation, shows it upright (EXIF 2.3, tag 274)
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    upright = np.asarray(photo())
    exif = Image.Exif()
    exif[274] = orientation
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    data = encoded(Image.fromarray(np.ascontiguousarray(stored(upright))), kind, exif=exif, **options)
    difference = pixels(data).astype(int) - upright
    assert np.abs(difference).max() <= (12 if kind == "JPEG" else 0)
    with Image.open(io.BytesIO(data)) as lazy:
        assert np.array_equal(pixels(lazy), pixels(data)), "and as a PIL image"


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_5_the_size_in_the_header_is_that_of_the_upright_image(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    (tmp_path / "x").write_bytes(encoded(photo(40, 30), kind, exif=exif))
    assert image_size(tmp_path / "x") == open_image(tmp_path / "x").size[::-1]


def test_5_a_broken_exif_block_does_not_cost_a_good_photo():
    data = encoded(photo(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffrubbish")
    assert open_image(data).size == photo().size


# modes


def test_6_cmyk_and_ycbcr_are_converted():
    rgb = photo()
    for mode, kind in [("CMYK", "JPEG"), ("CMYK", "TIFF"), ("YCbCr", "TIFF"), ("YCbCr", "JPEG")]:
        found = pixels(encoded(rgb.convert(mode), kind, **({"quality": 95} if kind == "JPEG" else {})))
        assert found.shape == (30, 40, 3) and np.abs(found.astype(int) - np.asarray(rgb)).mean() < 6, (mode, kind)


def test_6_lab_is_converted():
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    found = pixels(encoded(ImageCms.applyTransform(photo(), to_lab), "TIFF"))
    assert np.abs(found.astype(int) - np.asarray(photo())).mean() < 10


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_7_sixteen_bits_are_scaled_over_their_full_range(kind):
    deep = np.linspace(0, 65535, 1200).round().astype(np.uint16).reshape(30, 40)
    expected = np.rint(deep / 257).astype(np.uint8)  # 257 = 65535 / 255
    found = pixels(encoded(Image.fromarray(deep), kind))
    assert np.array_equal(found, np.stack([expected] * 3, axis=2))
    assert len(np.unique(found)) > 250, "not clipped to white"


def test_7_eight_bits_stored_in_sixteen_come_back_exactly():
    grey = np.arange(256, dtype=np.uint16).reshape(16, 16)
    assert np.array_equal(pixels(encoded(Image.fromarray(grey * 257), "PNG"))[..., 0], grey)


def test_7_big_endian_tiff_and_16_bit_pgm_follow_the_same_rule():
    deep = np.linspace(0, 65535, 12).astype(np.uint16).reshape(3, 4)
    pgm = b"P5\n4 3\n65535\n" + deep.astype(">u2").tobytes()
    big = Image.frombytes("I;16B", (4, 3), deep.astype(">u2").tobytes())
    assert np.array_equal(pixels(pgm)[..., 0], np.rint(deep / 257))
    assert np.array_equal(pixels(big)[..., 0], np.rint(deep / 257))


def test_7_integers_beyond_sixteen_bits_are_refused_with_their_range():
    message = refusal(encoded(Image.fromarray(np.array([[-5, 70_000]], dtype=np.int32)), "TIFF"))
    assert "from -5 to 70000" in message


def test_8_floats_are_refused_with_their_range_and_a_recipe():
    values = np.array([[0.5, np.nan], [np.inf, 1250.0]], dtype=np.float32)
    message = refusal(encoded(Image.fromarray(values), "TIFF"))
    assert "from 0.5 to 1250" in message and "2 NaN or infinite" in message and "np.uint8(255" in message
    assert "none of them a finite" in refusal(Image.fromarray(np.full((2, 2), np.nan, np.float32)))


def test_9_transparent_pixels_show_the_stated_background():
    assert BACKGROUND == (255, 255, 255)
    rgba = np.zeros((1, 3, 4), dtype=np.uint8)
    rgba[0, :, 0], rgba[0, :, 3] = 200, [0, 128, 255]
    expected = [255, 255, 255], [227, 127, 127], [200, 0, 0]  # colour * alpha + white * (1 - alpha)
    for source in (rgba, Image.fromarray(rgba), encoded(Image.fromarray(rgba), "PNG")):
        assert np.abs(pixels(source)[0].astype(int) - expected).max() <= 1
    grey = Image.fromarray(np.array([[[10, 0], [10, 255]]], dtype=np.uint8), "LA")
    assert pixels(encoded(grey, "PNG"))[0].tolist() == [[255] * 3, [10] * 3]


def test_9_transparent_palettes_and_colour_keys_show_the_background_too():
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putdata([0, 1])
    for kind in ("PNG", "GIF"):
        assert pixels(encoded(palette, kind, transparency=0))[0].tolist() == [[255] * 3, [0, 0, 255]]
        assert pixels(encoded(palette, kind))[0].tolist() == [[255, 0, 0], [0, 0, 255]]
    keyed = Image.fromarray(np.array([[[9, 9, 9], [1, 2, 3]]], dtype=np.uint8))
    assert pixels(encoded(keyed, "PNG", transparency=(9, 9, 9)))[0].tolist() == [[255] * 3, [1, 2, 3]]


def test_10_grey_and_one_bit_become_three_equal_channels():
    grey = photo().convert("L")
    for img in (grey, grey.convert("1")):
        found = pixels(encoded(img, "PNG"))
        assert np.array_equal(found, np.stack([np.asarray(img.convert("L"))] * 3, axis=2))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_11_of_several_frames_the_first_is_taken(kind):
    frames = [Image.new("RGB", (8, 8), color) for color in [(255, 0, 0), (0, 255, 0), (0, 0, 255)]]
    data = encoded(
        frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
    )
    with Image.open(io.BytesIO(data)) as img:
        assert img.n_frames == 3
    assert pixels(data)[4, 4].tolist() == [255, 0, 0]


# sources


def test_19_missing_folders_and_addresses_are_told_apart(tmp_path):
    assert "there is no such file" in refusal(tmp_path / "gone.jpg")
    assert "it is a folder" in refusal(tmp_path)
    assert "download the file" in refusal("https://example.org/cat.jpg")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may read every file")
def test_19_a_file_that_must_not_be_read_is_named(tmp_path):
    photo().save(tmp_path / "locked.png")
    (tmp_path / "locked.png").chmod(0)
    assert "must not be read" in refusal(tmp_path / "locked.png")


def test_15_strange_names_open(tmp_path):
    for name in ("with space.png", "caf\u00e9.png", "cafe\u0301.png", "\U0001f436.PNG", "a'b\"c.png"):
        photo().save(tmp_path / name, "PNG")
        assert open_image(tmp_path / name).size == (40, 30)


def test_42_every_kind_of_source_gives_the_same_pixels(tmp_path):
    expected = np.asarray(photo())
    photo().save(tmp_path / "photo.png")
    data = (tmp_path / "photo.png").read_bytes()
    tensor = torch.from_numpy(expected.copy()).permute(2, 0, 1)
    files = [tmp_path / "photo.png", str(tmp_path / "photo.png")]
    for source in [*files, data, bytearray(data), memoryview(data), photo(), expected, tensor, tensor / 255]:
        img = open_image(source)
        assert type(img) is Image.Image and img.mode == "RGB" and np.array_equal(np.asarray(img), expected)
    turned_in_memory = np.asfortranarray(expected)
    assert np.array_equal(pixels(turned_in_memory), expected)
    grey = expected[..., :1]
    for source in (grey, grey[..., 0], torch.from_numpy(grey.copy()).permute(2, 0, 1)):
        assert np.array_equal(pixels(source), np.repeat(grey, 3, axis=2))


def test_42_the_source_is_left_unchanged():
    img, array = photo().convert("RGBA"), np.asarray(photo()).copy()
    before = img.tobytes(), array.copy()
    open_image(img).putpixel((0, 0), (1, 2, 3))
    open_image(array).putpixel((0, 0), (1, 2, 3))
    plain = photo()
    open_image(plain).putpixel((0, 0), (1, 2, 3))
    assert img.mode == "RGBA" and img.tobytes() == before[0] and np.array_equal(array, before[1])
    assert plain.tobytes() == photo().tobytes()


@pytest.mark.parametrize(
    "source",
    [
        None,
        42,
        ["a.jpg"],
        np.zeros((4, 4), dtype=np.float32),
        np.zeros((3, 4, 5), dtype=np.uint8),
        np.zeros((0, 4, 3), dtype=np.uint8),
        torch.zeros(4, 4, 3, dtype=torch.uint8),
        torch.zeros(3, 4, 4, dtype=torch.int64),
        torch.zeros(2, 3, 4, 4),
    ],
    ids=str,
)
def test_42_anything_else_is_a_type_error_that_says_what_to_pass(source):
    with pytest.raises(TypeError) as caught:
        open_image(source)
    assert isinstance(caught.value, ImageTypeError) and "pass" in caught.value.remedy


@pytest.mark.parametrize("values", [[-2.0, 2.0], [0.0, 1.5], [0.0, float("nan")]])
def test_42_a_normalised_tensor_is_refused_with_its_range(values):
    assert "floats span" in refusal(torch.tensor(values).repeat(3, 2, 1))


def test_to_uint8_is_a_tensor_of_channels_first():
    tensor = to_uint8(photo())
    assert tensor.dtype == torch.uint8 and tensor.shape == (3, 30, 40) and tensor.is_contiguous()
    assert np.array_equal(tensor.permute(1, 2, 0).numpy(), np.asarray(photo()))
    with pytest.raises(ImageTypeError, match="mode L"):
        to_uint8(photo().convert("L"))


# presizing


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (333, 77), (301, 300), (5000, 1), (160, 160), (100, 50)])
def test_presizing_keeps_the_aspect_and_never_enlarges(size):
    kept = presize(size, 160)
    if min(size) <= 160:
        assert kept == size
    else:
        assert min(kept) == 160
        assert abs(max(kept) - 160 * max(size) / min(size)) <= 0.5


def test_resizing_averages_over_what_it_leaves_out():
    stripes = np.zeros((400, 400, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    shrunk = np.asarray(resize_image(Image.fromarray(stripes), (50, 50)))[:, 2:-2]
    assert np.abs(shrunk.astype(int) - 127).max() <= 2, "fine stripes become grey and make no pattern"


def short_64(size):
    return presize(size, 64)


def wanted_and_whole(source) -> tuple[np.ndarray, np.ndarray]:
    "An image opened at the size it is wanted at, and opened whole and then resized."
    whole = open_image(source)
    resized = resize_image(whole, presize((whole.height, whole.width), 64))
    return np.asarray(open_image(source, short_64), dtype=int), np.asarray(resized, dtype=int)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP", "GIF", "TIFF"])
def test_opening_at_a_size_is_opening_and_resizing(kind):
    wanted, whole = wanted_and_whole(encoded(photo(301, 211), kind))
    assert np.array_equal(wanted, whole)
    for source in (photo(301, 211), np.asarray(photo(301, 211)), to_uint8(photo(301, 211))):
        assert np.asarray(open_image(source, short_64)).shape == (64, 91, 3)


@pytest.mark.parametrize("size", [(100, 90), (255, 190)])
def test_a_jpeg_less_than_four_times_too_large_is_decoded_whole(size):
    wanted, whole = wanted_and_whole(encoded(photo(*size), "JPEG", quality=95))
    assert np.array_equal(wanted, whole)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_large_jpeg_is_shrunk_while_decoding_and_looks_the_same(orientation, mode):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(photo(1203, 805).convert(mode), "JPEG", quality=95, exif=exif)
    wanted, whole = wanted_and_whole(data)
    assert wanted.shape == whole.shape and abs(wanted - whole).mean() < 1.5 and abs(wanted - whole).max() < 25


def test_a_shrinking_decoder_does_less_work():
    img = Image.open(io.BytesIO(encoded(photo(1600, 1200), "JPEG")))
    shrink_while_decoding(img, (64, 85))
    assert img.size == (200, 150)  # an eighth, and still twice what is wanted


def test_a_large_jpeg_from_a_path_and_from_bytes_gives_the_same_pixels(tmp_path):
    (tmp_path / "large.jpg").write_bytes(encoded(photo(1203, 805), "JPEG"))
    from_path, from_bytes = (
        np.asarray(open_image(source, short_64))
        for source in (tmp_path / "large.jpg", (tmp_path / "large.jpg").read_bytes())
    )
    assert np.array_equal(from_path, from_bytes)


def test_12_a_bomb_stays_refused_when_it_would_be_shrunk(monkeypatch):
    data = encoded(photo(1600, 1200), "JPEG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)
    with pytest.raises(DataError, match="too large"):
        open_image(data, short_64)


def test_3_a_large_jpeg_that_is_cut_off_is_refused_when_shrunk():
    data = encoded(photo(1600, 1200), "JPEG")
    with pytest.raises(DataError, match="cut off"):
        open_image(data[: len(data) // 2], short_64)


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_size_of_a_file_is_read_from_its_header(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo(40, 30).save(tmp_path / "a.jpg", exif=exif)
    opened = open_image(tmp_path / "a.jpg")
    assert image_size(tmp_path / "a.jpg") == (opened.height, opened.width)
    (tmp_path / "b.jpg").write_bytes(b"<html>")
    with pytest.raises(DataError, match="HTML"):
        image_size(tmp_path / "b.jpg")


@pytest.mark.parametrize("form", ["path", "bytes", "PIL image"])
def test_a_thread_of_pixels_is_not_enlarged_until_the_memory_is_full(tmp_path, form):
    from coursekit.augment.resize import Resize, ResizeMethod

    path = tmp_path / "thread.png"
    Image.new("L", (60_000, 1)).save(path)
    thread = {"path": path, "bytes": path.read_bytes(), "PIL image": Image.open(path)}[form]
    with pytest.raises(DataError, match="too thin") as caught:
        open_image(thread, Resize(224).prepared_size)
    assert "13,440,000 x 224" in caught.value.cause and "Pad" in caught.value.remedy
    assert open_image(thread, Resize(224, ResizeMethod.Pad).prepared_size).width <= 224
