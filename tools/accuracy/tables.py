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


def total(scores, group, key):
    rows = [score[group][key] for _, score in scores]
    return sum(row["found"] for row in rows), sum(row["n"] for row in rows)


def table(title, group, ours, theirs):
    columns = [name for name, _ in ours]
    rivals = sorted({name.rsplit(" ", 1)[0] for name, _ in theirs}) if group == "families" else []
    print("| " + " | ".join([title, "n", "found", "missed", "recall %", "95 %", *columns, *rivals]) + " |")
    print("|---|" + "--:|" * (5 + len(columns) + len(rivals)))

    def row(name, parts):
        found, n = sum(f for f, _ in parts), sum(n for _, n in parts)
        cells = [name, n, found, n - found, f"{100 * found / n:.1f}", interval(found, n)]
        return cells, found, n

    everything = [[0, 0] for _ in ours]
    for key in ours[0][1][group]:
        parts = [(score[group][key]["found"], score[group][key]["n"]) for _, score in ours]
        cells, _, _ = row(key, parts)
        for sums, (found, n) in zip(everything, parts):
            sums[0] += found
            sums[1] += n
        cells += [f"{100 * found / n:.1f}" for found, n in parts]
        for rival in rivals:
            scores = [score[group][key] for name, score in theirs if name.rsplit(" ", 1)[0] == rival]
            cells.append(f"{100 * sum(s['found_zero_media'] for s in scores) / sum(s['n'] for s in scores):.1f}")
        print("| " + " | ".join(map(str, cells)) + " |")
    cells, _, _ = row("**all**", everything)
    cells += [f"{100 * found / n:.1f}" for found, n in everything]
    for rival in rivals:
        scores = [s for name, score in theirs if name.rsplit(" ", 1)[0] == rival for s in score[group].values()]
        cells.append(f"{100 * sum(s['found_zero_media'] for s in scores) / sum(s['n'] for s in scores):.1f}")
    print("| " + " | ".join(map(str, cells)) + " |\n")


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
