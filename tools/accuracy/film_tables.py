#!/usr/bin/env python3
"""film_tables.py SEED=TRUTH,RECORDS… [-- NAME:SEED=RESULTS…]: the tables on films of docs/ACCURACY.md, a pair of columns a seed.

Ours are the records that scan.sh leaves. Other tools' results are in the scorer's form, on the same queries; theirs is the
kindest threshold of each seed, just above the highest false score."""
import json
import math
import sys
from collections import Counter, defaultdict

from film_results import scored
from sound_results import items
from sound_tables import head, lines, row, wilson


class Run:
    """One tool on one seed."""

    def __init__(self, truth, hits):
        self.truth = truth
        self.best, self.false = defaultdict(lambda: -math.inf), {}
        right = {line["query"]: {s["reference"] for s in line["segments"] + line["also"]} for line in truth}
        for hit in hits:
            query, reference, score = hit["query"], hit["reference"], hit["score"]
            if reference in right.get(query, ()):
                self.best[query] = max(self.best[query], score)
            elif query in right:
                self.false[query, reference] = max(self.false.get((query, reference), -math.inf), score)

    def kindest(self):
        return max(self.false.values(), default=-math.inf)

    def found(self, keep, counts):
        return sum(counts(self.best[line["query"]]) for line in self.positive(keep))

    def positive(self, keep=lambda line: True):
        return [line for line in self.truth if line["reference"] is not None and keep(line)]


def percent(found, n):
    return f"{100 * found / n:.0f}" if n else "-"


def table(group, ours, others):
    columns = [f"seed {seed}: {what}" for seed in ours for what in ("`match` %", "any %", *others)]
    head([group, "n", *columns, "95 % of any"])
    names = sorted({line[group] for run in ours.values() for line in run.positive()})
    for name in [*names, "all"]:
        keep = (lambda line: True) if name == "all" else (lambda line, name=name: line[group] == name)
        cells, n, either = [], 0, 0
        for seed, run in ours.items():
            count = len(run.positive(keep))
            levels = [run.found(keep, lambda score, least=least: score >= least) for least in (2, 1)]
            n, either = n + count, either + levels[1]
            cells += [percent(found, count) for found in levels]
            for tool in others.values():
                other = tool.get(seed)
                cells.append(percent(other.found(keep, lambda score: score > other.kindest()), count) if other else "-")
        row([name, n, *cells, wilson(either, n)])
    print()


def false_table(ours):
    head(["false", *(f"seed {seed}: {what}" for seed in ours for what in ("queries", "`match`", "any"))])
    for name, wanted in (("of no registered film", False), ("a wrong film", True)):
        cells = []
        for run in ours.values():
            queries = {line["query"] for line in run.truth if (line["reference"] is not None) == wanted}
            cells.append(len(queries))
            for least in (2, 1):
                cells.append(len({query for (query, _), score in run.false.items() if query in queries and score >= least}))
        row([name, *cells])
    print()
    for seed, run in ours.items():
        for (query, reference), score in sorted(run.false.items(), key=lambda pair: -pair[1]):
            print(f"seed {seed}: {score:.2f} {query} -> {reference}", file=sys.stderr)


def sound_table(ours, hits):
    """What is said of picture and sound of the queries whose sound was replaced or whose picture was."""
    head(["alteration", "n", "said (queries)"])
    counts, n = defaultdict(Counter), Counter()
    for seed, run in ours.items():
        for line in run.positive(lambda line: line["family"] == "sound"):
            right = {s["reference"] for s in line["segments"] + line["also"]}
            said = {hit["shared"] for hit in hits[seed] if hit["query"] == line["query"] and hit["reference"] in right}
            n[line["alteration"]] += 1
            counts[line["alteration"]][" and ".join(sorted(filter(None, said))) or "nothing"] += 1
    for name in sorted(counts):
        row([name, n[name], ", ".join(f"{what} {count}" for what, count in counts[name].most_common())])
    print()


def main():
    arguments = sys.argv[1:]
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    ours, hits, others = {}, {}, defaultdict(dict)
    for argument in arguments[:cut]:
        seed, paths = argument.split("=", 1)
        truth, records = paths.split(",")
        with open(records) as file:
            got = list(items(file, scored))
        hits[seed] = [hit for _, _, found in got for hit in found]
        ours[seed] = Run(lines(truth), hits[seed])
        missing = {line["query"] for line in ours[seed].truth} - {query for query, _, _ in got}
        print(f"seed {seed}: {len(missing)} queries without a record", file=sys.stderr)
    for argument in arguments[cut + 1:]:
        name, path = argument.split("=", 1)
        name, seed = name.rsplit(":", 1)
        others[name][seed] = Run(ours[seed].truth, lines(path))
    for group in ("family", "kind", "alteration"):
        table(group, ours, others)
    false_table(ours)
    sound_table(ours, hits)


if __name__ == "__main__":
    main()
