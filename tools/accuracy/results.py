#!/usr/bin/env python3
"""results.py QUERIES < RECORDS: from the records of `minutia scan --json` to one line a finding,
{"query", "reference", "score"}, the form that the scorers of the development sets read.

The score is -log10 of the expected number of false matches; identical files score 99."""
import json
import math
import os
import sys


def main():
    root = os.path.realpath(sys.argv[1])
    items = 0
    for line in sys.stdin:
        record = json.loads(line)
        if "outcome" not in record:
            continue
        items += 1
        query = os.path.relpath(os.path.realpath(record["path"]), root)
        for finding in record.get("findings", []):
            expected = finding["expected_false_matches"]
            score = 99.0 if expected <= 0 else min(99.0, -math.log10(expected))
            print(json.dumps({"query": query, "reference": finding["work"], "score": round(score, 4)}))
    print(f"results: {items} items", file=sys.stderr)


if __name__ == "__main__":
    main()
