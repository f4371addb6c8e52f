"""Makes the films of this folder, what ffmpeg decodes of them, and their rows in the ledger of the folder above.

    python3 testdata/video/make.py --from VID_20191220_170832.mp4    from the file of the package named in the ledger
    python3 testdata/video/make.py --demo FOLDER                     the films of the demonstration, from ThreatExchange's tmk/sample-videos
    python3 testdata/video/make.py --check                           writes nothing; ends with 1 where a row or a file is missing or differs

Encoders write other bytes in other versions, so the files are made once and kept: ffmpeg 5.1.9 of Debian 12 made them.
"""

import argparse
import fractions
import hashlib
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE, PATH = "forensics-samples-files 1.1.4-5", "usr/share/forensics-samples/original-files/movie1/VID_20191220_170832.mp4"
DIGEST = "9b0710a436413f75"
BY, OURS = "CC-BY-SA-4.0", "MIT OR Apache-2.0 (ours)"

SMALL = ["-vf", "scale=318:180"]
X264 = ["-c:v", "libx264", "-crf", "27", "-g", "12", "-threads", "1"]
EXACT = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]

# Encoded from the original: file, arguments, in words.
ENCODED = [
    ("baseline.mp4", [*SMALL, *X264, "-profile:v", "baseline", "-an", "-movflags", "+faststart"], "H.264 baseline, directory first"),
    ("main.mp4", [*SMALL, *X264, "-profile:v", "main", "-bf", "3", "-c:a", "aac", "-b:a", "32k", "-ac", "1"],
     "H.264 main with B-frames, and AAC, directory last"),
    ("high.mkv", [*SMALL, *X264, "-profile:v", "high", "-bf", "4", "-preset", "slower", "-an"], "H.264 high with B-frames"),
    ("interlaced.mp4", [*SMALL, *X264, "-flags", "+ildct+ilme+bitexact", "-x264-params", "tff=1", "-an"], "H.264, interlaced"),
    ("ten-bit.mkv", [*SMALL, *X264, "-pix_fmt", "yuv420p10le", "-an"], "H.264 of 10 bits"),
    ("open-groups.mp4", [*SMALL, *X264, "-x264-params", "open-gop=1:slices=3:keyint=12", "-an"],
     "H.264 in slices, with open groups of pictures"),
    ("lossless.mp4", ["-vf", "scale=96:54", "-t", "0.3", "-c:v", "libx264", "-qp", "0", "-threads", "1", "-an"], "H.264 without loss"),
    ("varied.mkv", ["-vf", "scale=318:180,setpts='PTS+if(gt(N,10),0.4/TB,0)'", "-vsync", "vfr", *X264, "-an"],
     "H.264, with a pause of 0.4 s behind frame 10"),
    ("vp9.webm", [*SMALL, "-c:v", "libvpx-vp9", "-b:v", "120k", "-g", "12", "-threads", "1", "-an"], "VP9"),
    ("hevc.mp4", [*SMALL, "-c:v", "libx265", "-crf", "34", "-x265-params", "log-level=none:pools=1:frame-threads=1:keyint=12", "-an"], "HEVC"),
    ("av1.mp4", [*SMALL, "-c:v", "libsvtav1", "-preset", "6", "-crf", "50", "-g", "12", "-svtav1-params", "film-grain=20:lp=1", "-an"],
     "AV1 with film grain"),
    ("av1-ten-bit.webm", [*SMALL, "-pix_fmt", "yuv420p10le", "-c:v", "libaom-av1", "-cpu-used", "6", "-crf", "45", "-g", "12", "-threads", "1", "-an"],
     "AV1 of 10 bits"),
    ("av1-twelve-bit.mkv", ["-vf", "scale=161:91", "-pix_fmt", "yuv444p12le", "-c:v", "libaom-av1", "-cpu-used", "6", "-crf", "45", "-g", "12",
                            "-threads", "1", "-an"], "AV1 of 12 bits, of odd size"),
    ("mpeg2.ts", [*SMALL, "-c:v", "mpeg2video", "-b:v", "250k", "-g", "12", "-bf", "2", "-threads", "1", "-an"], "MPEG-2"),
    ("mpeg4.avi", [*SMALL, "-c:v", "mpeg4", "-b:v", "150k", "-g", "12", "-threads", "1", "-an"], "MPEG-4 part 2"),
]

# Packed anew from one of those, without decoding: file, arguments before and behind the input, in words.
PACKED = [
    ("fragments.mp4", "main.mp4", [], ["-an", "-movflags", "frag_keyframe+empty_moov"], "in fragments"),
    ("rotated.mov", "main.mp4", [], ["-an", "-metadata:s:v", "rotate=90"], "with a matrix that turns it by 90 degrees"),
    ("cut.mp4", "main.mp4", ["-ss", "0.55"], ["-an"], "from 0.55 s on, by an edit list that begins inside a group of pictures"),
    ("late.mp4", "main.mp4", ["-itsoffset", "0.7"], ["-an"], "0.7 s late, by a gap in the edit list"),
    ("live.mkv", "main.mp4", [], ["-live", "1"], "in clusters without lengths"),
]

