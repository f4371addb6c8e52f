#!/usr/bin/env python3
"""Makes the files of this folder and the table of its README.md: python3 testdata/bad/make.py [--check]

Standard library alone, and nothing compressed by it: deflate streams are stored blocks, so that every version of Python
writes the same bytes. With --check nothing is written, and the exit code says whether everything is as it would be.
"""

import hashlib
import struct
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def stored(data):
    """A zlib stream of stored blocks."""
    out = b"\x78\x01"
    blocks = [data[i:i + 65535] for i in range(0, len(data), 65535)] or [b""]
    for number, block in enumerate(blocks):
        out += bytes([number == len(blocks) - 1]) + struct.pack("<HH", len(block), len(block) ^ 0xFFFF) + block
    return out + struct.pack(">I", zlib.adler32(data))


PNG = b"\x89PNG\r\n\x1a\n"


def header(width, height, depth=8, colour=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def texture(width, height):
    return [bytes((x * x + y * 7 + (x * y >> 2)) & 0xFF for x in range(width)) for y in range(height)]


def rows(width, height):
    return b"".join(b"\0" + row for row in texture(width, height))


def png(width=32, height=24):
    return PNG + header(width, height) + chunk(b"IDAT", stored(rows(width, height))) + chunk(b"IEND", b"")


def jpeg(width=64, height=64, sof=0xC0, tables=True, declared=None):
    """A grey baseline JPEG of blocks of one shade each."""
    out = b"\xff\xd8"

    def segment(marker, content):
        nonlocal out
        out += bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content

    segment(0xDB, b"\0" + b"\x08" * 64)
    segment(sof, struct.pack(">BHHB", 8, *(declared or (height, width)), 1) + bytes([1, 0x11, 0]))
    if tables:
        # Constants: twelve sizes in four bits each. The rest: the end of the block alone, in one bit.
        segment(0xC4, bytes([0, 0, 0, 0, 12] + [0] * 12) + bytes(range(12)))
        segment(0xC4, bytes([0x10, 1] + [0] * 15 + [0]))
    segment(0xDA, bytes([1, 1, 0, 0, 63, 0]))
    bits, before = "", 0
    for n in range((width // 8) * (height // 8)):
        shade = (n * 53) % 256 - 128
        step, before = shade - before, shade
        size = abs(step).bit_length()
        magnitude = step if step >= 0 else step + (1 << size) - 1
        bits += format(size, "04b") + (format(magnitude, f"0{size}b") if size else "") + "0"
    bits += "1" * (-len(bits) % 8)
    scan = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
    return out + scan.replace(b"\xff", b"\xff\0") + b"\xff\xd9"


def gif(width, height, frames=1):
    """Frames of literal codes, cleared before the codes grow beyond nine bits."""
    out = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + bytes(n for n in range(256) for _ in range(3))
    for frame in range(frames):
        out += b"\x21\xf9\x04\0\x0a\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x08"
        bits = 0
        length = 0
        pixels = [(n * n * (3 + frame)) & 0xFF for n in range(width * height)]
        codes = []
        for place, value in enumerate(pixels):
            if place % 200 == 0:
                codes.append(256)
            codes.append(value)
        for code in codes + [257]:
            bits |= code << length
            length += 9
        data = bits.to_bytes((length + 7) // 8, "little")
        for i in range(0, len(data), 255):
            out += bytes([len(data[i:i + 255])]) + data[i:i + 255]
        out += b"\0"
    return out + b";"


def tiff(entries, tail=b"", following=0):
    """A little-endian TIFF of one directory; entries are tag, type, count, value."""
    out = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries))
    for entry in sorted(entries):
        out += struct.pack("<HHII", *entry)
    return out + struct.pack("<I", following) + tail


def grey_tiff(width, height, offset, length, following=0, tail=b""):
    return tiff(
        [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, offset),
         (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, length)], tail, following)


def bmp(width, height, pixels=b""):
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + info + pixels


def riff(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def box(name, content):
    return struct.pack(">I", len(content) + 8) + name + content


def flipped(data, place, mask=0xFF):
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1:]


def apng_promise():
    """One frame, where 2,147,483,647 are promised."""
    control = struct.pack(">IIIIIHHBB", 0, 32, 24, 0, 0, 1, 10, 0, 0)
    return (PNG + header(32, 24) + chunk(b"acTL", struct.pack(">II", 0x7FFFFFFF, 0)) + chunk(b"fcTL", control)
            + chunk(b"IDAT", stored(rows(32, 24))) + chunk(b"IEND", b""))


# File, bytes, outcome of a scan with the code of its first problem, what is wrong with it.
def wav(declared, data, channels=1, rate=8000, bits=16):
    align = min(channels * bits // 8, 65535)
    fmt = struct.pack("<HHIIHH", 1, channels, rate, min(rate * align, 2**32 - 1), align, bits)
    return b"RIFF" + struct.pack("<I", min(declared + 36, 2**32 - 1)) + b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", declared) + data


def flac(samples, frames=b""):
    """Its header alone: 44.1 kHz, mono, 16 bits."""
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + (44100 << 44 | 15 << 36 | samples).to_bytes(8, "big") + bytes(16)
    return b"fLaC\x80" + len(info).to_bytes(3, "big") + info + frames


def mp3_frames(count):
    """MPEG-1 layer III, 32 kbit/s at 44.1 kHz, mono: frames whose sound is all zero."""
    return (b"\xff\xfb\x10\xc0" + bytes(100)) * count


def ogg(granule, packets, flags=2, serial=7, sequence=0):
    body = b"".join(packets)
    lacing = b"".join(bytes([255] * (len(packet) // 255) + [len(packet) % 255]) for packet in packets)
    head = b"OggS\0" + bytes([flags]) + struct.pack("<qII", granule, serial, sequence)
    page = head + bytes(4) + bytes([len(lacing)]) + lacing + body
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return page[:22] + struct.pack("<I", crc) + page[26:]


OPUS_TAGS = b"OpusTags" + struct.pack("<I", 0) + struct.pack("<I", 0)


def opus(channels=1, granule=48000 * 3600 * 100):
    head = b"OpusHead\x01" + bytes([channels]) + struct.pack("<HIHB", 312, 48000, 0, 0)
    # Packets of 20 ms of silence in the lowest mode.
    sound = [b"\xf8\xff\xfe"] * 50
    return ogg(0, [head]) + ogg(0, [OPUS_TAGS], 0, sequence=1) + ogg(48000, sound, 0, sequence=2) + ogg(granule, sound, 4, sequence=3)


def mp4(entry=b"mp4a", sample_bytes=4, count=2):
    """Sound of one track with so many samples, all of them at the same place."""
    full = bytes(4)
    name = entry + bytes(6) + b"\0\x01" + bytes(8) + struct.pack(">HHHHI", 2, 16, 0, 0, 44100 << 16)
    config = b"\x05\x02\x12\x08"
    decoder = b"\x04" + bytes([13 + len(config), 0x40, 0x15]) + bytes(11) + config
    esds = box(b"esds", full + b"\x03" + bytes([3 + len(decoder) + 3, 0, 1, 0]) + decoder + b"\x06\x01\x02")
    name += esds
    stsd = box(b"stsd", full + struct.pack(">I", 1) + struct.pack(">I", len(name) + 4) + name)
    stbl = box(b"stbl", stsd + box(b"stts", full + struct.pack(">III", 1, count, 1024)) + box(b"stsc", full + struct.pack(">IIII", 1, 1, count, 1))
               + box(b"stsz", full + struct.pack(">II", sample_bytes, count)) + box(b"stco", full + struct.pack(">II", 1, 40)))
    minf = box(b"minf", box(b"smhd", full + bytes(4)) + box(b"dinf", box(b"dref", full + struct.pack(">I", 1) + box(b"url ", b"\0\0\0\x01"))) + stbl)
    mdhd = box(b"mdhd", full + struct.pack(">IIIIHH", 0, 0, 44100, 2048, 0x55C4, 0))
    hdlr = box(b"hdlr", full + bytes(4) + b"soun" + bytes(13))
    tkhd = box(b"tkhd", b"\0\0\0\x07" + struct.pack(">IIIII", 0, 0, 1, 0, 2048) + bytes(60))
    mvhd = box(b"mvhd", full + struct.pack(">IIII", 0, 0, 44100, 2048) + bytes(80))
    moov = box(b"moov", mvhd + box(b"trak", tkhd + box(b"mdia", mdhd + hdlr + minf)))
    return box(b"ftyp", b"M4A \0\0\0\0M4A mp42") + box(b"mdat", bytes(64)) + moov


FILES = [
    ("ac3.ts", b"\x0b\x77" + bytes(62), "unsupported unsupported", "AC-3 by its first bytes, which is decoded by ffmpeg alone"),
    ("aiff-nothing.aiff", b"FORM\0\0\0\x04AIFF", "damaged damaged", "has neither format nor sound"),
    ("concat.ts", b"ffconcat version 1.0\nfile '/etc/passwd'\n", "other not_media", "a list of other files under the name of a film"),
    ("flac-claims.flac", flac((1 << 36) - 1), "damaged damaged", "declares 432 hours and holds none"),
    ("midi.mid", b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk\0\0\0\x04\0\xff\x2f\0", "unsupported unsupported", "notes and no sound"),
    ("mp3-cut-tag.mp3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(40), "damaged damaged", "declares a tag of 256 MiB"),
    ("mp3-nowhere.mp3", b"ID3\x04\0\0\0\0\0\x00" + b"not sound " * 8000 + mp3_frames(4), "damaged damaged", "has MPEG frames deep inside something else"),
    ("mp4-bomb.m4a", mp4(sample_bytes=0xFFFFFFF0, count=0x7FFFFFFF), "damaged damaged", "declares two billion samples of 4 GiB"),
    ("mp4-empty-samples.m4a", mp4(sample_bytes=0, count=0xFFFFFFFF), "damaged damaged", "declares four billion empty samples"),
    ("mp4-locked.m4a", mp4(b"enca"), "protected protected", "has an encrypted track"),
    ("ogg-claims.opus", opus(), "damaged damaged", "declares 100 hours and holds two seconds of silence"),
    ("opus-channels.opus", opus(channels=255), "damaged damaged", "declares 255 channels where two are possible"),
    ("sdp.ts", b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n", "other not_media", "describes a stream from the network under the name of a film"),
    ("wav-channels.wav", wav(64, bytes(64), channels=65535), "failed limit", "declares 65,535 channels"),
    ("wav-claims.wav", wav(0xF0000000, bytes(1600)), "damaged damaged", "declares 70 hours and holds a tenth of a second"),
    ("wav-nothing.wav", wav(0, b""), "damaged damaged", "holds no sample"),
    ("wav-rate.wav", wav(64, bytes(64), rate=0xFFFFFFFF), "failed limit", "declares 4,294,967,295 frames a second"),
    ("apng-promise.png", apng_promise(), "damaged damaged", "promises 2,147,483,647 frames and holds one"),
    ("bmp-huge.bmp", bmp(60000, 60000), "failed limit", "declares 60,000 x 60,000 pixels and holds none"),
    ("bmp-short.bmp", bmp(64, 64, b"\x20" * 900), "damaged damaged", "holds 900 of 12,288 bytes of pixels"),
    ("bmp-zero.bmp", bmp(0, 0), "damaged damaged", "declares no pixel"),
    ("empty.png", b"", "other not_media", "has no byte"),
    ("film.mkv", b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01" + b"\0" * 32, "damaged damaged", "ends in the header of a film"),
    ("gif-cut.gif", gif(40, 30, 3)[:4200], "damaged damaged", "is cut in its third frame"),
    ("gif-huge.gif", gif(1, 1)[:6] + struct.pack("<HH", 65535, 65535) + gif(1, 1)[10:], "failed limit", "declares a canvas of 65,535 x 65,535 pixels"),
    ("gif-no-frame.gif", gif(8, 8, 0), "damaged damaged", "ends before its first frame"),
    ("gif-zero.gif", b"GIF89a" + bytes(7) + b";", "damaged damaged", "declares no pixel"),
    ("ico-outside.ico", struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, 40, 0x7FFFFFF0) + b"\0" * 40, "damaged damaged", "points 2 GiB behind its end"),
    ("jpeg-arithmetic.jpg", jpeg(sof=0xC9), "unsupported unsupported", "is coded arithmetically"),
    ("jpeg-cut.jpg", jpeg()[:len(jpeg()) * 6 // 10], "damaged damaged", "is cut at 6 tenths"),
    ("jpeg-headers-only.jpg", jpeg()[:jpeg().index(b"\xff\xda")], "damaged damaged", "ends before its picture"),
    ("jpeg-huge.jpg", jpeg(declared=(65500, 65500)), "failed limit", "declares 65,500 x 65,500 pixels and holds 64 x 64"),
    ("jpeg-lossless.jpg", jpeg(sof=0xC3), "unsupported unsupported", "is a lossless JPEG"),
    ("jpeg-no-tables.jpg", jpeg(tables=False), "damaged damaged", "has no Huffman tables"),
    ("jpeg-zero-width.jpg", jpeg(declared=(64, 0)), "damaged damaged", "declares no column"),
    ("named-avif.avif", box(b"ftyp", b"avif\0\0\0\0mif1miaf") + b"\0" * 16, "unsupported unsupported", "AVIF, which is named and not decoded"),
    ("named-heic.heic", box(b"ftyp", b"heic\0\0\0\0mif1heic") + b"\0" * 16, "unsupported unsupported", "HEIC, which is named and not decoded"),
    ("named-jpeg-2000.jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 16, "unsupported unsupported", "JPEG 2000, which is named and not decoded"),
    ("named-jpeg-xl.jxl", b"\xff\x0a" + b"\x5a" * 16, "unsupported unsupported", "JPEG XL, which is named and not decoded"),
    ("named-photoshop.psd", b"8BPS\0\x01" + b"\0" * 24, "unsupported unsupported", "a Photoshop document, which is named and not decoded"),
    ("named-svg.svg", b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>\n", "unsupported unsupported", "SVG, which is named and not decoded"),
    ("playlist.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "other not_media", "a playlist of other files under the name of a film"),
    ("png-bomb.png", PNG + header(60000, 60000) + chunk(b"IDAT", stored(b"\0" * 64)) + chunk(b"IEND", b""), "failed limit", "declares 60,000 x 60,000 pixels"),
    ("png-checksum.png", flipped(png(), 29), "damaged damaged", "has a wrong checksum in its header"),
    ("png-cut.png", png()[:len(png()) // 2], "damaged damaged", "is cut in half"),
    ("png-data-checksum.png", flipped(png(), len(png()) - 100), "damaged damaged", "has a changed byte in its pixels"),
    ("png-no-data.png", PNG + header(32, 24) + chunk(b"IEND", b""), "damaged damaged", "has no pixels"),
    ("png-signature.png", PNG, "damaged damaged", "ends after its signature"),
    ("png-wide.png", PNG + header(0x7FFFFFFF, 1) + chunk(b"IDAT", stored(b"\0" * 64)) + chunk(b"IEND", b""), "failed limit", "declares a row of 2,147,483,647 pixels"),
    ("png-zero-width.png", PNG + header(0, 24) + chunk(b"IDAT", stored(b"\0" * 24)) + chunk(b"IEND", b""), "damaged damaged", "declares no column"),
    ("pnm-huge.ppm", b"P6\n60000 60000\n255\n" + b"\x40" * 32, "failed limit", "declares 60,000 x 60,000 pixels and holds ten"),
    ("pnm-short.pgm", b"P5\n64 64\n255\n" + b"\x40" * 100, "damaged damaged", "holds 100 of 4,096 pixels"),
    ("qoi-huge.qoi", b"qoif" + struct.pack(">IIBB", 60000, 60000, 3, 0) + b"\xfe\1\2\3" + bytes(7) + b"\1", "failed limit", "declares 60,000 x 60,000 pixels and holds one"),
    ("sound.mp3", b"ID3\x04\0\0\0\0\0\0" + b"\xff\xfb\x90\x00" + b"\0" * 64, "damaged damaged", "has one frame of sound behind its tag, and that cut short"),
    ("text.jpg", b"not a picture, whatever its name says\n", "other not_media", "text under the name of a picture"),
    ("tga-huge.tga", struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 65535, 65535, 24, 0) + b"\x33" * 64 + bytes(8) + b"TRUEVISION-XFILE.\0", "failed limit", "declares 65,535 x 65,535 pixels and holds 21"),
    ("tiff-directory-loop.tif", grey_tiff(16, 16, 122, 256, following=8, tail=bytes(256)), "damaged damaged", "its directory names itself as the next one"),
    ("tiff-huge.tif", grey_tiff(60000, 60000, 122, 64, tail=bytes(64)), "failed limit", "declares 60,000 x 60,000 pixels"),
    ("tiff-outside.tif", grey_tiff(64, 64, 0x7FFFFFF0, 4096), "damaged damaged", "its pixels lie 2 GiB behind its end"),
    ("tiff-strip-bytes.tif", grey_tiff(64, 64, 122, 0xFFFFFFFF, tail=bytes(100)), "failed limit", "declares a strip of 4 GiB and holds 100 bytes"),
    ("webp-huge.webp", riff(b"RIFF", b"WEBP" + riff(b"VP8X", b"\x02\0\0\0" + b"\xfe\xff\0\xfe\xff\0") + riff(b"ANIM", bytes(6)) + riff(b"ANMF", bytes(16) + riff(b"VP8L", b"\x2f" + bytes(9)))), "failed limit", "declares a canvas of 65,535 x 65,535 pixels"),
    ("webp-short.webp", b"RIFF\xff\xff\xff\x7fWEBPVP8L\xff\xff\xff\x7f\x2f" + bytes(8), "damaged damaged", "declares 2 GiB and holds 29 bytes"),
    ("zeros.png", bytes(100), "other not_media", "zeros under the name of a picture"),
]

INTRO = """# Bad files

What a scan may meet and must answer: one outcome for each, no panic, no hang, nothing held that a file only declares.
`python3 testdata/bad/make.py` makes the files and this table, the same bytes with every version of Python; with
`--check` it says whether they are as it would make them. All are made by that script and in the public domain (CC0 1.0).
Fuzzing's findings come here too, by name, and `.ci/fuzz` begins with this folder.

The outcome is that of `minutia scan`, with the code of the first problem. Used by `crates/cli/tests/commands/bad.rs`,
which holds the table against the folder and the command.

| file | what is wrong | outcome | made by | licence | SHA-256 |
|---|---|---|---|---|---|
"""


def main():
    wanted = {name: data for name, data, _, _ in FILES}
    lines = [
        f"| `{name}` | {wrong} | `{outcome}` | make.py | CC0 1.0 | `{hashlib.sha256(data).hexdigest()}` |\n"
        for name, data, outcome, wrong in sorted(FILES)
    ]
    wanted["README.md"] = (INTRO + "".join(lines)).encode()
    if "--check" in sys.argv[1:]:
        there = {path.name: path.read_bytes() for path in HERE.iterdir() if path.name != "make.py"}
        wrong = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
        for name in wrong:
            print(f"{name}: not as make.py makes it", file=sys.stderr)
        return 2 if wrong else 0
    for name, data in wanted.items():
        (HERE / name).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
