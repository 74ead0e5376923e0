"""How many bands images have, which values are black and white, and files that Pillow does not read."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from coursekit.bands import Opening, likely_white, read_bands
from coursekit.core import DataError
from coursekit.data.block import ImageBlock
from coursekit.images import ImageTypeError, open_image, open_pixels

# ---- files


def tiff(
    bands: np.ndarray, photometric: int = 1, extra: tuple[int, ...] | None = None, rows: int | None = None, **tags: int
) -> bytes:
    """A TIFF 6.0 file of an array (H, W, bands), as other programs write it: `rows` a strip, more tags by number."""
    height, width, n = bands.shape
    rows = rows or height
    strips = [np.ascontiguousarray(bands[top : top + rows]).tobytes() for top in range(0, height, rows)]
    if tags.get("_259") == 8:
        strips = [zlib.compress(strip) for strip in strips]
    values = {256: [width], 257: [height], 258: [8 * bands.itemsize] * n, 259: [1], 262: [photometric], 273: [0]}
    values |= {277: [n], 278: [rows], 279: [len(strip) for strip in strips], 284: [1]}
    values |= {} if extra is None else {338: list(extra)}
    values |= {int(tag[1:]): [value] for tag, value in tags.items()}
    at = 8 + 2 + 12 * len(values) + 4  # what does not fit into an entry lies behind the directory
    at += sum(4 * len(value) for value in values.values() if len(value) > 1)
    values[273] = [at + sum(map(len, strips[:i])) for i in range(len(strips))]
    at += 4 * len(strips) * (len(strips) > 1)
    values[273] = [at + sum(map(len, strips[:i])) for i in range(len(strips))]
    entries, behind, start = b"", b"", 8 + 2 + 12 * len(values) + 4
    for tag, value in sorted(values.items()):
        packed = struct.pack(f"<{len(value)}I", *value)
        entries += struct.pack("<HHI", tag, 4, len(value))
        entries += packed if len(value) == 1 else struct.pack("<I", start + len(behind))
        behind += packed if len(value) > 1 else b""
    return b"II*\0" + struct.pack("<IH", 8, len(values)) + entries + bytes(4) + behind + b"".join(strips)


def numbers(n: int, dtype: str = "u1", high: int = 200) -> np.ndarray:
    return np.random.default_rng(n).integers(0, high, (5, 7, n)).astype(dtype)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("n", [1, 2, 4, 5, 12])
@pytest.mark.parametrize("tags", [{}, {"rows": 2}, {"_259": 8}, {"_259": 8, "rows": 3}])
def test_a_tiff_of_any_number_of_bands_gives_its_numbers(n, tags):
    bands = numbers(n)
    assert np.array_equal(open_pixels(tiff(bands, **tags), None, Opening(n)), bands)


@pytest.mark.parametrize("how", [Opening(4), Opening("RGBA")])
@pytest.mark.parametrize("photometric, extra", [(2, None), (2, (0,)), (2, (2,)), (1, (0, 0, 0))])
def test_four_bands_are_kept_whatever_the_file_says_of_the_fourth(how, photometric, extra):
    bands = numbers(4)
    assert np.array_equal(open_pixels(tiff(bands, photometric, extra), None, how), bands)


@pytest.mark.parametrize(
    "n, photometric, extra",
    [(4, 2, None), (4, 2, (0,)), (4, 1, (0, 0, 0)), (5, 2, (0, 0)), (6, 1, (0,) * 5), (2, 1, (0,))],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_bands_that_may_be_data_are_neither_dropped_nor_taken_for_transparency(n, photometric, extra, mode):
    with pytest.raises(DataError, match=rf"ImageBlock\(mode={n}\)"):
        open_pixels(tiff(numbers(n), photometric, extra), None, Opening(mode))


def test_numbers_stored_as_differences_are_added_up():
    bands = numbers(3, "u2", 60_000)
    steps = np.diff(bands, axis=1, prepend=np.zeros_like(bands[:, :1]))
    assert np.array_equal(read_bands(io.BytesIO(tiff(steps, _317=2)))[0], bands)


def test_a_tiff_is_turned_upright():
    bands = numbers(5)
    assert np.array_equal(open_pixels(tiff(bands, _274=6), None, Opening(5)), np.rot90(bands, -1))
    grey = numbers(1, "u2", 4096)
    turned = open_pixels(tiff(grey, _274=6), None, Opening("L", white=4095))
    assert np.array_equal(turned, np.rot90(np.rint(grey.astype(float) * 255 / 4095), -1))


@pytest.mark.parametrize("tags", [{"_259": 5}, {"_322": 16}])
def test_a_tiff_that_is_not_plain_is_refused_with_the_way_to_convert(tags):
    with pytest.raises(DataError, match=r"np\.save"):
        open_pixels(tiff(numbers(6), **tags), None, Opening(6))


@pytest.mark.parametrize("content", [npy(numbers(5)), tiff(numbers(5))])
def test_a_file_of_bands_that_is_cut_off_is_refused(content):
    for end in range(9, len(content) - 1, 12):
        with pytest.raises(DataError):
            open_pixels(content[:end], None, Opening(5))


def test_headers_that_promise_enormous_images_are_refused_before_memory_is_taken():
    head, large = npy(numbers(1)).replace(b"(5, 7, 1)", b"(9**9,7,)"), io.BytesIO()  # the first is no Python literal
    header = {"descr": "|u1", "fortran_order": False, "shape": (99_999, 99_999, 5)}
    np.lib.format.write_array_header_1_0(large, header)
    for content in (head, large.getvalue(), tiff(numbers(5), _257=900_000, _256=900_000)):
        with pytest.raises(DataError):
            open_pixels(content, None, Opening(5))


def test_an_array_with_objects_is_not_unpickled():
    with pytest.raises(DataError, match="allow_pickle"):
        open_pixels(npy(np.array([[print]], dtype=object)), None, Opening(1))


# ---- bands and modes


def test_arrays_and_tensors_and_files_of_any_number_of_bands_are_the_same():
    bands = numbers(6)
    tensor = torch.from_numpy(bands).permute(2, 0, 1)
    for source in (bands, npy(bands), tensor, tensor / 255, (tensor / 255).half(), np.asfortranarray(bands)):
        assert np.array_equal(open_pixels(source, None, Opening(6)), bands)


@pytest.mark.parametrize("n", [1, 2, 4, 7])
def test_each_band_is_resized_by_itself(n):
    bands = np.random.default_rng(0).integers(0, 256, (40, 60, n)).astype(np.uint8)
    small = open_pixels(bands, lambda size: (20, 30), Opening(n))
    for i in range(n):
        alone = Image.fromarray(bands[..., i]).resize((30, 20), Image.Resampling.BILINEAR)
        assert np.array_equal(small[..., i], np.asarray(alone))


def test_rgba_keeps_colours_under_clear_pixels_also_when_it_is_resized():
    bands = np.zeros((8, 8, 4), np.uint8)
    bands[..., 0] = 200  # red, and all of it clear
    shrunk = open_pixels(Image.fromarray(bands), lambda size: (4, 4), Opening("RGBA"))
    assert (shrunk[..., 0] == 200).all() and (shrunk[..., 3] == 0).all()


def test_a_photo_opens_in_every_mode():
    photo = numbers(3)
    grey = np.asarray(Image.fromarray(photo).convert("L"))
    assert np.array_equal(open_pixels(photo, None, Opening("L"))[..., 0], grey)
    rgba = open_pixels(photo, None, Opening("RGBA"))
    assert np.array_equal(rgba[..., :3], photo) and (rgba[..., 3] == 255).all()
    assert np.array_equal(open_pixels(photo), np.asarray(open_image(photo)))


@pytest.mark.parametrize("source", [numbers(5), npy(numbers(5)), torch.from_numpy(numbers(5)).permute(2, 0, 1)])
def test_another_number_of_bands_is_refused_with_both_numbers(source):
    with pytest.raises(DataError) as caught:
        open_pixels(source, None, Opening(6))
    assert "5" in str(caught.value) and "6" in str(caught.value)


def test_bands_that_come_first_are_told_to_go_last():
    with pytest.raises(ImageTypeError, match="moveaxis"):
        open_pixels(numbers(5).transpose(2, 0, 1), None, Opening(5))


def test_a_fourth_band_that_looks_like_data_is_laid_on_white_with_a_warning():
    data = np.random.default_rng(0).integers(0, 256, (30, 30, 4)).astype(np.uint8)
    with pytest.warns(UserWarning, match=r'looks like data(.|\n)*mode="RGBA"'):
        open_image(data)
    data[..., 3] = np.where(data[..., 3] > 100, 255, 0)
    data[:5, :, 3] = 128  # a soft edge
    open_image(data)  # a warning is an error in these tests


@pytest.mark.parametrize("mode", ["grey", "CMYK", 0, -1, True, None, 1.5])
def test_what_is_no_mode_is_refused(mode):
    with pytest.raises(DataError, match="RGBA"):
        Opening(mode)


# ---- more than 8 bits


def test_twelve_bits_use_all_grey_levels_when_white_is_said():
    deep = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    dark = open_pixels(Image.fromarray(deep), None, Opening("L"))
    bright = open_pixels(Image.fromarray(deep), None, Opening("L", white=4095))
    assert len(np.unique(dark)) == 17 and len(np.unique(bright)) == 256
    assert np.array_equal(bright[..., 0], np.rint(deep.astype(float) * 255 / 4095))
    assert np.array_equal(open_pixels(Image.fromarray(deep), None, Opening(white=4095))[..., 2], bright[..., 0])


def test_a_window_cuts_off_what_lies_beyond():
    x = np.array([[-1000, 0, 50, 100, 4000]], dtype=np.int32)
    assert open_pixels(Image.fromarray(x), None, Opening("L", black=0, white=100))[0, :, 0].tolist() == [
        0,
        0,
        128,
        255,
        255,
    ]
    floats = np.array([[-0.5, 0.25, 1.0]], dtype=np.float32)
    assert open_pixels(floats, None, Opening("L", white=1.0, black=0))[0, :, 0].tolist() == [0, 64, 255]
    assert open_pixels(Image.fromarray(floats), None, Opening("L", white=1.0))[0, :, 0].tolist() == [0, 64, 255]


def test_floats_without_a_scale_name_the_argument_and_holes_stay_refused():
    floats = np.array([[0.5, np.nan]], dtype=np.float32)
    for how in (Opening(), Opening(white=1.0)):
        with pytest.raises(DataError, match=r"1 NaN(.|\n)*white="):
            open_image(Image.fromarray(floats)) if how.is_usual else open_pixels(Image.fromarray(floats), None, how)


def test_colours_of_sixteen_bits_are_scaled_where_they_can_be_read_and_refused_elsewhere():
    bands = numbers(3, "u2", 4096)
    found = open_pixels(tiff(bands, 2), None, Opening(white=4095))
    assert np.array_equal(found, np.rint(bands.astype(float) * 255 / 4095))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in bands)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 7, 5, 16, 2, 0, 0, 0))
    png += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert open_image(png).size == (7, 5)
    with pytest.raises(DataError, match="of which Pillow reads 8"):
        open_pixels(png, None, Opening(white=4095))


@pytest.mark.parametrize(
    "scale", [{"white": 0}, {"white": 5, "black": 5}, {"black": 3}, {"white": float("nan")}, {"white": "x"}]
)
def test_what_is_no_scale_is_refused(scale):
    with pytest.raises(DataError, match="no scale"):
        Opening(**scale)


def test_a_description_gives_the_same_again():
    for how in (Opening(), Opening("L", white=4095), Opening(6, white=1, black=-1)):
        assert Opening(**how.spec()) == how


def test_it_shows_what_is_not_as_usual():
    assert repr(Opening()) == "Opening()" and repr(ImageBlock("L", white=4095)) == "ImageBlock(mode='L', white=4095)"


def test_the_likely_white_is_the_next_number_of_bits():
    assert [likely_white(value) for value in (0, 200, 1987, 4095, 4096, 60_000)] == [None, 255, 4095, 4095, 16383, None]


def test_dicom_is_named_with_the_way_to_convert(tmp_path):
    (tmp_path / "scan.dcm").write_bytes(bytes(128) + b"DICM" + bytes(64))
    with pytest.raises(DataError, match=r"DICOM(.|\n)*pydicom(.|\n)*white="):
        open_image(tmp_path / "scan.dcm")
