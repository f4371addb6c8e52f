#!/usr/bin/env python3
"""measure.py RUNS NAME=COMMAND…: runs the commands in turn, RUNS times, and prints the median, least and most of user and
system seconds and of wall seconds, and the largest resident memory of one process. The first number in NAME
is how many files, for files a second."""
import os
import re
import statistics
import subprocess
import sys
import time


def run(command):
    start = time.monotonic()
    process = subprocess.Popen(command, shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(f"{command}: ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, wall, used.ru_maxrss


def main():
    runs = int(sys.argv[1])
    commands = [argument.split("=", 1) for argument in sys.argv[2:]]
    seen = {name: [] for name, _ in commands}
    for _ in range(runs):
        for name, command in commands:
            seen[name].append(run(command))
    print("| command | CPU s, median (least-most) | wall s, median (least-most) | files a CPU second | largest process MiB |")
    print("|---|--:|--:|--:|--:|")
    for name, command in commands:
        cpu, wall, rss = zip(*seen[name])
        count = re.search(r"\d+", name)
        rate = f"{int(count.group()) / statistics.median(cpu):.0f}" if count else "-"
        spread = lambda values: f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"
        print(f"| {name} | {spread(cpu)} | {spread(wall)} | {rate} | {max(rss) / 1024:.0f} |")


if __name__ == "__main__":
    main()
