"""Makes the recordings of this folder and their rows in the ledger of the folder above.

    python3 testdata/audio/make.py --from ORIGINALS    from the files of the packages named in the ledger, in one folder
    python3 testdata/audio/make.py --check             writes nothing; ends with 1 where a row or a file is missing or differs

Encoders write other bytes in other versions, so the files are made once and kept: ffmpeg 5.1.9 of Debian 12 made them.
"""

import argparse
import array
import hashlib
import math
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CC0, BY, OURS = "CC0-1.0", "CC-BY-3.0", "MIT OR Apache-2.0 (ours)"
VONSH, MICEAMAZE, SPEECH = "vonsh 1.0+b1", "miceamaze 4.2.1-3+b1", "asterisk-core-sounds-it-wav 1.6.1-1"

# file: (package, path in it, SHA-256 begins with, licence, by whom)
ORIGINALS = {
    "idle_tune.mp3": (VONSH, "usr/share/games/vonsh/idle_tune.mp3", "98920426", CC0, "Juhani Junkala"),
    "play_tune.mp3": (VONSH, "usr/share/games/vonsh/play_tune.mp3", "e78c88e4", BY, "Przemyslaw Sikorski"),
    "DST-DistantMessage.ogg": (MICEAMAZE, "usr/share/games/miceamaze/music/DST-DistantMessage.ogg", "cd4e39a8", BY,
                               "Deceased Superior Technician"),
    "DST-Azum.ogg": (MICEAMAZE, "usr/share/games/miceamaze/music/DST-Azum.ogg", "03f2d22e", BY,
                     "Deceased Superior Technician"),
    "demo-instruct.wav": (SPEECH, "usr/share/asterisk/sounds/it_IT_m_Carlo/demo-instruct.wav", "a075e5d5", BY, "Carlo Flora"),
}

# The works: name, original, begin, seconds, how ffmpeg encodes it, in words.
REFERENCES = [
    ("idle-tune.mp3", "idle_tune.mp3", 5, 32, ["-c:a", "libmp3lame", "-b:a", "56k", "-ar", "32000", "-ac", "1"], "MP3, 56 kbit/s, mono"),
    ("play-tune.ogg", "play_tune.mp3", 4, 30, ["-c:a", "libvorbis", "-b:a", "64k", "-ar", "44100", "-ac", "2"], "Vorbis, 64 kbit/s"),
    ("distant-message.opus", "DST-DistantMessage.ogg", 30, 36, ["-c:a", "libopus", "-b:a", "48k"], "Opus, 48 kbit/s"),
    ("instructions.m4a", "demo-instruct.wav", 0, 36, ["-c:a", "aac", "-b:a", "24k", "-ar", "16000"], "AAC, 24 kbit/s, mono"),
]

# What is made of an original: name, original (None: made of nothing), begin in it, seconds, filter, encoding, in words,
# the work that it is a copy of, where it begins in the work's file.
SEIZED = [
    ("clean.mp3", "DST-DistantMessage.ogg", 42, 10, "", ["-c:a", "libmp3lame", "-b:a", "64k"], "10 s from second 12", "distant-message.opus"),
    ("noise.mp3", "play_tune.mp3", 12, 10, "noise", ["-c:a", "libmp3lame", "-b:a", "64k"],
     "10 s from second 8 under pink noise, 6 dB below the music", "play-tune.ogg"),
    ("pal.ogg", "idle_tune.mp3", 12, 12.5, "asetrate=44100*25/24,aresample=44100", ["-c:a", "libvorbis", "-b:a", "56k", "-ac", "1"],
     "12.5 s from second 7, sped up by 25/24, pitch and all", "idle-tune.mp3"),
    ("voice.opus", "demo-instruct.wav", 10, 10, "", ["-c:a", "libopus", "-b:a", "16k", "-application", "voip"], "10 s from second 10",
     "instructions.m4a"),
    ("other.mp3", "DST-Azum.ogg", 60, 12, "", ["-c:a", "libmp3lame", "-b:a", "64k"], "12 s of another piece", ""),
    ("silence.flac", None, 0, 10, "anullsrc=r=44100:cl=mono", ["-c:a", "flac"], "10 s of silence", ""),
    ("tone.flac", None, 0, 10, "sine=f=440:r=8000", ["-c:a", "flac"], "10 s of a tone of 440 Hz", ""),
]

