#!/usr/bin/env python3
"""bench_sign.py PROGRAM SIGNER FOLDER: signed transactions a second through frond-signer, over libsecp256k1's own rate on one core.

Both run in turns within one process (bench_sign.c); the median of the rounds' ratios counts. IN_FLIGHT asks are open at a time (SIGN_IN_FLIGHT=1024): a
signer's turn has one durable write of its counts, whatever the number of asks in it, so a turn of one ask is what the disk makes of it. It is printed beside.
"""
import os
import statistics
import subprocess
import sys
import tempfile

import kit

BAR = 0.5
ROUNDS, SECONDS = int(os.environ.get("ROUNDS", "7")), float(os.environ.get("ROUND_S", "1"))
IN_FLIGHT = int(os.environ.get("SIGN_IN_FLIGHT", "1024"))


def measure(program, signer, folder, rounds, in_flight):
    with tempfile.TemporaryDirectory(dir=folder) as work:
        done = subprocess.run([program, signer, work, str(rounds), str(SECONDS), str(in_flight)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench-sign: {done.stderr}")
    return [[float(x) for x in line.split()] for line in done.stdout.splitlines()]


def main():
    program, signer, folder = (os.path.abspath(path) for path in sys.argv[1:4])
    os.makedirs(folder, exist_ok=True)
    rows = measure(program, signer, folder, ROUNDS, IN_FLIGHT)
    for ours, bare, signer_cpu, host_cpu, bare_cpu, turn in rows:
        print(f"  {ours:7.0f} signed a second, {bare:7.0f} by the library alone: {ours / bare:.2f}; CPU {signer_cpu:.1f} us in the signer, {host_cpu:.1f} in the host, {bare_cpu:.1f} alone; {turn:.0f} answers a turn")
    single = statistics.median(r[0] for r in measure(program, signer, folder, 1, 1))
    print(f"  one at a time: {single:.0f} a second")
    mid = lambda i: statistics.median(r[i] for r in rows)
    kit.result("sign", statistics.median(r[0] / r[1] for r in rows), BAR, f"{mid(0):.0f}/s, one at a time {single:.0f}/s", f"{mid(1):.0f}/s, one core", f"{mid(2):.1f} + {mid(3):.1f} us, alone {mid(4):.1f}", low=False)


kit.main("sign", main)
