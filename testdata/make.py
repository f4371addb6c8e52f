# /// script
# requires-python = ">=3.11"
# dependencies = ["pillow==11.3.0"]
# ///
"""Makes the test media, the truth about them and their rows in the ledger; the same bytes each time.

    python3 testdata/make.py                   makes everything that is made from the works in image/reference
    python3 testdata/make.py --check           makes it in memory and compares; ends with 1 where a file differs
    python3 testdata/make.py --from ORIGINALS  also makes the works and the other photographs, from the files of the
                                               packages named in the ledger, gathered in one folder

Needs Pillow 11.3.0 (pip install pillow==11.3.0), since another version may encode to other bytes.
"""

import argparse
import csv
import hashlib
import io
import pathlib
import struct
import sys
import zlib

import PIL
from PIL import Image, ImageDraw, ImageOps

HERE = pathlib.Path(__file__).resolve().parent
CC0, PUBLIC, OURS = "CC0-1.0", "public domain", "MIT OR Apache-2.0 (ours)"
SKIMAGE, GCOMPRIS, LOMIRI = "scikit-image 0.25.2", "gcompris-qt-data 3.1-2", "lomiri-wallpapers-16.04 20.04.0-2"

# name here: (package, file in it, SHA-256 of that file, licence, by whom, longer side in pixels)
WORKS = {
    "coffee.jpg": (SKIMAGE, "skimage/data/coffee.png", "cc02f8ca", CC0, "Rachel Michetti", 480),
    "cat.jpg": (SKIMAGE, "skimage/data/chelsea.png", "596aa1e7", CC0, "Stefan van der Walt", 451),
    "astronaut.jpg": (SKIMAGE, "skimage/data/astronaut.png", "88431cd9", PUBLIC, "NASA", 448),
    "rocket.jpg": (SKIMAGE, "skimage/data/rocket.jpg", "c2dd0de7", PUBLIC, "SpaceX", 512),
    "moose.jpg": (GCOMPRIS, "animals/moose.webp", "2252a671", PUBLIC, "Ryan Hagerty", 512),
    "space/deep-field.jpg": (SKIMAGE, "skimage/data/hubble_deep_field.jpg", "3a19c5dd", PUBLIC, "NASA", 400),
    "medical/retina.jpg": (SKIMAGE, "skimage/data/retina.jpg", "38a07f36", CC0, "Mikael Häggström", 400),
    "dandelion.jpg": (LOMIRI, "seeding_by_Clements_Engelhardt.jpg", "a5634d1a", CC0, "Clemens Engelhardt", 560),
    "windmill.jpg": (GCOMPRIS, "renewable/windmill.webp", "f88eafdf", PUBLIC, "G-Man", 320),
    "photographer.png": (SKIMAGE, "skimage/data/camera.png", "b0793d2a", CC0, "Lav Varshney", 256),
}

# Photographs that are no works: the same columns.
OTHERS = {
    "DCIM/100MEDIA/IMG_0418.JPG": (GCOMPRIS, "renewable/dam2.webp", "551713016", PUBLIC, "László Szalai", 320),
    "DCIM/100MEDIA/IMG_0419.JPG": (GCOMPRIS, "renewable/solar2.webp", "a23a4465", CC0, "Fluffyarse", 320),
    "Pictures/aquarium.jpg": (GCOMPRIS, "fishes/fish4.webp", "9d48365d", PUBLIC, "Hadal", 320),
    "Downloads/textures/wall.jpg": (SKIMAGE, "skimage/data/brick.png", "7966caf3", CC0, "CC0Textures", 384),
    "Documents/lab/sample-7.png": (SKIMAGE, "skimage/data/cell.png", "8d23a7fb", CC0, "Paul Müller and others", 240),
}

# Files that more than the demonstration uses.
USED_BY = {
    "image/reference/astronaut.jpg": "demo, README's example",
    "image/seized/Pictures/profile.jpg": "demo, README's example",
    "image/reference/cat.jpg": "demo, its tests",
    "image/reference/coffee.jpg": "demo, its tests",
}

