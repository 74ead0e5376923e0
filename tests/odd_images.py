"""Image files of every kind that cameras, editors and the web produce and that can be opened, for several tests."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, features


def photo(width: int = 40, height: int = 30, seed: int = 0) -> Image.Image:
    """A smooth picture with four corners that differ, so that each turn of it can be told."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    waves = np.random.default_rng(seed).uniform(0, 20, (3, 1, 1)) * np.sin(9 * x * y)
    return Image.fromarray(
        (np.stack([220 * x, 220 * y, 110 * (x + y)]) + waves).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
    )


def encoded(img: Image.Image, kind: str, **kwargs) -> bytes:
    """The bytes of a file of this kind."""
    file = io.BytesIO()
    img.save(file, kind, **kwargs)
    return file.getvalue()


def png_of_zeros(width: int, height: int) -> bytes:
    """A black 1-bit PNG of any size, written without holding its pixels: it unpacks to a thousand times its size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + (width + 7) // 8)) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def turned(orientation: int, kind: str) -> bytes:
    """A file whose EXIF block says how it has to be turned."""
    exif = Image.Exif()
    exif[274] = orientation
    return encoded(photo(90, 60, orientation), kind, exif=exif)


def odd_images() -> dict[str, bytes]:
    """More than fifty files, by name: rows 4 to 11, 13 and 15 of the table of faults. Each can be opened."""
    return turned_images() | coloured_images() | grey_images() | seen_through() | of_several_frames() | otherwise_odd()


def turned_images() -> dict[str, bytes]:
    """Row 5."""
    photos = {f"turned {i}.jpg": turned(i, "JPEG") for i in range(1, 9)}
    others = {f"turned 6.{kind.lower()}": turned(6, kind) for kind in ("PNG", "TIFF", "WEBP")}
    broken = encoded(photo(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffrubbish")
    return photos | others | {"broken exif.jpg": broken}


def coloured_images() -> dict[str, bytes]:
    """Rows 6 and 14: other colours, compressions and containers."""
    rgb = photo(64, 48, 1)
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    files = {
        "cmyk.jpg": encoded(rgb.convert("CMYK"), "JPEG"),
        "cmyk.tif": encoded(rgb.convert("CMYK"), "TIFF"),
        "ycbcr.tif": encoded(rgb.convert("YCbCr"), "TIFF"),
        "lab.tif": encoded(ImageCms.applyTransform(rgb, to_lab), "TIFF"),
        "profile.jpg": encoded(rgb, "JPEG", icc_profile=profile),
        "progressive.jpg": encoded(rgb, "JPEG", progressive=True),
        "worst quality.jpg": encoded(rgb, "JPEG", quality=1),
        "full colour.jpg": encoded(rgb, "JPEG", quality=95, subsampling=0),
        "lzw.tif": encoded(rgb, "TIFF", compression="tiff_lzw"),
        "lossless.webp": encoded(rgb, "WEBP", lossless=True),
        "lossy.webp": encoded(rgb, "WEBP"),
        "plain.bmp": encoded(rgb, "BMP"),
        "plain.ppm": encoded(rgb, "PPM"),
    }
    more = {
        kind: f"plain.{kind}" for kind, name in (("avif", "avif"), ("jpeg2000", "jpg_2000")) if features.check(name)
    }
    return files | {name: encoded(rgb, kind) for kind, name in more.items()}


def grey_images() -> dict[str, bytes]:
    """Rows 7 and 10."""
    grey = photo(50, 60, 2).convert("L")
    deep = np.linspace(0, 65535, 3000).round().astype(np.uint16).reshape(60, 50)
    return {
        "16 bits.png": encoded(Image.fromarray(deep), "PNG"),
        "16 bits.tif": encoded(Image.fromarray(deep), "TIFF"),
        "16 bits.pgm": b"P5\n50 60\n65535\n" + deep.astype(">u2").tobytes(),
        "grey.jpg": encoded(grey, "JPEG"),
        "grey.png": encoded(grey, "PNG"),
        "1 bit.png": encoded(grey.convert("1"), "PNG"),
        "1 bit.tif": encoded(grey.convert("1"), "TIFF", compression="group4"),
        "1 bit.pbm": encoded(grey.convert("1"), "PPM"),
    }


def seen_through() -> dict[str, bytes]:
    """Row 9."""
    rgba = photo(48, 64, 3)
    rgba.putalpha(photo(48, 64, 4).convert("L"))
    palette = photo(48, 64, 5).convert("P")
    return {
        "rgba.png": encoded(rgba, "PNG"),
        "rgba.webp": encoded(rgba, "WEBP"),
        "rgba.tif": encoded(rgba, "TIFF"),
        "la.png": encoded(rgba.convert("LA"), "PNG"),
        "palette.png": encoded(palette, "PNG"),
        "palette seen through.png": encoded(palette, "PNG", transparency=0),
        "palette seen through.gif": encoded(palette, "GIF", transparency=0),
        "colour seen through.png": encoded(photo(48, 64, 6), "PNG", transparency=(0, 0, 0)),
    }


def of_several_frames() -> dict[str, bytes]:
    """Row 11."""
    frames = [photo(48, 40, seed) for seed in range(3)]
    options = {"save_all": True, "append_images": frames[1:]}
    kinds = {
        "animated.gif": "GIF",
        "pages.tif": "TIFF",
        "animated.webp": "WEBP",
        "animated.png": "PNG",
        "two.mpo": "MPO",
    }
    return {name: encoded(frames[0], kind, **options) for name, kind in kinds.items()}


def otherwise_odd() -> dict[str, bytes]:
    """Rows 4, 13 and 15: wrong endings, extreme shapes, and names."""
    return {
        "a png.jpg": encoded(photo(), "PNG"),
        "a jpeg.png": encoded(photo(), "JPEG"),
        "a webp.JPEG": encoded(photo(), "WEBP"),
        "one pixel.png": encoded(photo(1, 1), "PNG"),
        "thin.png": encoded(photo(1, 200), "PNG"),
        "flat.png": encoded(photo(200, 1), "PNG"),
        "long.jpg": encoded(photo(500, 3), "JPEG"),
        "large.jpg": encoded(photo(640, 480), "JPEG"),
        "one colour.png": encoded(Image.new("RGB", (60, 45), (9, 99, 199)), "PNG"),
        "CAPITALS.JPG": encoded(photo(), "JPEG"),
        "caf\u00e9.png": encoded(photo(), "PNG"),
        "cafe\u0301 in two parts.png": encoded(photo(), "PNG"),
        "\U0001f436.png": encoded(photo(), "PNG"),
        "a'b\"c & d.png": encoded(photo(), "PNG"),
        "no ending": encoded(photo(), "PNG"),
    }


def write_odd_images(folder: Path) -> list[Path]:
    """All of them as files in `folder`, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in odd_images().items():
        (folder / name).write_bytes(content)
    return [folder / name for name in odd_images()]
