#!/usr/bin/env python3
"""film_results.py < RECORDS: from the records of `minutia scan --json` to one line a finding of film or sound, the form that the
scorer of the development set reads: {"query", "reference", "score", "query_start", …, "speed"}, times in seconds.

The score is 2 for a `match` and 1 for a `possible`, and behind the point the expected number of false matches: 0.1 more for
each factor of 100 that it is smaller."""
import json
import math
import sys

from sound_results import items, sound_hit


def scored(query, finding):
    got = {**sound_hit(query, {**finding, "score": 0}), "method": finding.get("method"), "shared": finding.get("shared")}
    rare = -math.log10(max(finding.get("expected_false_matches") or 0, 1e-18))
    return {**got, "score": (2 if finding["level"] == "match" else 1) + min(max(rare, 0) / 20, 0.9)}


def main():
    count = 0
    for _, _, hits in items(sys.stdin, scored):
        count += 1
        for got in hits:
            print(json.dumps(got))
    print(f"film_results: {count} items", file=sys.stderr)


if __name__ == "__main__":
    main()
