"""Pictures for the comparison: made ones of every size, kind and pixel type, and those in scikit-image's package."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

SIZES = [
    (1, 1), (1, 64), (64, 1), (3, 3), (4, 40), (5, 5), (5, 200), (7, 9), (17, 400), (31, 33), (63, 65), (64, 64),
    (100, 75), (127, 129), (240, 320), (333, 500), (512, 512), (513, 511), (640, 480), (1000, 30), (30, 1000),
    (801, 601), (1280, 853), (1999, 1501),
]


def waves(width, height, rng):
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = []
    for _ in range(3):
        a, b, c, d = rng.uniform(2, 30, 4)
        planes.append(128 + 60 * np.sin(a * x / width + b * y / height) + 50 * np.cos(c * y / height - d * x / width))
    return np.clip(np.stack(planes, 2), 0, 255).astype(np.uint8)


def noise(width, height, rng):
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def blocks(width, height, rng):
    rgb = np.full((height, width, 3), 240, np.uint8)
    for _ in range(30):
        left, top = rng.integers(0, width), rng.integers(0, height)
        right, bottom = left + 1 + rng.integers(0, width), top + 1 + rng.integers(0, height)
        rgb[top:(top + bottom) // 2 + 1, left:(left + right) // 2 + 1] = rng.integers(0, 256, 3)
    return rgb


def ramp(width, height, rng):
    y, x = np.mgrid[0:height, 0:width]
    plane = (x * 255 // max(width - 1, 1) + y * 255 // max(height - 1, 1)) // 2
    return np.repeat(plane[..., None], 3, 2).astype(np.uint8)


KINDS = [waves, noise, blocks, ramp]


def write_png(path, samples, colour):
    """8 or 16 bits a channel: Pillow writes no colour PNG of 16."""
    height, width = samples.shape[:2]
    depth = 16 if samples.dtype == np.uint16 else 8
    big = samples.astype(">u2" if depth == 16 else np.uint8)
    lines = b"".join(b"\0" + row.tobytes() for row in big)
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines))
                     + chunk(b"IEND", b""))


def narrow(samples):
    """16 bits to 8, to the nearest: 257 steps are one."""
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def over_white(rgb, alpha):
    """Rounded, as the command composites."""
    rgb, alpha = rgb.astype(np.uint32), alpha.astype(np.uint32)[..., None]
    return ((rgb * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def make(folder):
    """Yields (path, RGB pixels that both sides must see, kind); pixels are None where only a decoder knows them."""
    rng = np.random.default_rng(20261125)
    folder = Path(folder)
    for number, (width, height) in enumerate(SIZES):
        for kind in KINDS:
            rgb = kind(width, height, rng)
            path = folder / f"rgb-{kind.__name__}-{width}x{height}.png"
            Image.fromarray(rgb).save(path)
            yield path, rgb, "RGB"
        rgb = KINDS[number % 3](width, height, rng)
        stem = f"{width}x{height}"
        grey = rgb[..., 0]
        alpha = waves(width, height, rng)[..., 0]
        fine = rng.integers(0, 256, rgb.shape, dtype=np.uint16) + rgb.astype(np.uint16) * 256
        threes = lambda plane: np.repeat(plane[..., None], 3, 2)

        path = folder / f"grey-{stem}.png"
        write_png(path, grey[..., None], 0)
        yield path, threes(grey), "grey"
        path = folder / f"grey-alpha-{stem}.png"
        write_png(path, np.dstack([grey, alpha]), 4)
        yield path, over_white(threes(grey), alpha), "grey and alpha"
        path = folder / f"rgba-{stem}.png"
        write_png(path, np.dstack([rgb, alpha]), 6)
        yield path, over_white(rgb, alpha), "RGBA"
        path = folder / f"rgb16-{stem}.png"
        write_png(path, fine, 2)
        yield path, narrow(fine), "RGB, 16 bits"
        path = folder / f"grey16-{stem}.png"
        write_png(path, fine[..., :1], 0)
        yield path, threes(narrow(fine[..., 0])), "grey, 16 bits"
        palette = Image.fromarray(rgb).quantize(64, dither=Image.Dither.NONE)
        path = folder / f"palette-{stem}.png"
        palette.save(path)
        yield path, np.asarray(palette.convert("RGB")), "palette"
        bits = Image.fromarray(grey).point(lambda value: 255 * (value > 128)).convert("1")
        path = folder / f"bits-{stem}.png"
        bits.save(path)
        yield path, np.asarray(bits.convert("RGB")), "1 bit"
        for extension, options in [("bmp", {}), ("tif", {}), ("ppm", {}), ("tga", {}), ("webp", {"lossless": True})]:
            if extension == ["bmp", "tif", "ppm", "tga", "webp"][number % 5]:
                path = folder / f"rgb-{stem}.{extension}"
                Image.fromarray(rgb).save(path, **options)
                yield path, rgb, f"RGB as {extension}"
        path = folder / f"ycc-{stem}.jpg"
        Image.fromarray(rgb).save(path, quality=88)
        yield path, None, "JPEG"
        path = folder / f"grey-{stem}.jpg"
        Image.fromarray(grey).save(path, quality=88)
        yield path, None, "grey JPEG"
        path = folder / f"cmyk-{stem}.jpg"
        Image.fromarray(rgb).convert("CMYK").save(path, quality=88)
        yield path, None, "CMYK JPEG"
    import skimage
    data = Path(os.path.dirname(skimage.__file__)) / "data"
    for path in sorted(data.iterdir()):
        if path.suffix in {".png", ".jpg"}:
            with Image.open(path) as image:
                lossy = path.suffix == ".jpg"
                plain = image.mode in {"L", "RGB", "RGBA", "P", "1"} and "transparency" not in image.info
                rgba = np.asarray(image.convert("RGBA")) if plain and not lossy else None
            pixels = None if rgba is None else over_white(rgba[..., :3], rgba[..., 3])
            yield path, pixels, "scikit-image JPEG" if lossy else "scikit-image PNG"
