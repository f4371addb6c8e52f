#!/usr/bin/env python3
"""tables.py NAME=SCORE.json… [-- NAME=SCORE.json…]: the tables of docs/ACCURACY.md, from what run.sh leaves in its folder.
The scores before `--` are ours, one a seed, and are added up; those behind it are of other tools on the same queries."""
import json
import math
import sys


def interval(found, n):
    """Wilson's, 95 %."""
    z = 1.96
    p, d = found / n, 1 + z * z / n
    middle, half = (p + z * z / (2 * n)) / d, z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d
    return f"{100 * max(0, middle - half):.0f}-{100 * min(1, middle + half):.0f}"


def read(arguments):
    return [(name, json.load(open(path))) for name, path in (argument.split("=", 1) for argument in arguments)]


def table(title, group, ours, theirs):
    """A row a key, the last of which the scorer calls `all`; ours summed over the seeds, then each seed, then the others."""
    rivals = sorted({name.rsplit(" ", 1)[0] for name, _ in theirs})
    print("| " + " | ".join([title, "n", "found", "missed", "recall %", "95 %", *(name for name, _ in ours), *rivals]) + " |")
    print("|---|" + "--:|" * (5 + len(ours) + len(rivals)))
    for key in ours[0][1][group]:
        rows = [score[group][key] for _, score in ours]
        found, n = sum(row["found"] for row in rows), sum(row["n"] for row in rows)
        cells = [key, n, found, n - found, f"{100 * found / n:.1f}", interval(found, n)]
        cells += [f"{100 * row['found'] / row['n']:.1f}" for row in rows]
        for rival in rivals:
            rows = [score[group][key] for name, score in theirs if name.rsplit(" ", 1)[0] == rival]
            cells.append(f"{100 * sum(row['found_zero_media'] for row in rows) / sum(row['n'] for row in rows):.1f}")
        print("| " + " | ".join(map(str, cells)) + " |")
    print()


def main():
    arguments = sys.argv[1:]
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    ours, theirs = read(arguments[:cut]), read(arguments[cut + 1:])
    table("family", "families", ours, theirs)
    table("alteration", "alterations", ours, [])
    print("| negatives | " + " | ".join(f"{name}: n, false matches, highest score" for name, _ in ours) + " |")
    print("|---|" + "--:|" * len(ours))
    for kind in ours[0][1]["negative_kinds"]:
        rows = [score["negative_kinds"][kind] for _, score in ours]
        cells = [f"{r['n']}, {r['false']}, {'-' if r['highest'] is None else round(r['highest'], 1)}" for r in rows]
        print(f"| {kind.removeprefix('negative_')} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