# No one holds any of these rights: the pictures are free, and holders, numbers and windows serve the demonstration.
CATALOGUE = [
    # file, work_id, title, holder, identifiers, territory, window, policy
    ("coffee.jpg", "W-01", "Café, sieben Uhr früh", "Kesselhaus Bildagentur", "", "DE;AT;CH", "2020-01-01/..", "infringing"),
    ("cat.jpg", "W-02", "Chelsea", "Jo Doe", "", "world", "", "infringing"),
    ("astronaut.jpg", "W-03", "Portrait of an astronaut", "Doe Press", "ISBN:978-0-306-40615-7", "world", "", "infringing"),
    ("rocket.jpg", "W-04", "Before the launch, evening", "Doe Press", "", "world", "2015-02-11/2085-02-11", "infringing"),
    ("moose.jpg", "W-05", "Resting moose", "Jo Doe", "", "US;CA", "", "infringing"),
    ("space/deep-field.jpg", "W-06", "Deep field", "Open Sky", "", "world", "", "licensed"),
    ("medical/retina.jpg", "W-07", "Fundus of a left eye", "Atlas of the Eye", "", "world", "", "infringing"),
    ("dandelion.jpg", "W-08", "Löwenzahn im Gegenlicht", "Kesselhaus Bildagentur", "", "DE;AT;CH", "../2030-12-31", "infringing"),
    ("windmill.jpg", "W-09", "The mill on the hill", "Jo Doe", "", "world", "", "ignore"),
    ("photographer.png", "W-10", "The photographer", "Jo Doe", "", "world", "", "infringing"),
]
WORK_OF = {row[0]: row[1] for row in CATALOGUE}


# What can be done to a picture. Each takes and gives a picture.


def scaled(picture, longer):
    factor = longer / max(picture.size)
    return picture.resize([max(1, round(side * factor)) for side in picture.size], Image.Resampling.LANCZOS)


def cropped(picture, left, top, right, bottom):
    """What is left when these parts of width and height are cut off."""
    width, height = picture.size
    return picture.crop(
        (round(width * left), round(height * top), round(width * (1 - right)), round(height * (1 - bottom)))
    )


def toned(picture, gamma=1.0, contrast=1.0):
    def level(value):
        value = 255 * (value / 255) ** gamma
        return min(255, max(0, round(128 + (value - 128) * contrast)))

    return picture.point([level(value) for value in range(256)] * len(picture.getbands()))


def letterboxed(picture, width, height):
    return ImageOps.pad(picture, (width, height), Image.Resampling.LANCZOS, color=(0, 0, 0))


def rounded(picture):
    """With round corners that can be seen through."""
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, picture.width - 1, picture.height - 1), min(picture.size) // 10, 255)
    picture = picture.convert("RGBA")
    picture.putalpha(mask)
    return picture


def on_page(picture):
    """On a written page, in a third of its width."""
    page = Image.new("RGB", (600, 800), (250, 249, 245))
    draw = ImageDraw.Draw(page)
    for line in range(34):
        short = 180 if line % 9 == 8 else 540 - 13 * (line * 5 % 7)
        draw.rectangle((30, 40 + line * 21, 30 + short, 49 + line * 21), (70, 70, 75))
    page.paste(scaled(picture, 240), (180, 300))
    return page


# How a picture is written. Each takes a picture and gives bytes.


def written(picture, kind, **settings):
    out = io.BytesIO()
    picture.save(out, kind, **settings)
    return out.getvalue()


def jpeg(picture, quality=80, **settings):
    return written(picture, "JPEG", quality=quality, **settings)


def png(picture):
    return written(picture, "PNG", compress_level=9)


