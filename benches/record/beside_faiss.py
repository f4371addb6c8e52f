#!/usr/bin/env python3
"""Minutia's search beside Faiss: the same codes, the same queries, one pinned thread, taking turns.

    cargo build --release -p minutia-benches --example side
    python3 benches/record/beside_faiss.py target/release/examples/side WORK [REAL] > benches/record/DATE-faiss.md

WORK is a folder outside the repository for a few gigabytes of codes and indexes; where Faiss is not installed it is put into
WORK/python, from PyPI, and the script begins again there. REAL is a file of codes of real pictures, 32 bytes each, as
`codes FOLDER REAL` of `side` writes it; without it the rows about real codes are left out. Times are processor time of the
one process (Faiss: this one; Minutia: `side`), medians of ROUNDS turns. Faiss finds distances *below* its radius, so it is
given ours + 1; the numbers of hits must agree or the row says so. FAISS_SIMD_LEVEL=AVX2 in the environment holds Faiss to AVX2,
which is what ours with AVX2 is to be set beside.
"""

import json
import os
import statistics
import subprocess
import sys
import time

try:
    import faiss
    import numpy
except ImportError:
    home = os.path.join(os.path.abspath(sys.argv[2]), "python")
    python = os.path.join(home, "bin", "python")
    if os.path.abspath(sys.executable) == python:
        raise
    subprocess.run([sys.executable, "-m", "venv", home], check=True, stdout=sys.stderr)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "faiss-cpu", "numpy"], check=True, stdout=sys.stderr)
    os.execv(python, [python, *sys.argv])

ROUNDS = int(os.environ.get("ROUNDS", "3"))
CORE = int(os.environ.get("CORE", "0"))


