#!/usr/bin/env python3
"""sound_tables.py SEED=TRUTH,RECORDS… [-- NAME:SEED=RESULTS[,TRUTH]…]: the tables on sound of docs/ACCURACY.md.

Ours are the records that scan.sh leaves, one a seed, pooled; found is what a finding of the level `match` names. The
results of other tools are on the same queries, and theirs is the kindest threshold: for each length of query, seed by seed,
just above the highest false hit (the `length` rule of the scorer). A tool that was run on some of the queries only has a
truth of its own with these; ours on the same queries stands beside it."""
import json
import math
import sys
from collections import Counter, defaultdict

from sound_results import items

LOOP = 0.5  # seconds: a right answer that is farther off is taken for another turn of a loop
# What was to be reached, in percent: by families, and by alterations.
GOALS = [
    ("all", 93, None, None), ("clean", 99, {"clean"}, None), ("codec", 99, {"codec"}, None), ("level", 99, {"level"}, None),
    ("filter", 99, {"filter"}, None), ("edit, embedded, medley", 99, {"edit"}, None), ("tempo", 97, {"tempo"}, None),
    ("pitch", 97, {"pitch"}, None), ("speed", 97, {"speed"}, None), ("PAL", 97, None, {"pal"}),
    ("nightcore", 97, None, {"nightcore"}), ("noise", 97, {"noise"}, None), ("babble", 88, {"babble"}, None),
    ("voice-over", 85, {"voice-over"}, None), ("reverb", 85, {"reverb"}, None), ("chain", 85, {"chain"}, None),
    ("stereo", 85, {"stereo"}, None), ("camcord, 10 s", 50, None, {"camcord"}), ("camcord, 30 s", 88, None, {"camcord-30"}),
    ("clean, 3 s", 100, None, {"clean-3"}), ("clean, 5 s", 100, None, {"clean-5"}), ("PAL, 3 s", 90, None, {"pal-3"}),
    ("PAL, 5 s", 99, None, {"pal-5"}),
]
BINS = [(3, 4), (5, 7), (10, 13), (20, 24), (30, 45)]


def wilson(found, n):
    z = 1.96
    p, d = found / n, 1 + z * z / n
    middle, half = (p + z * z / (2 * n)) / d, z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d
    return f"{100 * max(0, middle - half):.0f}-{100 * min(1, middle + half):.0f}"


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(q * len(values)))] if values else None


def shown(value, form):
    return "-" if value is None else form.format(value)


def length_of(truth):
    return next((name for name, top in BINS if truth["seconds"] <= top), math.inf)


class Run:
    """One tool on one seed: the truth, the hits of each query, and which of them count."""

    def __init__(self, truth, hits, counts=None):
        self.truth, self.hits = truth, defaultdict(list)
        for hit in hits:
            self.hits[hit["query"]].append(hit)
        self.wanted = defaultdict(set)
        for line in truth:
            self.wanted[line["query"]] |= {line["reference"]} - {None}
        self.counts = counts or self.kindest()

    def kindest(self):
        """Counts what is above every false hit on a query of the same length; siblings set no threshold."""
        highest = defaultdict(lambda: -math.inf)
        lengths = {line["query"]: length_of(line) for line in self.truth}
        for line in self.truth:
            for hit in self.hits[line["query"]] if line["family"] != "sibling" else []:
                if hit["reference"] not in self.wanted[line["query"]]:
                    highest[lengths[line["query"]]] = max(highest[lengths[line["query"]]], hit["score"])
        return lambda hit: hit["score"] > highest[lengths[hit["query"]]]

    def with_counts(self, counts):
        return Run(self.truth, [hit for hits in self.hits.values() for hit in hits], counts)

    def found(self, line):
        return [hit for hit in self.hits[line["query"]] if hit["reference"] == line["reference"] and self.counts(hit)]

    def wrong(self, line):
        wanted = self.wanted[line["query"]]
        return any(hit["reference"] not in wanted and self.counts(hit) for hit in self.hits[line["query"]])