# The films of the demonstration are made of these: name, SHA-256 begins with.
SAMPLES = {"chair-20-sd-bar.mp4": "59bb62fb12ea3a7e", "pattern-hd-no-bar.mp4": "80865824af39b163"}
SAMPLES_OF, BSD = "of ThreatExchange at baefb4ed", "BSD-3-Clause"
SMALLER = ["-r", "15", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "slower", "-crf", "33", "-g", "45", "-threads", "1", "-an"]
PILLARS = "scale=-2:240,pad=320:240:(ow-iw)/2:0,setsar=1,fps=15"
INSIDE = ("[0:v]scale=320:240,setsar=1,fps=15,split[a][b];[a]trim=0:3,setpts=PTS-STARTPTS[before];[b]trim=3:6.5,setpts=PTS-STARTPTS[after];"
          f"[1:v]trim=8:18,setpts=PTS-STARTPTS,hflip,{PILLARS}[inside];[before][inside][after]concat=n=3")

# File, originals, arguments, in words.
DEMO = [
    ("reference/chair.mp4", ["chair-20-sd-bar.mp4"], ["-vf", "scale=200:-2"], "200 pixels wide, 15 frames a second"),
    ("seized/clips/evening.mp4", ["pattern-hd-no-bar.mp4", "chair-20-sd-bar.mp4"], ["-filter_complex", INSIDE],
     "the first and the last seconds of the one, between them 10 s of the other, mirrored, in black bars"),
    ("seized/clips/fabric.mp4", ["pattern-hd-no-bar.mp4"], ["-vf", "scale=200:-2"], "200 pixels wide, 15 frames a second"),
]

SUBTITLES = "1\n00:00:00,000 --> 00:00:01,000\nhello\n"


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)


def make(original, folder):
    for name, arguments, _ in ENCODED:
        ffmpeg("-i", original, *EXACT, *arguments, folder / name)
    for name, of, before, behind, _ in PACKED:
        ffmpeg(*before, "-i", folder / of, "-c", "copy", *EXACT, *behind, folder / name)
    with tempfile.TemporaryDirectory() as scratch:
        words, note = pathlib.Path(scratch) / "words.srt", pathlib.Path(scratch) / "note.txt"
        words.write_text(SUBTITLES)
        note.write_text("a file that travels with the film\n")
        ffmpeg("-i", folder / "main.mp4", "-i", folder / "baseline.mp4", "-i", words, "-map", "0:a", "-map", "0:v", "-map", "1:v", "-map", "2",
               "-c", "copy", "-c:s", "srt", "-metadata:s:s", "language=eng", *EXACT, "-metadata:s:s:0", "language=eng", "-attach", note,
               "-metadata:s:t", "mimetype=text/plain", folder / "tracks.mkv")


def make_demo(samples, folder):
    for name, digest in SAMPLES.items():
        if not hashlib.sha256((samples / name).read_bytes()).hexdigest().startswith(digest):
            sys.exit(f"expected tmk/sample-videos/{name} {SAMPLES_OF}, whose SHA-256 begins with {digest}")
    for name, originals, arguments, _ in DEMO:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        inputs = [word for original in originals for word in ("-i", samples / original)]
        ffmpeg(*inputs, *arguments, *SMALLER, *EXACT, "-movflags", "+faststart", folder / name)