# One excerpt in every format: 1.2 s of idle_tune.mp3, mono, 32 kHz.
FORMATS = [
    ("pcm.wav", ["-c:a", "pcm_s16le"]), ("pcm.aiff", ["-c:a", "pcm_s16be"]), ("pcm.caf", ["-c:a", "pcm_s16le"]),
    ("adpcm-ms.wav", ["-c:a", "adpcm_ms"]), ("adpcm-ima.wav", ["-c:a", "adpcm_ima_wav"]), ("mulaw.wav", ["-c:a", "pcm_mulaw"]),
    ("flac.flac", ["-c:a", "flac"]), ("flac.ogg", ["-c:a", "flac"]), ("alac.m4a", ["-c:a", "alac"]),
    ("mp3.mp3", ["-c:a", "libmp3lame", "-b:a", "48k"]),
    ("mp3-untagged.mp3", ["-c:a", "libmp3lame", "-b:a", "48k", "-write_xing", "0", "-id3v2_version", "0"]),
    ("mp2.mp2", ["-c:a", "mp2", "-b:a", "64k"]), ("aac.m4a", ["-c:a", "aac", "-b:a", "48k"]),
    ("aac.aac", ["-c:a", "aac", "-b:a", "48k"]),
    ("aac-fragments.mp4", ["-c:a", "aac", "-b:a", "48k", "-movflags", "frag_keyframe+empty_moov", "-frag_duration", "400000"]),
    ("aac.mka", ["-c:a", "aac", "-b:a", "48k"]), ("vorbis.ogg", ["-c:a", "libvorbis", "-b:a", "56k"]),
    ("vorbis.webm", ["-c:a", "libvorbis", "-b:a", "56k"]), ("opus.opus", ["-c:a", "libopus", "-b:a", "40k"]),
    ("opus.webm", ["-c:a", "libopus", "-b:a", "40k"]), ("opus.mp4", ["-c:a", "libopus", "-b:a", "40k"]),
    ("opus-speech.opus", ["-c:a", "libopus", "-b:a", "12k", "-application", "voip"]),
    ("opus-surround.opus", ["-c:a", "libopus", "-b:a", "96k", "-ac", "6"]),
    ("ac3.ac3", ["-c:a", "ac3", "-b:a", "64k"]), ("eac3.eac3", ["-c:a", "eac3", "-b:a", "64k"]),
    ("ac3.mkv", ["-c:a", "ac3", "-b:a", "64k"]), ("ac3.mp4", ["-c:a", "ac3", "-b:a", "64k"]),
    ("dts.dts", ["-c:a", "dca", "-strict", "-2", "-b:a", "256k"]), ("wma.wma", ["-c:a", "wmav2", "-b:a", "48k"]),
    ("mp3.avi", ["-c:a", "libmp3lame", "-b:a", "48k"]), ("mp2.ts", ["-c:a", "mp2", "-b:a", "64k"]),
    ("mp2.mpg", ["-c:a", "mp2", "-b:a", "64k", "-f", "vob"]), ("mp3.flv", ["-c:a", "libmp3lame", "-b:a", "48k", "-ar", "22050"]),
    ("pcm.au", ["-c:a", "pcm_s16be"]), ("speex.ogg", ["-c:a", "libspeex"]), ("gsm.wav", ["-c:a", "libgsm_ms", "-ar", "8000"]),
    ("gsm.gsm", ["-c:a", "libgsm", "-ar", "8000"]),
    ("wavpack.wv", ["-c:a", "wavpack"]), ("tta.tta", ["-c:a", "tta"]), ("voc.voc", ["-c:a", "pcm_u8", "-ar", "20000"]),
]
PICTURES = ["-f", "lavfi", "-i", "testsrc=d=1.2:s=32x32:r=10"]


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)