class Sum:
    """What is told of some lines of truth, of one or several runs."""

    def __init__(self, runs, keep):
        self.n = self.found = 0
        self.offsets, self.overlaps, self.speeds, wrong = [], [], [], set()
        for number, run in enumerate(runs):
            for line in run.truth:
                if line["reference"] is None or not keep(line):
                    continue
                self.n += 1
                hits = run.found(line)
                self.found += bool(hits)
                if run.wrong(line):
                    wrong.add((number, line["query"]))
                self.place(line, [hit for hit in hits if hit.get("ref_start") is not None])
        self.wrong = len(wrong)

    def place(self, line, hits):
        """Offsets at the start of the hit; of several hits the nearest counts, as in the scorer."""
        errors = []
        for hit in hits:
            right = line["ref_start"] + (hit["query_start"] - line["query_start"]) * line["speed"]
            errors.append((abs(hit["ref_start"] - right), hit["speed"]))
        if errors:
            offset, speed = min(errors)
            self.offsets.append(offset)
            self.speeds.append(abs(speed - line["speed"]) / line["speed"])
            self.overlaps.append(max(overlap(line, hit) for hit in hits))

    def recall(self):
        return f"{100 * self.found / self.n:.1f}" if self.n else "-"

    def places(self):
        """Median and 95th percentile in ms of the right turn of a loop, share of it, overlap of spans, error of speed."""
        near = [offset for offset in self.offsets if offset <= LOOP]
        share = 100 * len(near) / len(self.offsets) if self.offsets else None
        return [
            *(shown(quantile([1000 * offset for offset in near], q), "{:.1f}") for q in (0.5, 0.95)),
            shown(share, "{:.0f}"),
            shown(quantile(self.overlaps, 0.5), "{:.2f}"),
        ]

    def speed(self):
        return [shown(quantile([100 * error for error in self.speeds], q), "{:.3f}") for q in (0.5, 0.95)]


def overlap(line, hit):
    shared = min(hit["query_end"], line["query_end"]) - max(hit["query_start"], line["query_start"])
    both = max(hit["query_end"], line["query_end"]) - min(hit["query_start"], line["query_start"])
    return max(0.0, shared) / both if both > 0 else 0.0


def row(cells):
    print("| " + " | ".join(map(str, cells)) + " |")


def head(cells):
    row(cells)
    print("|---|" + "--:|" * (len(cells) - 1))


PLACES = ["offset ms, median", "p95", "in place %", "IoU"]


def recall_table(group, ours, others):
    """A row a value of `group` in the truth; others are compared on the seeds that they have been run on."""
    names = sorted({line[group] for run in ours.values() for line in run.truth if line["reference"] is not None})
    head([group, "n", "found", "recall %", "95 %", "wrong", *PLACES, "speed error %, median", "p95", *others])
    for name in [*names, "all"]:
        keep = (lambda line: True) if name == "all" else (lambda line, name=name: line[group] == name)
        got = Sum(ours.values(), keep)
        cells = [name, got.n, got.found, got.recall(), wilson(got.found, got.n), got.wrong]
        row(cells + got.places() + got.speed() + [Sum(runs.values(), keep).recall() for runs in others.values()])
    print()


def goals_table(ours):
    head(["goal", "at least %", "n", *(f"seed {seed} %" for seed in ours), "all %", "95 %", "kept"])
    for name, least, families, alterations in GOALS:
        keep = lambda line: (not families or line["family"] in families) and (not alterations or line["alteration"] in alterations)
        got, each = Sum(ours.values(), keep), [Sum([run], keep) for run in ours.values()]
        if not got.n:
            continue
        kept = [seed for seed, one in zip(ours, each) if 100 * one.found >= least * one.n]
        told = "yes" if len(kept) == len(ours) else f"seed {' and '.join(kept)}" if kept else "no"
        row([name, least, got.n, *(one.recall() for one in each), got.recall(), wilson(got.found, got.n), told])
    print()


def tool_table(name, runs, ours):
    print(f"{name}, seed {' and '.join(runs)}:\n")
    same = []
    for seed, run in runs.items():
        same.append(Run(run.truth, [hit for hits in ours[seed].hits.values() for hit in hits], ours[seed].counts))
    head(["family", "n", "found", "recall %", "95 %", *PLACES, "Minutia, recall %"])
    families = sorted({line["family"] for run in runs.values() for line in run.truth if line["reference"] is not None})
    for family in [*families, "all"]:
        got = Sum(runs.values(), lambda line: family in ("all", line["family"]))
        beside = Sum(same, lambda line: family in ("all", line["family"]))
        row([family, got.n, got.found, got.recall(), wilson(got.found, got.n), *got.places(), beside.recall()])
    print()


