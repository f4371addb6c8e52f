"""Compares our Chromaprint items with fpcalc's, file by file."""

import base64
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

KINDS = {".aac", ".aiff", ".flac", ".m4a", ".mka", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma"}
SECONDS = 120


def decompress(text):
    """Items of a compressed fingerprint, read apart from our code."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    count = int.from_bytes(data[1:4], "big")
    bits, at = int.from_bytes(data[4:], "little"), 0
    places = []
    ended = 0
    while ended < count:
        places.append(bits >> at & 7)
        at += 3
        ended += places[-1] == 0
    at = (at + 7) // 8 * 8
    items, item, last = [], 0, 0
    for place in places:
        if place == 0:
            items.append(item)
            last = 0
            continue
        if place == 7:
            place += bits >> at & 31
            at += 5
        last += place
        item ^= 1 << (last - 1)
    return items


def theirs(path):
    ran = subprocess.run(["fpcalc", "-raw", "-json", "-length", str(SECONDS), path], capture_output=True, text=True)
    # fpcalc 1.5.1 with FFmpeg 5 says at the end of many files that it could not decode it, behind what it made of them.
    return json.loads(ran.stdout)["fingerprint"] if ran.stdout.startswith("{") else None


def ours(program, path, folder):
    wave = Path(folder) / "decoded.wav"
    command = ["ffmpeg", "-v", "error", "-y", "-i", path, "-map", "0:a:0", "-t", str(SECONDS), "-c:a", "pcm_s16le", wave]
    if subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode != 0:
        return None, None
    probed = ["ffprobe", "-v", "error", "-show_entries", "stream=sample_rate,channels", "-of", "csv=p=0", wave]
    shape = subprocess.run(probed, capture_output=True, text=True).stdout.strip().replace(",", " Hz, ")
    ran = subprocess.run([program, wave], capture_output=True, text=True)
    return (decompress(ran.stdout.split()[0]), shape) if ran.returncode == 0 else (None, shape)


def main(program, folder, most=400):
    paths = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in KINDS and path.is_file())
    # Spread over the folder where there are more than are wanted.
    paths = [paths[n * len(paths) // int(most)] for n in range(int(most))] if len(paths) > int(most) else paths
    groups = defaultdict(lambda: [0, 0, 0, 0])
    files, unread, lengths, total = [], [], 0, [0, 0]
    with tempfile.TemporaryDirectory() as scratch:
        for path in paths:
            wanted = theirs(path)
            found, shape = ours(program, path, scratch)
            if wanted is None or found is None or not wanted or not found:
                unread.append(f"{path.name}: fpcalc {len(wanted or [])} items, ours {len(found or [])}")
                continue
            lengths += len(wanted) != len(found)
            items = min(len(wanted), len(found))
            bits = sum((a ^ b).bit_count() for a, b in zip(wanted, found))
            files.append((bits / items, items, path.name, shape))
            for group in groups[f"{path.suffix[1:]}, {shape} channels"], total:
                group[0] += bits
                group[1] += items
                if len(group) > 2:
                    group[2] += 1
                    group[3] += bits == 0
    version = subprocess.run(["fpcalc", "-version"], capture_output=True, text=True).stdout.strip()
    print(f"# Chromaprint items against {version}\n")
    print(f"{len(files)} files, {total[1]} items: {total[0] / max(total[1], 1):.4f} bits an item differ; mean over files "
          f"{sum(row[0] for row in files) / max(len(files), 1):.4f}; {sum(row[0] == 0 for row in files)} files identical; "
          f"{sum(row[0] <= 0.1 for row in files)} within 0.1; {lengths} with another number of items\n")
    print("| files | n | items | identical | bits an item |\n|---|---|---|---|---|")
    for kind, (bits, items, count, same) in sorted(groups.items()):
        print(f"| {kind} | {count} | {items} | {same} | {bits / items:.4f} |")
    print("\nThose that differ most:\n")
    for mean, items, name, shape in sorted(files, reverse=True)[:12]:
        print(f"- {name} ({shape} channels, {items} items): {mean:.3f} bits an item")
    print(f"\nNot compared, since one side had no items: {len(unread)}\n")
    for line in unread[:20]:
        print(f"- {line}")


if __name__ == "__main__":
    main(*sys.argv[1:])