def pcm(*arguments):
    made = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *map(str, arguments), "-f", "s16le", "-ac", "1", "-ar", "44100", "-"],
                          check=True, capture_output=True)
    return array.array("h", made.stdout)


def under_noise(original, begin, seconds, path):
    """The excerpt under pink noise, 6 dB below it."""
    music = pcm("-ss", begin, "-t", seconds, "-i", original)
    noise = pcm("-f", "lavfi", "-t", seconds, "-i", "anoisesrc=c=pink:r=44100:seed=7:a=0.5")
    power = [math.sqrt(sum(x * x for x in signal) / len(signal)) for signal in (music, noise)]
    factor = power[0] / power[1] / 10 ** (6 / 20)
    mixed = [0.6 * (a + factor * b) for a, b in zip(music, noise)]
    array.array("h", (max(-32768, min(32767, round(x))) for x in mixed)).tofile(open(path, "wb"))


def module(excerpt, path):
    """A ProTracker module whose one sample is the excerpt, played once, for nine rows of 0.12 s and as long as it fades out."""
    period = 214
    rate = 7_093_789.2 / (2 * period)
    made = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(excerpt), "-af", f"asetrate=32000,aresample={round(rate)}",
                           "-f", "s8", "-ac", "1", "-"], check=True, capture_output=True)
    sample = bytes(2) + made.stdout[2:len(made.stdout) // 2 * 2]
    header = b"the excerpt".ljust(22, b"\0") + (len(sample) // 2).to_bytes(2, "big") + bytes([0, 64, 0, 0, 0, 1])
    silent = bytes(22) + bytes([0, 0, 0, 0, 0, 0, 0, 1])
    pattern = bytearray(64 * 4 * 4)
    pattern[0:4] = bytes([period >> 8, period & 255, 1 << 4, 0])
    # Behind its ninth row the pattern, and with it the song, ends.
    pattern[(8 * 4 + 1) * 4 + 2] = 0xd
    path.write_bytes(b"excerpt".ljust(20, b"\0") + header + silent * 30 + bytes([1, 127]) + bytes(128) + b"M.K." + pattern + sample)


def make(originals, folder):
    exact = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
    for name in ("reference", "seized", "formats"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, original, begin, seconds, encoding, _ in REFERENCES:
        ffmpeg("-ss", begin, "-t", seconds, "-i", originals / original, "-vn", *encoding, *exact, folder / "reference" / name)
    with tempfile.TemporaryDirectory() as scratch:
        for name, original, begin, seconds, how, encoding, *_ in SEIZED:
            to = folder / "seized" / name
            if original is None:
                ffmpeg("-f", "lavfi", "-t", seconds, "-i", how, *encoding, *exact, to)
            elif how == "noise":
                raw = pathlib.Path(scratch) / "mixed"
                under_noise(originals / original, begin, seconds, raw)
                ffmpeg("-f", "s16le", "-ar", 44100, "-ac", 1, "-i", raw, *encoding, *exact, to)
            else:
                ffmpeg("-ss", begin, "-t", seconds, "-i", originals / original, "-vn", *(["-af", how] if how else []),
                       *encoding, *exact, to)
        excerpt = pathlib.Path(scratch) / "excerpt.wav"
        ffmpeg("-ss", 8, "-t", 1.2, "-i", originals / "idle_tune.mp3", "-ac", 1, "-ar", 32000, "-bitexact", excerpt)
        for name, encoding in FORMATS:
            ffmpeg("-i", excerpt, *encoding, *exact, folder / "formats" / name)
        to = folder / "formats"
        module(excerpt, to / "module.mod")
        subprocess.run(["mpcenc", "--quality", "3", "--silent", excerpt, to / "musepack.mpc"], check=True)
        ffmpeg(*PICTURES, "-i", excerpt, "-c:v", "libx264", "-threads", 1, "-c:a", "aac", "-b:a", "48k", *exact, to / "film.mp4")
        ffmpeg(*PICTURES, "-c:v", "libx264", "-threads", 1, *exact, to / "film-silent.mp4")
        ffmpeg(*PICTURES, "-i", excerpt, "-i", originals / "demo-instruct.wav", "-map", 0, "-map", 1, "-map", 2, "-t", 1.2, "-c:v",
               "mpeg4", "-threads", 1, "-c:a", "libvorbis", "-disposition:a:1", "default", "-disposition:a:0", "0", *exact, to / "two-languages.mkv")
        ffmpeg(*PICTURES, "-i", excerpt, "-c:v", "libtheora", "-c:a", "libvorbis", *exact, to / "film.ogv")


def rows():
    """The rows of the ledger, in its order: file, how made, licence, used by."""
    table = []
    for name, original, begin, seconds, _, words in REFERENCES:
        package, path, _, licence, by = ORIGINALS[original]
        table.append((f"reference/{name}", f"`{path}` of {package}, by {by}; {seconds} s from second {begin}, {words}", licence, "demo"))
    for name, original, _, _, _, _, words, work in SEIZED:
        licence = ORIGINALS[original][3] if original else OURS
        what = f"`reference/{work}`: " if work else ""
        by = f" (`{ORIGINALS[original][1]}` of {ORIGINALS[original][0]}, by {ORIGINALS[original][4]})" if original and not work else ""
        table.append((f"seized/{name}", what + words + by, licence, "demo"))
    _, _, _, licence, by = ORIGINALS["idle_tune.mp3"]
    used = "`decode/audio/tests.rs` of minutia-media"
    for name, encoding in FORMATS:
        words = " ".join(encoding)
        table.append((f"formats/{name}", f"1.2 s of idle_tune.mp3 ({VONSH}, by {by}), mono, 32 kHz: `{words}`", licence, used))
    table.append(("formats/musepack.mpc", "the same excerpt: `mpcenc --quality 3` of musepack-tools 2:0.1~r495-2", licence, used))
    table.append(("formats/module.mod", "a module of ProTracker that plays the same excerpt as its one sample", licence, used))
    table.append(("formats/film.mp4", "a test picture with the same excerpt, H.264 and AAC", licence, used))
    table.append(("formats/film-silent.mp4", "a test picture, H.264", OURS, used))
    table.append(("formats/film.ogv", "a test picture with the same excerpt, Theora and Vorbis", licence, used))
    table.append(("formats/two-languages.mkv", f"a test picture with the same excerpt and 1.2 s of demo-instruct.wav ({SPEECH}, by Carlo Flora), the default track", BY, used))
    for name, words in (("vonsh.txt", VONSH), ("miceamaze.txt", MICEAMAZE), ("asterisk-core-sounds-it-wav.txt", SPEECH)):
        table.append((f"LICENSES/{name}", f"paragraphs of the copyright file of {words}", "as the package", "whoever asks"))
    table.append(("LICENSES/CC-BY-3.0.txt", f"the text of the licence, from the copyright file of {VONSH}", "verbatim copies allowed", "whoever asks"))
    table.append(("reference/works.csv", "by hand; holders as the licences name them", OURS, "demo"))
    table.append(("seized.truth.csv", "by hand", OURS, "demo"))
    table.append(("make.py", "by hand", OURS, "makes the rows above"))
    return table


BEGIN, END = "<!-- made by audio/make.py: begin -->", "<!-- made by audio/make.py: end -->"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--from", dest="originals", type=pathlib.Path, metavar="ORIGINALS", help="a folder")
    args = parser.parse_args()
    if args.originals and not args.check:
        for name, (package, path, digest, *_) in ORIGINALS.items():
            if not hashlib.sha256((args.originals / name).read_bytes()).hexdigest().startswith(digest):
                sys.exit(f"{path}: expected the file of {package}, whose SHA-256 begins with {digest}")
        make(args.originals, HERE)
    lines = ""
    for path, how, licence, used_by in rows():
        digest = hashlib.sha256((HERE / path).read_bytes()).hexdigest()
        lines += f"| `audio/{path}` | {how} | {licence} | `{digest}` | {used_by} |\n"
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