def false_table(ours):
    """Queries hit, by what they are."""
    rules = {"match": lambda hit: hit["level"] == "match", "any finding": lambda hit: True}
    head(["false hits", *(f"seed {seed}: {what}" for seed in ours for what in ["queries", *rules])])
    for family in ["negative", "undecidable", "sibling"]:
        cells = []
        for run in ours.values():
            lines = [line for line in run.truth if line["family"] == family]
            cells.append(len({line["query"] for line in lines}))
            cells += [len({line["query"] for line in lines if run.with_counts(counts).wrong(line)}) for counts in rules.values()]
        row([family, *cells])
    cells = []
    for run in ours.values():
        lines = [line for line in run.truth if line["reference"] is not None]
        cells.append(len({line["query"] for line in lines}))
        cells += [len({line["query"] for line in lines if run.with_counts(counts).wrong(line)}) for counts in rules.values()]
    row(["a wrong reference", *cells])
    print()
    for seed, run in ours.items():
        wrong = {}
        for line in run.truth:
            for hit in run.hits[line["query"]]:
                if hit["reference"] not in run.wanted[line["query"]]:
                    source = line["parameters"].get("source") or "+".join(sorted(run.wanted[line["query"]]))
                    wrong[line["query"], hit["reference"]] = (hit["score"], hit["level"], line["family"], line["alteration"], source)
        for (query, reference), about in sorted(wrong.items(), key=lambda entry: -entry[1][0]):
            print(f"seed {seed}: {query} -> {reference}:", *about, file=sys.stderr)


def outcome_table(outcomes, ours):
    """How a scan ends for queries that hold nothing to be told by."""
    counts = defaultdict(Counter)
    for seed, run in ours.items():
        for line in run.truth:
            if line["family"] == "undecidable":
                counts[line["alteration"]][outcomes[seed].get(line["query"], "none")] += 1
    columns = sorted({outcome for count in counts.values() for outcome in count})
    head(["sound", *columns])
    for kind, count in sorted(counts.items()):
        row([kind, *(count[outcome] for outcome in columns)])
    print()


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def main():
    arguments = sys.argv[1:]
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    ours, outcomes, others = {}, {}, {}
    for argument in arguments[:cut]:
        seed, paths = argument.split("=", 1)
        truth, records = paths.split(",")
        with open(records) as file:
            got = list(items(file))
        outcomes[seed] = {query: outcome for query, outcome, _ in got}
        hits = [hit for _, _, hits in got for hit in hits]
        ours[seed] = Run(lines(truth), hits, lambda hit: hit["level"] == "match")
    for argument in arguments[cut + 1:]:
        name, path = argument.split("=", 1)
        name, seed = name.rsplit(":", 1)
        results, *truth = path.split(",")
        others.setdefault(name, {})[seed] = Run(lines(truth[0]) if truth else ours[seed].truth, lines(results))
    for seed, run in ours.items():
        done = len({line["query"] for line in run.truth} & set(outcomes[seed]))
        levels = sorted({hit["least_score"] for hits in run.hits.values() for hit in hits if hit["level"] == "match" and hit.get("least_score")})
        print(f"seed {seed}: {done} queries of {len({line['query'] for line in run.truth})}; least scores of a match: {levels}", file=sys.stderr)
    for group in ["family", "kind", "alteration"]:
        recall_table(group, ours, others)
    if len(ours) > 1:
        head(["family", *(f"seed {seed}" for seed in ours)])
        for family in [*sorted({line["family"] for run in ours.values() for line in run.truth if line["reference"] is not None}), "all"]:
            row([family, *(Sum([run], lambda line: family in ("all", line["family"])).recall() for run in ours.values())])
        print()
    goals_table(ours)
    for name, runs in others.items():
        tool_table(name, runs, ours)
    false_table(ours)
    outcome_table(outcomes, ours)


if __name__ == "__main__":
    main()