def with_orientation(picture, orientation):
    """A JPEG whose EXIF says how to turn it; 6: a quarter turn clockwise, 8: a quarter turn anticlockwise."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return jpeg(picture, exif=exif)


def png_16_bit(picture):
    """A PNG of 16 bits a channel, which Pillow does not write."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    pixels = picture.convert("RGB").tobytes()
    # Each level with a low byte of its own, as a scanner gives it.
    pixels = b"".join(bytes((value, value * 7 & 0xFF)) for value in pixels)
    row = picture.width * 6
    rows = b"".join(b"\0" + pixels[at : at + row] for at in range(0, len(pixels), row))
    header = struct.pack(">IIBBBBB", picture.width, picture.height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def animated(frames):
    frames = [frame.convert("RGB").quantize(96) for frame in frames]
    return written(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=700, loop=0)


def heic():
    """The beginning of a HEIC file: its type, and a box of nothing."""
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + struct.pack(">I4s", 8 + 1024, b"mdat") + bytes(1024)


def chart():
    picture = Image.new("RGB", (480, 320), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    for number, height in enumerate((60, 132, 95, 180, 240, 210, 150, 260)):
        left = 44 + number * 52
        draw.rectangle((left, 290 - height, left + 34, 290), (40 + 20 * number, 90, 200 - 18 * number))
    draw.line((30, 20, 30, 290, 460, 290), (0, 0, 0), 2)
    return picture


MINUTES = """Minutes of the meeting of 4 March

Present: all but one. The roof is to be mended before the winter; two offers are to be asked for.
The summer party takes place on the second Saturday of July. Cake: to be settled by those who eat it.
"""

DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40">
  <rect width="120" height="40" rx="8" fill="#246"/><circle cx="20" cy="20" r="10" fill="#fc3"/>
</svg>
"""


class Pictures:
    """Works and other photographs as they are on disk, decoded when asked for."""

    def __init__(self, files):
        self.files = files

    def bytes(self, name):
        return self.files["image/reference/" + name]

    def __getitem__(self, name):
        picture = Image.open(io.BytesIO(self.bytes(name)))
        return picture.convert("L" if picture.mode == "L" else "RGB")

    def other(self, name):
        return self.files["image/seized/" + name]


def turned(picture, quarters):
    """By so many quarter turns clockwise."""
    T = Image.Transpose
    return picture.transpose({1: T.ROTATE_270, 2: T.ROTATE_180, 3: T.ROTATE_90}[quarters])


def seized(works):
    """The seized files that are made: (path, work that it is a copy of, what was done, expected outcome, bytes)."""
    w, mirror, invert = works, ImageOps.mirror, ImageOps.invert
    dam = works.other("DCIM/100MEDIA/IMG_0418.JPG")
    slides = [Image.open(io.BytesIO(works.other(name))).convert("RGB") for name in
              ("Pictures/aquarium.jpg", "DCIM/100MEDIA/IMG_0419.JPG")]
    return [
        ("DCIM/100MEDIA/IMG_0412.JPG", "cat.jpg", "turned by EXIF only", "match", with_orientation(w["cat.jpg"], 8)),
        ("DCIM/100MEDIA/IMG_0413.JPG", "moose.jpg", "turned, EXIF turns it back", "match",
         with_orientation(turned(w["moose.jpg"], 3), 6)),
        ("DCIM/100MEDIA/IMG_0420.JPG", "", "cut off half-way", "damaged", dam[: len(dam) * 55 // 100]),
        ("Desktop/badge.png", "coffee.jpg", "round corners, alpha", "match", png(rounded(scaled(w["coffee.jpg"], 200)))),
        ("Desktop/holiday.heic", "", "HEIC header", "unsupported", heic()),
        ("Desktop/logo.svg", "", "drawn in SVG", "unsupported", DRAWING.encode()),
        ("Desktop/untitled.png", "", "blank", "undecided", png(Image.new("RGB", (400, 300), (255, 255, 255)))),
        ("Documents/figures/figure-1.png", "", "chart", "no-match", png(chart())),
        ("Documents/minutes.jpg", "", "text named .jpg", "other", MINUTES.encode()),
        ("Documents/minutes.txt", "", "text", "other", MINUTES.encode()),
        ("Documents/report-page-3.jpg", "astronaut.jpg", "small on a page", "no-match", jpeg(on_page(w["astronaut.jpg"]))),
        ("Documents/scan-0001.png", "windmill.jpg", "PNG of 16 bits", "match", png_16_bit(scaled(w["windmill.jpg"], 176))),
        ("Documents/scan-0002.tif", "photographer.png", "TIFF", "match",
         written(scaled(w["photographer.png"], 200), "TIFF", compression="tiff_lzw")),
        ("Documents/scan-0003.jpg", "medical/retina.jpg", "negative", "match", jpeg(invert(w["medical/retina.jpg"]))),
        ("Documents/slides/slide-2.jpg", "dandelion.jpg", "letterboxed", "match",
         jpeg(letterboxed(w["dandelion.jpg"], 480, 360))),
        ("Downloads/cache/1d7f0a.jpg", "rocket.jpg", "resized to 96 pixels", "match", jpeg(scaled(w["rocket.jpg"], 96))),
        ("Downloads/cache/a7710e.jpg", "astronaut.jpg", "mirrored, grey, quality 25", "match",
         jpeg(ImageOps.grayscale(mirror(scaled(w["astronaut.jpg"], 224))), 25)),
        ("Downloads/download (1).jpg", "coffee.jpg", "quality 20", "match", jpeg(w["coffee.jpg"], 20)),
        ("Downloads/funny.gif", "cat.jpg", "GIF of 64 colours", "match",
         written(scaled(w["cat.jpg"], 240).quantize(64), "GIF")),
        ("Downloads/slideshow.gif", "moose.jpg", "frame 2 of 3 of a GIF", "match",
         animated([ImageOps.fit(picture, (240, 160)) for picture in (slides[0], w["moose.jpg"], slides[1])])),
        ("Downloads/unnamed.webp", "rocket.jpg", "WebP", "match",
         written(scaled(w["rocket.jpg"], 400), "WEBP", quality=60, method=4)),
        ("Pictures/2015/evening-edit.jpg", "rocket.jpg", "gamma, more contrast", "match",
         jpeg(toned(w["rocket.jpg"], 0.6, 1.3))),
        ("Pictures/2015/mill.jpg", "windmill.jpg", "cropped by 8 %", "match",
         jpeg(cropped(w["windmill.jpg"], 0.04, 0.03, 0.04, 0.05))),
        ("Pictures/2015/turned.jpg", "dandelion.jpg", "turned by a quarter", "match",
         jpeg(scaled(turned(w["dandelion.jpg"], 1), 400))),
        ("Pictures/Löwenzahn.jpg", "dandelion.jpg", "cropped to a quarter", "no-match",
         jpeg(cropped(w["dandelion.jpg"], 0.0, 0.3, 0.5, 0.2))),
        ("Pictures/desktop-background.jpg", "space/deep-field.jpg", "resized", "match",
         jpeg(scaled(w["space/deep-field.jpg"], 300))),
        ("Pictures/eye (copy).jpg", "medical/retina.jpg", "grey, mirrored", "match",
         jpeg(ImageOps.grayscale(mirror(scaled(w["medical/retina.jpg"], 256))))),
        ("Pictures/postcard.jpg", "moose.jpg", "in a white frame", "match",
         jpeg(ImageOps.expand(scaled(w["moose.jpg"], 400), 28, (255, 255, 255)))),
        ("Pictures/profile.jpg", "astronaut.jpg", "mirrored", "match", jpeg(mirror(w["astronaut.jpg"]))),
        ("Pictures/tilted.jpg", "cat.jpg", "tilted by 12 degrees", "no-match",
         jpeg(w["cat.jpg"].rotate(12, Image.Resampling.BICUBIC))),
        ("Recovered/f0001337.jpg", "cat.jpg", "byte for byte", "match", w.bytes("cat.jpg")),
        ("Recovered/f0001338.jpg", "coffee.jpg", "cut off near the end", "match",
         w.bytes("coffee.jpg")[: len(w.bytes("coffee.jpg")) * 95 // 100]),
        ("Recovered/f0001339.jpg", "", "empty", "other", b""),
    ]


def from_originals(folder):
    """The works and the other photographs, from the files of the packages."""
    files = {}
    for prefix, table in (("image/reference/", WORKS), ("image/seized/", OTHERS)):
        for name, (package, path, digest, _licence, _by, longer) in table.items():
            original = (folder / pathlib.PurePosixPath(path).name).read_bytes()
            if not hashlib.sha256(original).hexdigest().startswith(digest):
                sys.exit(f"{path}: expected the file of {package}, whose SHA-256 begins with {digest}")
            picture = Image.open(io.BytesIO(original))
            grey = picture.mode in ("L", "I;16") and not name.endswith(".jpg")
            picture = scaled(picture.convert("L" if grey else "RGB"), longer)
            files[prefix + name] = png(picture) if name.endswith(".png") else jpeg(picture, 85)
    return files


def text_table(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def made(photographs):
    """Every file that this makes, by its path below this folder, and its rows in the ledger."""
    files = dict(photographs)
    ledger = []

    def row(path, how, licence, used_by="demo"):
        content = files[path] if path in files else (HERE / path).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        ledger.append(f"| `{path}` | {how} | {licence} | `{digest}` | {USED_BY.get(path, used_by)} |")

    columns = ("file", "work_id", "title", "holder", "identifiers", "territory", "window", "policy")
    files["image/reference/works.csv"] = text_table([columns, *CATALOGUE])
    copies = seized(Pictures(photographs))
    truth = [(path, "", "another photograph", "no-match") for path in OTHERS]
    truth += [(path, WORK_OF.get(work, ""), how, expected) for path, work, how, expected, _ in copies]
    files["image/seized.truth.csv"] = text_table([("path", "work_id", "alteration", "expected"), *sorted(truth)])
    files.update({"image/seized/" + path: content for path, *_, content in copies})

    licence_of = {}
    for prefix, table in (("image/reference/", WORKS), ("image/seized/", OTHERS)):
        for name, (package, path, _digest, licence, by, longer) in table.items():
            kind = "PNG" if name.endswith(".png") else "JPEG, quality 85"
            licence_of[name] = licence
            row(prefix + name, f"`{path}` of {package}, by {by}; longer side {longer} pixels, {kind}", licence)
    row("image/reference/works.csv", "table in `make.py`; rights invented", OURS)
    row("image/seized.truth.csv", "table in `make.py`", OURS)
    dam = "DCIM/100MEDIA/IMG_0418.JPG"
    parts = {
        "DCIM/100MEDIA/IMG_0420.JPG": f"`{dam}` cut off half-way",
        "Downloads/slideshow.gif": "`reference/moose.jpg` between two photographs of this folder",
    }
    for path, work, how, _expected, _content in copies:
        licence = licence_of.get(work, licence_of[dam] if path in parts else OURS)
        if path == "Downloads/slideshow.gif":
            licence = f"{PUBLIC}, {CC0}"
        how = parts.get(path) or (f"`reference/{work}`: {how}" if work else how)
        row("image/seized/" + path, how, licence)
    for name, how, licence in (
        ("CC0-1.0.txt", "the text of CC0 1.0, from Debian's base-files", "verbatim copies allowed"),
        ("gcompris-qt-data.txt", f"paragraphs of the copyright file of {GCOMPRIS}", "as the package"),
        ("lomiri-wallpapers.txt", f"paragraphs of the copyright file of {LOMIRI}", "as the package"),
        ("scikit-image.txt", f"documentation in {SKIMAGE}", "BSD-3-Clause"),
    ):
        row("image/LICENSES/" + name, how, licence, "whoever asks")
    row("make.py", "by hand", OURS, "makes the rows above")
    return files, ledger


BEGIN, END = "<!-- made by make.py: begin -->", "<!-- made by make.py: end -->"


def with_ledger(readme, ledger):
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    head = "| file | how made | licence | SHA-256 | used by |\n|---|---|---|---|---|\n"
    return f"{before}{BEGIN}\n{head}" + "".join(row + "\n" for row in ledger) + END + after


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--from", dest="originals", type=pathlib.Path, metavar="ORIGINALS", help="a folder")
    args = parser.parse_args()
    if PIL.__version__ != "11.3.0":
        sys.exit(f"expected Pillow 11.3.0, found {PIL.__version__}; another version may encode to other bytes")
    if args.originals:
        photographs = from_originals(args.originals)
    else:
        names = ["image/reference/" + name for name in WORKS] + ["image/seized/" + name for name in OTHERS]
        photographs = {name: (HERE / name).read_bytes() for name in names}
    files, ledger = made(photographs)
    readme = HERE / "README.md"
    files["README.md"] = with_ledger(readme.read_text(encoding="utf-8"), ledger).encode()
    differing = 0
    for name, content in files.items():
        path = HERE / name
        if path.is_file() and path.read_bytes() == content:
            continue
        differing += 1
        print(f"{'differs' if args.check else 'written'}: {name}")
        if not args.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    print(f"{len(files)} files, {differing} {'differ' if args.check else 'written'}")
    return 1 if args.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