def fnv(plane):
    digest = 0xcbf29ce484222325
    for byte in plane:
        digest = (digest ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return digest


def frames(path):
    """What ffmpeg decodes: time in microseconds, whether it is a key frame, FNV-1a of the luma plane."""
    run = lambda *words: subprocess.run([*words], check=True, capture_output=True).stdout
    zero = [] if path.suffix in (".mp4", ".mov", ".mkv", ".webm") else ["-start_at_zero"]
    bits = {"ten-bit": 10, "twelve-bit": 12}
    depth = next((depth for name, depth in bits.items() if name in path.name), 8)
    wide = 2 if depth > 8 else 1
    told = run("ffprobe", "-v", "error", "-select_streams", "V:0", "-show_entries", "stream=width,height,time_base,start_pts:frame=pts,key_frame",
               "-of", "flat", str(path)).decode()
    fields = dict(line.split("=", 1) for line in told.split())
    field = lambda name: fields[name].strip('"')
    width, height = int(field("streams.stream.0.width")), int(field("streams.stream.0.height"))
    base = fractions.Fraction(field("streams.stream.0.time_base"))
    start = int(field("streams.stream.0.start_pts")) if zero else 0
    planes = run("ffmpeg", "-nostdin", "-v", "error", "-copyts", "-noautorotate", "-i", str(path), "-map", "0:V:0", "-vf", "extractplanes=y",
                 "-vsync", "passthrough", "-f", "rawvideo", "-")
    size = width * height * wide
    assert len(planes) % size == 0
    found = []
    for number in range(len(planes) // size):
        plane = planes[number * size:(number + 1) * size]
        if wide == 2:
            plane = bytes((low | high << 8) >> depth - 8 for low, high in zip(plane[::2], plane[1::2]))
        pts = (int(field(f"frames.frame.{number}.pts")) - start) * base * 1_000_000
        key = field(f"frames.frame.{number}.key_frame")
        found.append(f"{path.name} {width}x{height} {int(pts + fractions.Fraction(1, 2))} {key} {fnv(plane):016x}\n")
    return found


def rows():
    """The rows of the ledger, in its order: file, how made, licence, used by."""
    used = "`decode/video/tests.rs` of minutia-media"
    table = [(f"formats/{name}", f"`{PATH}` of {PACKAGE}, by Joao Eriberto Mota Filho; {words}: `{' '.join(arguments)}`", BY, used)
             for name, arguments, words in ENCODED]
    table += [(f"formats/{name}", f"`formats/{of}` packed anew, {words}: `{' '.join([*before, *behind])}`", BY, used)
              for name, of, before, behind, words in PACKED]
    table.append(("formats/tracks.mkv", "sound and pictures of `formats/main.mp4`, pictures of `formats/baseline.mp4`, a subtitle, and a text as attachment", BY, used))
    reference = "of ThreatExchange at baefb4ed"
    table += [(f"vpdq/{name}.{kind}", f"`{folder}/{name}.{kind}` {reference}{words}", "BSD-3-Clause", "`tests/vpdq_vectors.rs` of minutia, `tests/commands/film_lists.rs` of minutia-cli")
              for name in ("doorknob-hd-no-bar", "test-padded-dimensions")
              for kind, folder, words in (("mp4", "tmk/sample-videos", ", as it is"), ("txt", "vpdq/sample-hashes", ": what its own tool made of the film"))]
    table += [(name, f"{' and '.join(f'`tmk/sample-videos/{original}`' for original in originals)} {SAMPLES_OF}: {words}", BSD, "demo, its tests")
              for name, originals, _, words in DEMO]
    table.append(("reference/works.csv", "by hand; the holder is invented", OURS, "demo"))
    table.append(("seized.truth.csv", "by hand", OURS, "demo"))
    table.append(("LICENSES/ThreatExchange.txt", f"the file `LICENSE` {reference}", "as the package", "whoever asks"))
    table.append(("frames.txt", "what ffmpeg 5.1.9 decodes of each: file, size, time in microseconds, key frame, FNV-1a of luma", OURS, used))
    table.append(("LICENSES/forensics-samples-files.txt", f"the copyright file of {PACKAGE}", "as the package", "whoever asks"))
    table.append(("make.py", "by hand", OURS, "makes the rows above"))
    return table


BEGIN, END = "<!-- made by video/make.py: begin -->", "<!-- made by video/make.py: end -->"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--from", dest="original", type=pathlib.Path, metavar="ORIGINAL", help="a file")
    parser.add_argument("--demo", type=pathlib.Path, metavar="FOLDER", help="of ThreatExchange's sample videos")
    args = parser.parse_args()
    if args.demo and not args.check:
        make_demo(args.demo, HERE)
    if args.original and not args.check:
        if not hashlib.sha256(args.original.read_bytes()).hexdigest().startswith(DIGEST):
            sys.exit(f"expected {PATH} of {PACKAGE}, whose SHA-256 begins with {DIGEST}")
        make(args.original, HERE / "formats")
        films = sorted(path for path in (HERE / "formats").iterdir())
        (HERE / "frames.txt").write_text("".join(line for path in films for line in frames(path)))
    lines = ""
    for path, how, licence, used_by in rows():
        digest = hashlib.sha256((HERE / path).read_bytes()).hexdigest()
        lines += f"| `video/{path}` | {how} | {licence} | `{digest}` | {used_by} |\n"
    readme = HERE.parent / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    wanted = f"{before}{BEGIN}\n| file | how made | licence | SHA-256 | used by |\n|---|---|---|---|---|\n{lines}{END}{after}"
    known = {HERE / path for path, *_ in rows()}
    strange = sorted(path for path in HERE.rglob("*") if path.is_file() and path not in known)
    for path in strange:
        print(f"no row: {path}")
    if args.check:
        print("as it was made" if wanted == text and not strange else "differs")
        return 1 if wanted != text or strange else 0
    readme.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
