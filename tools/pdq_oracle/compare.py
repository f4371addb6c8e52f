"""Compares `minutia fingerprint` with pip pdqhash, and its classic hashes with pip imagehash, picture by picture."""

import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from importlib.metadata import version
from pathlib import Path

import imagehash
import numpy as np
import pdqhash
from PIL import Image

import pictures


def fingerprints(minutia, paths, algorithm):
    """Hex and quality by path, and what the command said of the others."""
    command = [minutia, "fingerprint", "--algorithm", algorithm, "--json", "--", *map(str, paths)]
    ran = subprocess.run(command, capture_output=True, text=True)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    return {line["path"]: (line["hex"], line["quality"]) for line in lines}, ran.stderr


def bits(a, b):
    return (int(a, 16) ^ int(b, 16)).bit_count()


def hexes(vector):
    return "".join(f"{byte:02x}" for byte in np.packbits(vector))


def pdq(rgb):
    vector, quality = pdqhash.compute(np.ascontiguousarray(rgb))
    return hexes(vector), int(quality)


def main(minutia):
    with tempfile.TemporaryDirectory() as folder:
        same_pixels, direct = [], []
        for path, rgb, kind in pictures.make(folder):
            if rgb is None:
                # What a lossy decoder gives is its own: both sides take the reference's pixels in a lossless file, and
                # the file itself is compared apart.
                with Image.open(path) as image:
                    rgb = np.asarray(image.convert("RGB"))
                lossless = Path(folder) / f"decoded-{path.stem}-{len(direct)}.png"
                Image.fromarray(rgb).save(lossless)
                direct.append((path, rgb, kind))
                same_pixels.append((lossless, rgb, kind + ", its pixels as PNG"))
            else:
                same_pixels.append((path, rgb, kind))
        report_pdq(minutia, "Same pixels", same_pixels)
        report_pdq(minutia, "Each with its own JPEG decoder", direct)
        report_classic(minutia, same_pixels)


def report_pdq(minutia, title, cases):
    ours, said = fingerprints(minutia, [path for path, _, _ in cases], "pdq")
    kinds, same, qualities, differences = Counter(), Counter(), 0, []
    distances = Counter()
    for path, rgb, kind in cases:
        kinds[kind] += 1
        wanted, wanted_quality = pdq(rgb)
        found, quality = ours.get(str(path), (None, None))
        if found is None:
            differences.append(f"{path.name}: no fingerprint")
            continue
        distance = bits(found, wanted)
        distances[distance] += 1
        same[kind] += distance == 0
        qualities += quality == wanted_quality
        if distance or quality != wanted_quality:
            differences.append(f"{path.name}: {distance} bits, quality {quality} against {wanted_quality}")
    print(f"\n## {title}\n\n{sum(same.values())} of {len(cases)} hashes identical, {qualities} qualities equal\n")
    print("| pictures | n | identical |\n|---|---|---|")
    for kind in sorted(kinds):
        print(f"| {kind} | {kinds[kind]} | {same[kind]} |")
    print("\nBits of difference, and how many pictures:", dict(sorted(distances.items())))
    print(f"\nDifferences: {len(differences)}")
    for line in differences:
        print(f"- {line}")
    if said:
        print("\nThe command said:\n" + said)


def report_classic(minutia, cases):
    """imagehash weighs luma otherwise (BT.601) and scales with another program: near, not equal."""
    twins = {
        "mean-64": lambda image: hexes(imagehash.average_hash(image).hash),
        "gradient-64": lambda image: hexes(imagehash.dhash(image).hash),
        "vertical-gradient-64": lambda image: hexes(imagehash.dhash_vertical(image).hash.T),
        "dct-mean-64": lambda image: hexes(imagehash.phash(image).hash),
    }
    print("\n## Classic hashes against imagehash\n\n| algorithm | n | identical | mean bits | at most |\n|---|---|---|---|---|")
    # Too small to have a picture in it.
    cases = [(path, rgb) for path, rgb, _ in cases if min(rgb.shape[:2]) >= 16]
    found = defaultdict(list)
    for name, twin in twins.items():
        ours, _ = fingerprints(minutia, [path for path, _ in cases], name)
        for path, rgb in cases:
            found[name].append(bits(ours[str(path)][0], twin(Image.fromarray(rgb))))
        distances = np.array(found[name])
        print(f"| {name} | {len(cases)} | {(distances == 0).sum()} | {distances.mean():.2f} | {distances.max()} |")


if __name__ == "__main__":
    packages = ["pdqhash", "imagehash", "pillow", "numpy", "scikit-image"]
    print("# PDQ and the classic hashes against other implementations\n")
    print(", ".join(f"{name} {version(name)}" for name in packages), "with", subprocess.check_output(
        [sys.argv[1], "--version"], text=True).strip())
    main(sys.argv[1])