class Side:
    """A `side` process, which answers a line with a line."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{words}: {answer['error']}")
        return answer


def codes(path, count=None):
    return numpy.fromfile(path, dtype=numpy.uint8, count=-1 if count is None else 32 * count).reshape(-1, 32)


def faiss_us(index, queries, radius):
    start = time.process_time()
    limits, _, _ = index.range_search(queries, radius + 1)
    return (time.process_time() - start) / len(queries) * 1e6, int(limits[-1])


def ours_us(side, how, queries, count, radius, strategy, level="avx512", group=1, far="-", threads=1):
    answer = side.ask(how, queries, count, group, radius, far, strategy, level, threads)
    return answer["cpu_s"] / count * 1e6, answer["hits"]


def turns(runs):
    """Each of `runs` in turn, ROUNDS times: the median and the range of each, and its hits."""
    times, hits = [[] for _ in runs], [None] * len(runs)
    for _ in range(ROUNDS):
        for place, run in enumerate(runs):
            used, hits[place] = run()
            times[place].append(used)
    return [(statistics.median(all), min(all), max(all)) for all in times], hits


def show(figure):
    median, least, most = figure
    return f"{median:,.0f} ({least:,.0f}-{most:,.0f})"


def main():
    program, work = sys.argv[1], sys.argv[2]
    real = sys.argv[3] if len(sys.argv) > 3 else None
    os.makedirs(work, exist_ok=True)
    os.sched_setaffinity(0, {CORE})
    faiss.omp_set_num_threads(1)
    side = Side(program)

    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    level = os.environ.get("FAISS_SIMD_LEVEL", "its best instructions")
    print(f"Commit {commit}, Faiss {faiss.__version__} ({faiss.get_compile_options().strip()}; {level}), {names[0]},")
    print(f"{len(names)} cores;")
    print(f"load average at the start {os.getloadavg()[0]:.1f}. Medians of {ROUNDS} turns (least-most).\n")

    sets = [("uniform", 1_000_000), ("uniform", 10_000_000), ("zipf", 1_000_000), ("zipf", 10_000_000)]
    if real:
        sets += [("real", None), ("real perturbed", 1_000_000), ("real perturbed", 10_000_000)]
    print("Microseconds of processor time a query; `flat` is IndexBinaryFlat, 200 queries in one call (50 at ten million).\n")
    print("| codes | N | radius | Faiss flat | ours, brute, AVX-512 | times | ours, brute, AVX2 | times | ours, planned, same call | times | hits |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for kind, count in sets:
        name = f"{work}/{kind.replace(' ', '-')}-{count or 'all'}"
        if kind == "uniform":
            side.ask("make", "uniform", 1, count, name)
        elif kind == "zipf":
            side.ask("make", "zipf", 2, count, name, 10_000)
        elif kind == "real perturbed":
            side.ask("make", "near", 3, count, name, real, 48)
        else:
            name = real
        queries = f"{work}/queries"
        side.ask("make", "near", 4, 100_000, queries, name, 31)
        index = f"{work}/index"
        built = side.ask("build", name, index, 16)
        side.ask("open", index, "memory")
        info = side.ask("info")
        held = codes(name)
        flat = faiss.IndexBinaryFlat(256)
        flat.add(held)
        some = 200 if len(held) <= 2_000_000 else 50
        asked = codes(queries, some)
        for radius in [31, 47, 63, 84]:
            runs = [
                lambda: faiss_us(flat, asked, radius),
                lambda: ours_us(side, "search", queries, some, radius, "brute"),
                lambda: ours_us(side, "search", queries, some, radius, "brute", "avx2"),
                lambda: ours_us(side, "search", queries, some, radius, "planned"),
            ]
            (theirs, brute, avx2, planned), hits = turns(runs)
            agree = f"{hits[0]:,}" if len(set(hits)) == 1 else f"DIFFER {hits}"
            times = [f"{theirs[0] / ours[0]:.1f}" for ours in (brute, avx2, planned)]
            print(
                f"| {kind} | {len(held):,} | {radius} | {show(theirs)} | {show(brute)} | {times[0]} | {show(avx2)} | {times[1]}"
                f" | {show(planned)} | {times[2]} | {agree} |",
                flush=True,
            )
        notes(side, kind, len(held), built, info, held, queries, flat)
        del flat, held
    for line in NOTES:
        print(line)


NOTES = []


def notes(side, kind, count, built, info, held, queries, flat):
    """Figures that are not a row of the table."""
    say = NOTES.append
    if not NOTES:
        say("\nFurther figures, of processor time unless they say otherwise:\n")
    size = info["bytes"] / info["references"]
    say(
        f"- {kind}, {count:,}: {info['codes']:,} codes in {info['references']:,} references; built in {built['cpu_s']:.1f} s"
        f" ({built['wall_s']:.1f} s by the clock, on one core), {size:.1f} bytes a reference with the catalogue"
    )
    for radius in [31, 47]:
        some = 1000 if radius == 31 else 200
        (one, brute), _ = turns(
            [
                lambda: ours_us(side, "single", queries, some, radius, "planned"),
                lambda: ours_us(side, "single", queries, 20, radius, "brute"),
            ]
        )
        say(f"  - one query a call, radius {radius}: {show(one)} us planned, {show(brute)} us by brute force")
    if count <= 2_000_000:
        for tables, bits in [(16, 16), (13, 19)]:
            theirs = faiss.IndexBinaryMultiHash(256, tables, bits)
            theirs.add(held)
            theirs.nflip = -(-32 // tables) - 1
            asked = codes(queries, 100)
            (hashed, single), hits = turns(
                [lambda: faiss_us(theirs, asked, 31), lambda: ours_us(side, "single", queries, 100, 31, "planned")]
            )
            say(
                f"  - Faiss MultiHash, {tables} tables of {bits} bits, {theirs.nflip} flips, radius 31: {show(hashed)} us; ours one"
                f" query a call {show(single)} us: {hashed[0] / single[0]:.1f} times (hits {hits[0]}, {hits[1]})"
            )
            del theirs
    if kind == "uniform":
        (group, apart), hits = turns(
            [
                lambda: ours_us(side, "single", queries, 240, 70, "planned", group=24, far=70),
                lambda: ours_us(side, "single", queries, 240, 70, "planned", group=1, far=70),
            ]
        )
        say(
            f"  - 24 views of a picture, radius 70 with the negative: {24 * group[0] / 1000:.2f} ms a picture in one call, "
            f"{24 * apart[0] / 1000:.2f} ms as 24 calls: {apart[0] / group[0]:.1f} times (hits {hits[0]}, {hits[1]})"
        )
    if kind == "uniform" and count >= 10_000_000:
        for radius, some in [(31, 100_000), (47, 10_000)]:
            (batch,), hits = turns([lambda: ours_us(side, "search", queries, some, radius, "planned")])
            say(
                f"  - {some:,} queries in one call, radius {radius}: {batch[0] * some / 1e6:.2f} s "
                f"({batch[1] * some / 1e6:.2f}-{batch[2] * some / 1e6:.2f}), {hits[0]:,} hits"
            )
        opened = [side.ask("open", f"{os.path.dirname(queries)}/index", "mapped")["wall_s"] * 1e6 for _ in range(5)]
        say(f"  - opened mapped in {statistics.median(opened):.0f} us by the clock")
        verified = side.ask("verify")
        say(f"  - verified in {verified['cpu_s']:.2f} s, {info['bytes'] / 1e9:.2f} GB, {verified['damages']} damages")
        more = f"{os.path.dirname(queries)}/more"
        side.ask("make", "uniform", 9, 10_000, more)
        grown = side.ask("grow", more, f"{os.path.dirname(queries)}/index", 16)
        side.ask("open", f"{os.path.dirname(queries)}/index", "mapped")
        _, hits = ours_us(side, "search", more, 1000, 0, "planned")
        say(f"  - 10,000 more, durable: {grown['wall_s'] * 1000:.0f} ms by the clock; {hits} of 1,000 found at once")


main()
