#!/usr/bin/env python3
"""sound_results.py < RECORDS: from the records of `minutia scan --json` to one line a finding of sound, the form that the
scorer of the development set reads: {"query", "reference", "score", "query_start", …, "speed"}, times in seconds.

The reference is the file name without its extension, since scan.sh registers every reference under its id. `level` and
`least_score` (the threshold that the finding kept) go along."""
import json
import os
import sys


def items(lines, hit=None):
    """Of each record of an item its query, its outcome and its hits, as `hit` makes them of findings."""
    hit = hit or sound_hit
    for line in lines:
        record = json.loads(line)
        if "outcome" in record:
            query = os.path.basename(record["path"])
            yield query, record["outcome"], [hit(query, finding) for finding in record.get("findings", [])]


def sound_hit(query, finding):
    got = {"query": query, "reference": os.path.splitext(os.path.basename(finding["reference"]))[0]}
    if finding.get("query_span_ms") is None:  # the very same file
        return {**got, "score": 1e6, "level": finding["level"]}
    (query_start, query_end), (start, end) = finding["query_span_ms"], finding["reference_span_ms"]
    got.update(score=finding["score"], query_start=query_start / 1000, query_end=query_end / 1000)
    got.update(ref_start=start / 1000, ref_end=end / 1000, speed=finding["speed"])
    return {**got, "level": finding["level"], "least_score": finding.get("least_score")}


def main():
    count = 0
    for _, _, hits in items(sys.stdin):
        count += 1
        for got in hits:
            print(json.dumps(got))
    print(f"sound_results: {count} items", file=sys.stderr)


if __name__ == "__main__":
    main()
